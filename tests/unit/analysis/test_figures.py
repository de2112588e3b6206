"""Tests of the figures: which networks they show, and the numbers that they draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.figures import tokens
from online_rnnlm.analysis.figures.drawing import spread
from online_rnnlm.analysis.figures.systems import leading
from online_rnnlm.analysis.results import NothingToShowError
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Vocabulary
from online_rnnlm.storage.files import sha256_of, write_json
from tests.unit.analysis.changes import IN_ORDER, again, change_split, read_json


def _split(lengths: list[int], words: list[int] | None = None) -> Split:
    """Return a split with sentences of these lengths; `words` are their targets."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    targets = words if words is not None else [0] * int(offsets[-1])
    return Split(np.array([0, *targets], np.int32), offsets)


def test_positions_are_counted_from_the_sentences_start():
    groups = tokens.by_position(_split([3, 40, 1]))
    long = ["1", "2", *["3–4"] * 2, *["5–8"] * 4, *["9–16"] * 8, *["17–32"] * 16, *["33 +"] * 8]
    assert list(groups) == ["1", "2", "3–4", *long, "1"]
    assert tokens.ticks_of(groups)[0] == "1\n7 %"


def test_distances_are_counted_from_the_articles_start():
    """The sentences of an article may be apart."""
    split = replace(_split([1, 2, 1, 1, 1]), articles=np.array([5, 5, 2, 5, 2], np.int32))
    assert list(tokens.by_distance(split)) == ["1", "2", "2", "1", "3–4", "2"]


def test_bands_are_of_words_by_their_count_in_train():
    # Ids are sorted by class, not by count: here the most frequent word has the last id.
    words = ["</s>", "a", "<unk>", *(f"w{i}" for i in range(1200)), "top"]
    counts = np.array([10**6, 1, 10**6, *range(3000, 1800, -1), 9999], dtype=np.int64)
    vocabulary = Vocabulary(words, counts, np.array([0, len(words)]))
    ids = {word: number for number, word in enumerate(words)}
    #        1st    2nd   10th  11th  110th   111th   1110th   1111th   1202nd
    shown = ["top", "w0", "w8", "w9", "w108", "w109", "w1108", "w1109", "a", "<unk>", "</s>"]
    groups = tokens.by_frequency(_split([11], [ids[word] for word in shown]), vocabulary)
    bands = [*["next 100"] * 2, *["next 1,000"] * 2, *["the rest"] * 2]
    assert list(groups) == [*["10 most frequent"] * 3, *bands, "<unk>", "</s>"]


def test_a_groups_perplexity_is_over_its_tokens():
    groups = pd.Categorical(["a", "b", "a", "a", "b"], ["a", "empty", "b"])
    piece = np.array([0, 0, 1, 1, 1])
    found = -np.log(tokens.perplexities(groups, piece, np.array([1.0, 5.0, 2.0, 6.0, 5.0])))
    assert list(found.index) == [0, 2]
    assert found["mean"].tolist() == pytest.approx([3, 5])
    # The mean of "a" is 1 for sentence 0 and 4 for sentence 1; the mean of "b" is 5 for both.
    assert found["high"].tolist() == pytest.approx([1, 5])
    assert found["low"].tolist() == pytest.approx([4, 5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.05))
def test_labels_are_moved_apart_in_their_order_and_not_without_need(heights, gap):
    moved = spread(heights, gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(np.array(moved)[order]) >= gap - 1e-9).all()
    assert min(moved) >= -1e-9 and max(moved) <= 1 + 1e-9
    apart = np.linspace(0, 1, len(heights))
    assert spread(apart, gap) == pytest.approx(apart)


def test_figures_name_the_first_vector_and_its_opponent_of_each_kind_then_the_best_rivals(invented):
    units = {"unit_of_text": ["sentence", "document"]}
    rows = [
        {"hidden_size": [100, 120, 135], **units},
        {"hidden_size": 100, "document_size": [20, 35], **units},
    ]
    testing = {"rivals": ["neural_cache", "unigram_cache", "kneser_ney", "mixture"]}
    results = invented(rows=rows, testing=testing, corpora=IN_ORDER)
    best = "invented-M120-D0-document-seed1"
    change_split(results.directory, best, "unigram_cache", "valid", perplexity=1.0)
    assert [system.title for system in leading(again(results))] == [
        *("100/20", "120/0", "100/20 per article", "120/0 per article"),
        *("120/0 per article + unigram cache", "5-gram, modified Kneser-Ney"),
        *("100/0", "100/0 per article"),
    ]


@pytest.mark.slow  # matplotlib draws
def test_over_an_article_the_vector_is_kept_for_it_if_it_was_tested_so(invented):
    kept = {"updates": ["document_vector"], "unit_of_text": ["document"]}
    for testing, said in (({}, "kept for the sentence"), (kept, "kept for the article")):
        _, caption = tokens.draw_distance(invented(corpora=IN_ORDER, testing=testing))
        assert said in caption
        assert "intervals over articles" in caption


def test_without_known_articles_there_is_nothing_to_show(invented):
    results = invented(corpora=IN_ORDER)
    corpus = results.directory.corpus("invented")
    path = corpus.split_articles("test")
    np.save(path, np.zeros_like(np.load(path)))
    statistics = read_json(corpus.statistics)
    statistics["files"][path.name] = sha256_of(path)
    write_json(corpus.statistics, statistics)
    with pytest.raises(NothingToShowError, match="articles"):
        tokens.draw_distance(results)
