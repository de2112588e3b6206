"""Tests that tokenisation, shuffles, splits and the arrays keep every sentence's article."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import Split, load_corpus
from online_rnnlm.corpora.extraction import write_articles
from online_rnnlm.corpora.numbering import Numbered, write_numbered
from online_rnnlm.corpora.sources.wikipedia_vital import read_summaries
from online_rnnlm.corpora.splitting import StoredText, divide, write_splits
from online_rnnlm.corpora.tally import CUT_OFF, NOT_SAMPLED, Tally
from online_rnnlm.corpora.tokenisation import write_sentences
from online_rnnlm.corpora.tokenised import read_sentences
from online_rnnlm.corpora.topics import topics_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

Prepare = Callable[..., CorpusDirectory]

ARTICLES, SENTENCES = 30, 4
TOPICS = ("Arts", None, "History")


def changed(settings: CorpusSettings, **values: object) -> CorpusSettings:
    return CorpusSettings.model_validate({**settings.model_dump(), **values})


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def numbers_of(text: Path) -> list[int]:
    numbers = np.load(CorpusDirectory.articles_beside(text))
    assert numbers.dtype == np.int32
    found: list[int] = numbers.tolist()
    return found


def write_jsonl(file: Path, articles: list[dict[str, object]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in articles), encoding="utf-8")
    return file


def marked(article: int) -> str:
    """Return an article of one sentence a paragraph, marked with its place: `a7 s0 is here .`"""
    sentences = [f"A{article} s{number} is here." for number in range(SENTENCES)]
    # A sentence that all articles share, and a fragment: both are dropped, and the numbers of
    # the sentences after them must stay right.
    return "\n".join(["All know this sentence.", *sentences[:2], "No!", *sentences[2:]])


@pytest.fixture
def own(settings: CorpusSettings, tmp_path: Path) -> CorpusSettings:
    """A `.jsonl` file of marked articles with topics, one of them only of fragments."""
    texts = [marked(number) for number in range(ARTICLES)]
    texts[5] = "No! Yes!"
    rows: list[dict[str, object]] = [
        {"title": f"T{number}", "text": text, "topic": TOPICS[number % len(TOPICS)]}
        for number, text in enumerate(texts)
    ]
    file = write_jsonl(tmp_path / "own.jsonl", rows)
    return changed(settings, source={"kind": "text", "file": file})


def assert_marked(text: Path) -> None:
    """Assert that every sentence's article number is the one that its text is marked with."""
    numbers = numbers_of(text)
    marks = [line.split()[0] for line in lines(text)]
    assert len(numbers) == len(marks)
    common = [n for n, mark in zip(numbers, marks, strict=True) if mark == "all"]
    assert common in ([], [0])  # only the first of the duplicates is kept, in one of the splits
    found = [f"a{n}" for n in numbers]
    assert [m for m in marks if m != "all"] == [
        f for f, m in zip(found, marks, strict=True) if m != "all"
    ]


def test_every_sentence_has_the_number_of_its_article(
    own: CorpusSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `test_the_number_of_processes_changes_nothing` covers several processes.
    monkeypatch.setattr("online_rnnlm.corpora.tokenisation.BATCH_CHARACTERS", 250)
    directory = CorpusDirectory(tmp_path / "corpus")
    write_articles(own, tmp_path, directory.articles, 1)
    write_sentences(own, directory.articles, directory.sentences, 1)
    assert directory.sentence_articles == CorpusDirectory.articles_beside(directory.sentences)
    assert_marked(directory.sentences)
    numbers = numbers_of(directory.sentences)
    expected = [n for n in range(ARTICLES) if n != 5 for _ in range(SENTENCES)]
    assert numbers == [0, *expected]
    titles = [json.loads(line)["title"] for line in lines(directory.articles)]
    assert titles == [f"T{number}" for number in range(ARTICLES)]


@pytest.mark.parametrize("by", ["sentence", "article"])
def test_numbers_stay_with_their_sentences_in_every_split(
    own: CorpusSettings, tmp_path: Path, prepare: Prepare, by: str
) -> None:
    directory = prepare(changed(own, divide_by=by), tmp_path)
    corpus, statistics = load_corpus(directory), read_json(directory.statistics)
    for split in SPLITS:
        assert_marked(directory.split(split))
        numbers = corpus.splits[split].articles
        assert numbers.tolist() == numbers_of(directory.split(split))
        assert statistics["splits"][split]["documents"] == len(set(numbers.tolist()))
        assert directory.split_articles(split).name in statistics["files"]
    scattered = [len(list(groupby(s.articles))) - s.documents for s in corpus.splits.values()]
    assert any(scattered) == (by == "sentence")


def test_the_articles_of_ready_files_are_numbered_in_each_file(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    files = {}
    for split in SPLITS:
        rows: list[dict[str, object]] = [{"text": marked(0)}, {"text": " "}, {"text": marked(1)}]
        files[split] = write_jsonl(tmp_path / f"{split}.jsonl", rows)
    directory = prepare(changed(settings, source={"kind": "text", **files}), tmp_path)
    for split in SPLITS:
        # A ready file is taken whole, with fragments and duplicates.
        assert numbers_of(directory.split(split)) == [0] * 6 + [1] * 6
    assert topics_of(directory, "test") is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a\nb\nc\n", [0, 0, 0]),
        ("a\nb\n\nc\n", [0, 0, 1]),
        ("\n\na\n \n\t\nb\n\nc\nd\n\n", [0, 1, 2, 2]),
    ],
)
def test_empty_lines_separate_the_articles_of_tokenised_text(
    tmp_path: Path, text: str, numbers: list[int]
) -> None:
    file = tmp_path / "t.txt"
    file.write_text(text, encoding="utf-8")
    found = list(read_sentences([file]))
    assert [sentence for sentence, _ in found] == text.split()
    assert [number for _, number in found] == numbers


def test_tokenised_text_is_divided_by_its_empty_lines(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    articles = [[f"a{n} s{i}" for i in range(3)] for n in range(9)]
    file = tmp_path / "t.txt"
    file.write_text("\n\n".join("\n".join(article) for article in articles), encoding="utf-8")
    source = {"kind": "text", "file": file, "tokenised": True}
    directory = prepare(changed(settings, source=source, divide_by="article"), tmp_path)
    for split in SPLITS:
        assert_marked(directory.split(split))
        for number, run in groupby(lines(directory.split(split)), lambda line: line.split()[0]):
            article = articles[int(number[1:])]
            assert list(run) == (article[:2] if split == "test" else article)
    assert topics_of(directory, "train") is None


def stored(lengths: list[int]) -> StoredText:
    """Return articles of these lengths; a sentence is its own index. Article numbers have gaps."""
    numbers = np.repeat(np.arange(len(lengths)) * 2 + 1, lengths).astype(np.int32)
    return StoredText(Path("text"), [str(i).encode() for i in range(len(numbers))], numbers)


def parts_of(settings: CorpusSettings, text: StoredText) -> dict[str, list[tuple[int, int]]]:
    tally = Tally()
    list(tally.reading(text.sentences))
    parts = divide(settings, text, tally)
    found = {split: [(int(sentence), int(n)) for sentence, n in parts[split]] for split in SPLITS}
    assert tally.kept == sum(map(len, found.values()))  # nothing is lost uncounted
    assert set(tally.dropped) <= {CUT_OFF, NOT_SAMPLED}
    return found


def sized(by: str, test: int, valid: int, train: int | None, seed: int = 1) -> CorpusSettings:
    sizes = {"test_sentences": test, "valid_sentences": valid, "train_sentences": train}
    source = {"kind": "wikipedia-vital"}
    return CorpusSettings.model_validate({"source": source, "seed": seed, "divide_by": by, **sizes})


LENGTHS = st.lists(st.integers(1, 6), min_size=8, max_size=40)
SIZES = st.integers(1, 7)


@given(lengths=LENGTHS, test=st.integers(2, 4), valid=st.integers(1, 3), seed=st.integers(0, 99))
def test_sentences_are_shuffled_one_by_one_and_keep_their_numbers(
    lengths: list[int], test: int, valid: int, seed: int
) -> None:
    text = stored(lengths)
    parts = parts_of(sized("sentence", test, valid, None, seed), text)
    order = np.random.default_rng(seed).permutation(len(text.sentences)).tolist()
    assert [s for split in ("test", "valid", "train") for s, _ in parts[split]] == order
    for part in parts.values():
        assert all(number == text.articles[sentence] for sentence, number in part)


@given(
    lengths=LENGTHS,
    test=st.integers(2, 7),
    valid=SIZES,
    train=st.none() | SIZES,
    seed=st.integers(0, 99),
)
def test_articles_stay_whole_and_only_a_splits_last_one_is_cut(
    lengths: list[int], test: int, valid: int, train: int | None, seed: int
) -> None:
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


@pytest.mark.parametrize(("train", "sentences", "articles"), [(None, 28, 7), (9, 9, 3), (8, 8, 2)])
def test_what_is_left_of_a_cut_article_goes_nowhere(
    train: int | None, sentences: int, articles: int
) -> None:
    # 10 articles of 4: `test` has 2 of them (one cut at 2), `valid` 1 (cut at 3), 7 remain.
    parts = parts_of(sized("article", 6, 3, train), stored([4] * 10))
    counts = {
        split: [len(list(run)) for _, run in groupby(n for _, n in parts[split])]
        for split in SPLITS
    }
    assert counts["test"] == [4, 2]
    assert counts["valid"] == [3]
    assert (sum(counts["train"]), len(counts["train"])) == (sentences, articles)


def test_the_seed_decides_the_articles_and_a_sample_leaves_the_held_out_ones_alone() -> None:
    text = stored([3, 1, 4, 1, 5, 2, 6] * 4)
    whole, again, other = (parts_of(sized("article", 9, 8, None, seed), text) for seed in (1, 1, 2))
    sample = parts_of(sized("article", 9, 8, 20), text)
    assert whole == again != other
    assert {**sample, "train": whole["train"][:20]} == {**whole, "train": sample["train"]}


def test_a_sample_of_ready_articles_is_of_whole_ones_in_their_order(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    articles = [[f"a{n} s{i}" for i in range(3)] for n in range(30)]
    text = "\n\n".join("\n".join(article) for article in articles)
    files = {}
    for split, content in (("train", text), ("valid", "a b\n"), ("test", "a b\n")):
        files[split] = tmp_path / split
        files[split].write_text(content, encoding="utf-8")
    source = {"kind": "text", "tokenised": True, **files}
    some = changed(settings, source=source, divide_by="article", train_sentences=13)
    directory = prepare(some, tmp_path)
    assert_marked(directory.split("train"))
    numbers = numbers_of(directory.split("train"))
    assert numbers == sorted(numbers)
    assert sorted(len(list(run)) for _, run in groupby(numbers)) == [1, 3, 3, 3, 3]
    assert any(after - before > 1 for before, after in pairwise(numbers))


@pytest.mark.parametrize(
    ("content", "message"), [("a b\nc\n\n", "empty line"), ("a\n\nb\n", "too short")]
)
@pytest.mark.parametrize("ready", [False, True])
def test_text_that_cannot_be_divided_by_article_is_refused_and_leaves_nothing(
    settings: CorpusSettings, tmp_path: Path, content: str, message: str, ready: bool
) -> None:
    file = tmp_path / "t.txt"
    file.write_text(content, encoding="utf-8")
    files = dict.fromkeys(SPLITS, file) if ready else {"file": file}
    source = {"kind": "text", "tokenised": True, **files}
    train = 2 if message == "empty line" else 3
    by_article = changed(settings, source=source, divide_by="article", train_sentences=train)
    outs = {split: tmp_path / "out" / split for split in SPLITS}
    with pytest.raises(UserError, match=rf"t\.txt.*{message}") as caught:
        write_splits(by_article, tmp_path, tmp_path / "unused", outs)
    assert "\n" not in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_cuts_that_leave_a_split_too_few_sentences_are_refused() -> None:
    # 12 sentences would be enough for 2 + 2 + 8, but each cut drops two.
    with pytest.raises(UserError, match=r"12 sentences of 3 articles.*`train`"):
        divide(sized("article", 2, 2, 8), stored([4, 4, 4]), Tally())
    with pytest.raises(UserError, match=r"`valid`"):
        divide(sized("article", 2, 2, None), stored([12]), Tally())


def test_a_text_and_its_numbers_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def failing() -> Iterator[Numbered]:
        yield "new", 0
        raise OSError("the disk is full")

    text = tmp_path / "train.tokens.txt"
    write_numbered([("old", 3), ("text", 4)], text)
    with pytest.raises(OSError, match="disk"):
        write_numbered(failing(), text)
    assert lines(text) == ["old", "text"]
    assert numbers_of(text) == [3, 4]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("bad", [None, b"none", np.zeros(4, np.int32), np.zeros(5, np.int64)])
def test_numbers_that_do_not_fit_the_sentences_are_refused(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare, bad: bytes | np.ndarray | None
) -> None:
    (tmp_path / "text.txt").write_text("".join(f"A word {i}.\n" for i in range(10)), "utf-8")
    directory = prepare(settings, tmp_path)
    assert load_corpus(directory).splits["train"].articles.shape == (5,)
    for file in (directory.split_articles("train"), directory.sentence_articles):
        file.unlink()
        if isinstance(bad, bytes):
            file.write_bytes(bad)
        elif bad is not None:
            np.save(file, bad)
    with pytest.raises(UserError, match=r"train\.articles\.npy"):
        load_corpus(directory)
    outs = {split: tmp_path / "out" / split for split in SPLITS}
    with pytest.raises(UserError, match=r"sentences\.articles\.npy"):
        write_splits(settings, tmp_path, directory.sentences, outs)
    assert not (tmp_path / "out").exists()


def test_which_sentences_are_one_document_decides_the_digest(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    corpora = []
    for name, text in (("one", "a\nb\nc\n"), ("two", "a\nb\n\nc\n")):
        files = {}
        for split in SPLITS:
            files[split] = tmp_path / f"{name}.{split}"
            files[split].write_text(text, encoding="utf-8")
        source = {"kind": "text", "tokenised": True, **files}
        corpora.append(load_corpus(prepare(changed(settings, source=source), tmp_path, name=name)))
    one, two = (corpus.splits["test"] for corpus in corpora)
    assert one.stream.tolist() == two.stream.tolist()
    assert (one.documents, two.documents) == (1, 2)
    assert corpora[0].digest != corpora[1].digest


def test_a_split_without_numbers_has_a_document_a_sentence() -> None:
    split = Split(np.zeros(6, np.int32), np.array([0, 2, 5]))
    assert split.documents == split.sentences == 2


def test_the_topic_of_every_sentence_is_that_of_its_article(
    own: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    directory = prepare(own, tmp_path)
    for split in SPLITS:
        topics = topics_of(directory, split)
        assert topics == [TOPICS[n % 3] or "" for n in numbers_of(directory.split(split))]
    rows = [json.loads(line) for line in lines(directory.articles)]
    assert ["topic" in row for row in rows] == [TOPICS[n % 3] is not None for n in range(ARTICLES)]


def test_a_corpus_without_topics_has_none_even_if_another_sources_articles_lie_there(
    own: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    prepare(own, tmp_path)
    (tmp_path / "ready.txt").write_text("a\nb\n", encoding="utf-8")
    ready = dict.fromkeys(SPLITS, tmp_path / "ready.txt")
    source = {"kind": "text", "tokenised": True, **ready}
    assert topics_of(prepare(changed(own, source=source), tmp_path), "test") is None
    rows: list[dict[str, object]] = [{"text": marked(n)} for n in range(ARTICLES)]
    file = write_jsonl(tmp_path / "plain.jsonl", rows)
    directory = prepare(changed(own, source={"kind": "text", "file": file}), tmp_path)
    assert topics_of(directory, "test") is None


def test_articles_that_do_not_fit_the_sentences_have_no_topics(
    own: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    directory = prepare(own, tmp_path)
    directory.articles.write_text(lines(directory.articles)[0] + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"train\.articles\.npy.*articles\.jsonl"):
        topics_of(directory, "train")
    directory.statistics.unlink()
    with pytest.raises(UserError, match=r"statistics\.json"):
        topics_of(directory, "train")


def test_summaries_have_their_topics(tmp_path: Path) -> None:
    row = {"title": "X", "extract": " A text. ", "description": "d", "topic": "Arts"}
    file = tmp_path / "summaries.json"
    file.write_text(json.dumps({"X": row}), encoding="utf-8")
    assert [(a.title, a.text, a.topic) for a in read_summaries(file)] == [("X", "A text.", "Arts")]


@pytest.mark.parametrize(
    ("topic", "kept"), [("Arts ", "Arts"), (" ", None), ("", None), (None, None)]
)
def test_a_users_topic_is_kept_where_there_is_one(
    settings: CorpusSettings, tmp_path: Path, topic: str | None, kept: str | None
) -> None:
    file = write_jsonl(tmp_path / "own.jsonl", [{"text": "A text.", "topic": topic}])
    out = tmp_path / "articles.jsonl"
    write_articles(changed(settings, source={"kind": "text", "file": file}), tmp_path, out, 1)
    assert json.loads(out.read_text(encoding="utf-8")).get("topic") == kept


@pytest.mark.parametrize("topic", [3, ["Arts"], True])
def test_a_topic_that_is_no_string_is_refused(
    settings: CorpusSettings, tmp_path: Path, topic: object
) -> None:
    rows: list[dict[str, object]] = [{"text": "A text."}, {"text": "A text.", "topic": topic}]
    file = write_jsonl(tmp_path / "own.jsonl", rows)
    source = {"kind": "text", "file": file}
    with pytest.raises(UserError, match=r"own\.jsonl, line 2: `topic`"):
        write_articles(changed(settings, source=source), tmp_path, tmp_path / "out", 1)
