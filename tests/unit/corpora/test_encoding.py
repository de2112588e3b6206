"""Tests of a corpus's arrays, texts and statistics, with all stages run one after the other."""

import itertools

import numpy as np
import pytest

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import load_corpus, read_statistics
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, CorpusDirectory
from tests.unit.corpora.small_corpora import lines, prepare, settings_of, write

ANIMALS = ["cat", "dog", "hen", "cow", "pig", "owl", "fox", "bee", "ant", "elk"]
PLACES = ["mat", "hill", "farm", "moon"]
LINES = [f"The {animal} sat on the {place}.\nIt slept." for animal in ANIMALS for place in PLACES]


def words_of(words: list[str], split: Split) -> list[str]:
    """Rebuild a split's text from the arrays alone."""
    assert split.stream[0] == 0
    sentences = [
        [words[i] for i in split.stream[start + 1 : end + 1]]
        for start, end in itertools.pairwise(split.offsets)
    ]
    assert all(sentence[-1] == "</s>" for sentence in sentences)
    return [" ".join(sentence[:-1]) for sentence in sentences]


@pytest.fixture
def settings(tmp_path) -> CorpusSettings:
    file = write(tmp_path / "text.txt", "\n".join(LINES))
    return settings_of({"file": file}, vocabulary={"min_count": 5})


@pytest.fixture
def prepared(settings, tmp_path) -> CorpusDirectory:
    return prepare(settings, tmp_path)


def test_arrays_texts_and_statistics_agree(prepared):
    corpus = load_corpus(prepared)
    statistics = read_statistics(prepared)
    known = set(corpus.words)
    sizes = np.diff(corpus.class_offsets)
    stream = corpus.splits["train"].stream
    assert isinstance(stream, np.memmap) and stream.dtype == np.int32 and stream.mode == "r"
    for split in SPLITS:
        text = lines(prepared.text(split))
        found = statistics.splits[split]
        assert words_of(corpus.words, corpus.splits[split]) == text
        words = " ".join(text).split()
        assert (found.sentences, found.words) == (len(text), len(words))
        assert found.tokens == len(words) + len(text)
        assert found.unk_tokens == words.count("<unk>")
        assert found.oov_rate == pytest.approx(words.count("<unk>") / len(words))
        assert found.documents == len(set(np.load(prepared.split_articles(split)).tolist()))
        # A word that is alone in its class needs no score.
        scored = np.where(sizes > 1, sizes, 0)[corpus.word_classes]
        targets = corpus.splits[split].stream[1:]
        assert found.mean_class_size == pytest.approx(scored[targets].mean())
    for split in HELD_OUT:
        tokens = [line.split(" ") for line in lines(prepared.tokens(split))]
        kept = [" ".join(w if w in known else "<unk>" for w in words) for words in tokens]
        assert kept == lines(prepared.text(split))
        assert statistics.splits[split].types == len({w for words in tokens for w in words})
    assert "<unk>" in " ".join(lines(prepared.text("train")))
    counted = np.bincount(corpus.splits["train"].stream[1:], minlength=corpus.vocabulary_size)
    assert counted.tolist() == corpus.counts.tolist()
    assert sum(statistics.class_sizes) == statistics.vocabulary_size == len(corpus.words)
    assert statistics.digest == corpus.digest
    assert corpus.words[corpus.unk_id] == "<unk>"
    # No sentence is in two splits, and none is lost.
    sentences = [line for split in SPLITS for line in lines(prepared.text(split))]
    assert len(sentences) == len(lines(prepared.sentences)) == 41
    assert statistics.sentences_read == 80
    assert statistics.dropped == {"duplicate": 39}


@pytest.mark.slow  # it starts processes, which load NLTK
def test_the_number_of_processes_changes_nothing(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("online_rnnlm.corpora.sentences.BATCH_CHARACTERS", 500)
    one = prepare(settings, tmp_path, 1, "one")
    two = prepare(settings, tmp_path, 2, "two")
    assert one.sentences.read_bytes() == two.sentences.read_bytes()
    assert load_corpus(one).digest == load_corpus(two).digest


def test_the_seed_decides_and_a_sample_has_the_same_held_out_text(settings, tmp_path):
    made = {}
    for name, changed in (("a", {}), ("b", {"seed": 2}), ("c", {"train_sentences": 7})):
        made[name] = prepare(settings.model_copy(update=changed), tmp_path, name=name)
    again = load_corpus(prepare(settings, tmp_path, name="d")).digest
    assert load_corpus(made["a"]).digest == again != load_corpus(made["b"]).digest
    assert len(lines(made["c"].text("train"))) == 7
    for split in HELD_OUT:
        assert lines(made["c"].tokens(split)) == lines(made["a"].tokens(split))


def test_another_text_that_equals_the_test_text_gets_the_same_arrays(tmp_path):
    texts = {"train": "\n".join(LINES), "valid": LINES[0], "test": "It ran.\n\nThe cat sat. Now.\n"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    settings = settings_of(files)
    directory = prepare(settings, tmp_path, again=files["test"])
    statistics = read_statistics(directory)
    counted = sum(statistics.splits[split].sentences for split in SPLITS)
    assert statistics.sentences_read == counted + sum(statistics.dropped.values())
    corpus = load_corpus(directory, ["again"])
    found = statistics.splits
    assert found["again"] == found["test"] and found["test"].unk_tokens
    for key in ("stream", "offsets", "articles"):
        first, second = (getattr(corpus.splits[split], key) for split in ("again", "test"))
        np.testing.assert_array_equal(first, second)


def test_another_text_is_taken_whole_and_changes_nothing_else(settings, prepared, tmp_path):
    rows = [{"text": "The mat met a yak. The hill sat.\nOn."}, {"text": "On. On the moon."}]
    other = write(tmp_path / "other.jsonl", rows)
    directory = prepare(settings, tmp_path, name="with", other=other)
    for one, two in zip(prepared.encoded_files(), directory.encoded_files(), strict=True):
        assert one.read_bytes() == two.read_bytes()
    corpus = load_corpus(directory, ["other"])
    found = read_statistics(directory).splits["other"]
    assert corpus.digest == load_corpus(prepared).digest
    expected = ["the mat <unk> <unk> <unk> .", "the hill sat .", "on .", "on .", "on the moon ."]
    assert words_of(corpus.words, corpus.splits["other"]) == expected
    assert corpus.splits["other"].articles.tolist() == [0, 0, 0, 1, 1]
    assert (found.documents, found.unk_tokens, found.words) == (2, 3, 18)
    assert corpus.held_out == [*HELD_OUT, "other"]
    directory.stream("other").unlink()
    load_corpus(directory)
    with pytest.raises(UserError, match=r"other\.npy"):
        load_corpus(directory, ["other"])


@pytest.mark.parametrize(("min_count", "found"), [(1, {"test": 2}), (2, {})])
def test_words_never_trained_are_counted(tmp_path, min_count, found):
    texts = {"train": "a b\na c\n", "valid": "a\n", "test": "a new\na word\n"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    settings = settings_of({**files, "tokenised": True}, vocabulary={"min_count": min_count})
    statistics = read_statistics(prepare(settings, tmp_path))
    assert statistics.unknown_words_never_trained == found
