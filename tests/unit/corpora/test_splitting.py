"""Tests that shuffles and splits keep sentences, their order and their articles."""

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import load_corpus, load_split, read_statistics
from online_rnnlm.corpora.splitting import CUT_OFF, EARLIER_TEST, NOT_SAMPLED, divide, read_text
from online_rnnlm.corpora.textfiles import read_tokenised
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS
from tests.unit.corpora.small_corpora import lines, prepare, settings_of, write

ARTICLES = 30
SENTENCES = 4


def marked(article: int) -> str:
    """Return an article of one sentence a paragraph, marked with its place: `a7 s0 is here .`"""
    sentences = [f"A{article} s{number} is here." for number in range(SENTENCES)]
    # A sentence that all articles share, and a fragment: both are dropped, and the numbers of
    # the sentences after them must stay right.
    return "\n".join(["All know this sentence.", *sentences[:2], "No!", *sentences[2:]])


@pytest.mark.parametrize("by", ["sentence", "article"])
def test_sentences_keep_their_articles(tmp_path, monkeypatch, by):
    monkeypatch.setattr("online_rnnlm.corpora.sentences.BATCH_CHARACTERS", 250)
    texts = [marked(number) if number != 5 else "No! Yes!" for number in range(ARTICLES)]
    rows = [{"text": text} for text in texts]
    file = write(tmp_path / "own.jsonl", rows)
    directory = prepare(settings_of({"file": file}, divide_by=by), tmp_path)
    expected = [0] + [n for n in range(ARTICLES) if n != 5 for _ in range(SENTENCES)]
    assert np.load(directory.sentence_articles).tolist() == expected
    corpus = load_corpus(directory)
    statistics = read_statistics(directory)
    scattered = []
    for split in SPLITS:
        numbers = corpus.splits[split].articles
        assert numbers.dtype == np.int32
        # In the text, words that `train` does not have are `<unk>`.
        file = directory.text(split) if split == "train" else directory.tokens(split)
        for number, line in zip(numbers, lines(file), strict=True):
            first = line.split()[0]
            assert first == f"a{number}" or (first == "all" and number == 0)
        documents = len(set(numbers.tolist()))
        assert statistics.splits[split].documents == documents
        scattered.append(len(list(groupby(numbers))) > documents)
    assert any(scattered) == (by == "sentence")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a\nb\n\nc\n", [0, 0, 1]),
        ("\n\na\n \n\t\nb\n\nc\nd\n\n", [0, 1, 2, 2]),
    ],
)
def test_empty_lines_separate_the_articles_of_tokenised_text(tmp_path, text, numbers):
    file = write(tmp_path / "t.txt", text)
    found = list(read_tokenised([file, file]))
    assert [sentence for sentence, _ in found] == text.split() * 2
    assert [number for _, number in found] == [*numbers, *(n + numbers[-1] + 1 for n in numbers)]


def stored(lengths: list[int]) -> Split:
    """Return articles of these lengths, each sentence one word, its index.

    Article numbers have gaps.
    """
    numbers = np.repeat(np.arange(len(lengths)) * 2 + 1, lengths)
    sentences = ((f"w{index}", int(number)) for index, number in enumerate(numbers))
    return read_text(sentences, {})


def parts_of(values: CorpusSettings, text: Split) -> dict[str, list[tuple[int, int]]]:
    """Return the sentences of each split, and the numbers of their articles."""
    parts, dropped = divide(values, text)
    found = {
        split: list(zip((part.stream[1::2] - 1).tolist(), part.articles.tolist(), strict=True))
        for split, part in parts.items()
    }
    # Nothing is lost uncounted.
    assert sum(map(len, found.values())) + dropped.total() == text.sentences
    assert set(dropped) <= {CUT_OFF, EARLIER_TEST, NOT_SAMPLED}
    return found


def sized(by: str, test: int, valid: int, train: int | None, seed: int = 1) -> CorpusSettings:
    sizes = {"test_sentences": test, "valid_sentences": valid, "train_sentences": train}
    source = {"kind": "wikipedia-vital"}
    return CorpusSettings.model_validate({"source": source, "seed": seed, "divide_by": by, **sizes})


LENGTHS = st.lists(st.integers(1, 6), min_size=8, max_size=40)
SIZES = st.integers(1, 7)


@settings(max_examples=40)
@given(lengths=LENGTHS, train=st.none() | st.just(1), seed=st.integers(0, 99))
def test_sentences_are_shuffled_one_by_one_and_keep_their_numbers(lengths, train, seed):
    text = stored(lengths)
    parts = parts_of(sized("sentence", 3, 2, train, seed), text)
    order = np.random.default_rng(seed).permutation(text.sentences).tolist()
    drawn = [s for split in ("test", "valid", "train") for s, _ in parts[split]]
    assert drawn == (order if train is None else order[:6])
    for part in parts.values():
        assert all(number == text.articles[sentence] for sentence, number in part)


@settings(max_examples=60)
@given(
    lengths=LENGTHS,
    test=st.integers(2, 7),
    valid=SIZES,
    train=st.none() | SIZES,
    seed=st.integers(0, 99),
)
def test_articles_stay_whole_and_only_a_splits_last_one_is_cut(lengths, test, valid, train, seed):
    text = stored(lengths)
    try:
        parts = parts_of(sized("article", test, valid, train, seed), text)
    except UserError:
        # Every cut drops 5 sentences at most.
        assert sum(lengths) < test + valid + (train or 1) + 3 * 5
        return
    found = [number for part in parts.values() for number, _ in groupby(n for _, n in part)]
    assert len(found) == len(set(found))  # no article is in two splits or twice in one
    for split, wanted in (("test", test), ("valid", valid), ("train", train)):
        assert wanted is None or len(parts[split]) == wanted
        runs = [[s for s, _ in run] for _, run in groupby(parts[split], lambda pair: pair[1])]
        for position, run in enumerate(runs, 1):
            whole = np.flatnonzero(text.articles == text.articles[run[0]]).tolist()
            cut = position == len(runs) and wanted is not None
            assert run == (whole[: len(run)] if cut else whole)
    if train is None:
        assert set(found) == set(text.articles.tolist())


def test_a_new_test_set_is_drawn_from_what_no_split_had():
    text = stored([3, 1, 4, 1, 5, 2, 6] * 4)
    first = parts_of(sized("article", 9, 8, 20), text)
    seen = {article for part in first.values() for _, article in part}
    for number, earlier in enumerate([[9], [9, 7], [9, 7, 6]]):
        size = 7 - number
        again = sized("article", size, 8, 20).model_copy(update={"earlier_test_sentences": earlier})
        found = parts_of(again, text)
        assert (found["valid"], found["train"]) == (first["valid"], first["train"])
        articles = {article for _, article in found["test"]}
        assert len(found["test"]) == size
        assert not seen & articles
        seen |= articles


@pytest.mark.parametrize("by", ["sentence", "article"])
def test_a_sample_of_a_ready_file_keeps_its_order(tmp_path, by):
    articles = [[f"a{n} s{i}" for i in range(3)] for n in range(30)]
    train = write(tmp_path / "train", "\n\n".join("\n".join(article) for article in articles))
    other = write(tmp_path / "other", "a b\n")
    source = {"tokenised": True, "train": train, "valid": other, "test": other}
    directory = prepare(settings_of(source, divide_by=by, train_sentences=13), tmp_path)
    found = lines(directory.text("train"))
    numbers = load_split(directory, "train").articles.tolist()
    assert [int(line.split()[0][1:]) for line in found] == numbers == sorted(numbers)
    lengths = sorted(len(list(run)) for _, run in groupby(numbers))
    assert (lengths == [1, 3, 3, 3, 3]) == (by == "article")
    assert any(after - before > 1 for before, after in pairwise(numbers))
    dropped = read_statistics(directory).dropped
    assert dropped == ({CUT_OFF: 2, NOT_SAMPLED: 75} if by == "article" else {NOT_SAMPLED: 77})


@pytest.mark.parametrize(
    ("values", "files", "message"),
    [
        ({"divide_by": "article"}, ["file", "a b\nc\n\n"], "put an empty line between them"),
        ({"divide_by": "article"}, ["file", "a\n\nb\n"], "too short .*2 sentences leave too few"),
        ({"divide_by": "sentence"}, ["file", "a\n"], "too short .*: 1 sentence leaves too few"),
        ({"train_sentences": 4}, [*SPLITS, "a\n\nb\n"], "too short .*`train_sentences` 4"),
    ],
)
def test_a_text_that_is_too_short_to_divide_is_refused(tmp_path, values, files, message):
    *keys, text = files
    source = {key: write(tmp_path / f"{key}.txt", text) for key in keys}
    with pytest.raises(UserError, match=f"^{tmp_path}.*{message}"):
        prepare(settings_of({"tokenised": True, **source}, **values), tmp_path)


def test_a_text_that_is_too_short_says_how_much_of_it_was_dropped(tmp_path):
    file = write(tmp_path / "a.txt", "The same line again and again.\n" * 3000 + "Short.\n")
    expected = r"1 sentence leaves too few .*: 3001 read, 2999 duplicate, 1 too short$"
    with pytest.raises(UserError, match=expected):
        prepare(settings_of({"file": file}), tmp_path)
