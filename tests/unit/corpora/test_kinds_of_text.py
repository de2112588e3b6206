"""Tests of the sources that read files: WikiText, the Penn Treebank, Wikipedia, dumps, patterns."""

from __future__ import annotations

import bz2
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.wikitext import read_wikitext
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from tests.unit.corpora.http_server import BadServer, Served, bad_server
from tests.unit.corpora.test_dump import dump

Prepare = Callable[..., CorpusDirectory]

ARTICLES = [
    {"title": f"T{number}", "text": f"The cat {number} sat here.\nIt saw {number} dogs there."}
    for number in range(20)
]
WIKITEXT = "\n".join(
    [
        *("", " = Cats = ", " "),
        ' The cat @-@ like 1 @,@ 000 dogs sat . It " slept . " Then it ran ',
        *(" ", "  = = Food = = ", " ", " It ate <unk> fish ! ", " "),
        *(" = Dogs = ", " ", " Dogs bark ? Yes . ", ""),
    ]
)


@pytest.fixture
def server() -> Iterator[BadServer]:
    with bad_server() as made:
        yield made


def corpus(source: dict[str, object], **values: object) -> CorpusSettings:
    sizes = {"valid_sentences": 3, "test_sentences": 2, "classes": {"count": 3}}
    vocabulary = {"vocabulary": {"min_count": 1}}
    return CorpusSettings.model_validate({"source": source, **sizes, **vocabulary, **values})


def write_parquet(file: Path, rows: list[dict[str, str]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), file)
    return file


def write_jsonl(file: Path, rows: list[dict[str, str]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


@pytest.fixture(params=["raw", "parquet", "jsonl"])
def wikitext(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Path]:
    files = {}
    for split in SPLITS:
        if request.param == "raw":
            files[split] = tmp_path / f"wiki.{split}.raw"
            files[split].write_text(WIKITEXT, encoding="utf-8")
        else:
            rows = [{"text": f"{line}\n"} for line in WIKITEXT.split("\n")]
            write_rows = write_parquet if request.param == "parquet" else write_jsonl
            files[split] = write_rows(tmp_path / f"{split}.{request.param}", rows)
    return files


@pytest.mark.parametrize("plain", [True, False])
def test_wikitext_has_articles_and_sentences(
    wikitext: dict[str, Path], tmp_path: Path, prepare: Prepare, plain: bool
) -> None:
    settings = corpus({"kind": "wikitext", "plain_marks": plain, **wikitext})
    directory = prepare(settings, tmp_path)
    first = "The cat-like 1,000 dogs sat ." if plain else "The cat @-@ like 1 @,@ 000 dogs sat ."
    assert lines(directory.split("test")) == [
        *(first, 'It " slept . "', "Then it ran", "It ate <unk> fish !", "Dogs bark ?", "Yes .")
    ]
    assert load_corpus(directory).splits["test"].articles.tolist() == [0, 0, 0, 0, 1, 1]
    statistics = read_json(directory.statistics)
    assert statistics["source"]["title"] == "WikiText-2, raw"
    assert statistics["sentences_read"] == 18
    assert statistics["dropped"] == {}
    assert statistics["splits"]["test"]["in_train"] == 6


def test_what_stands_before_the_first_heading_is_an_article_of_its_own(tmp_path: Path) -> None:
    files = [tmp_path / "one.raw", tmp_path / "two.raw"]
    files[0].write_text(" a b .\n = One = \n c d .\n e .\n", encoding="utf-8")
    files[1].write_text(" f .\n = Two = \n g .\n", encoding="utf-8")
    found = list(read_wikitext(files, plain_marks=False))
    assert found == [("a b .", 0), ("c d .", 1), ("e .", 1), ("f .", 2), ("g .", 3)]


def test_wikitext_comes_from_its_pinned_addresses() -> None:
    source = source_of(corpus({"kind": "wikitext", "version": "wikitext-103"}).source)
    names = [download.name for download in source.downloads()]
    assert names == [
        "wikitext-103-train-00000-of-00002.parquet",
        "wikitext-103-train-00001-of-00002.parquet",
        "wikitext-103-validation-00000-of-00001.parquet",
        "wikitext-103-test-00000-of-00001.parquet",
    ]
    found = source.text_files(Path("d"))
    assert [len(found[split]) for split in SPLITS] == [2, 1, 1]
    assert source.stages() == ("fetch", "splits", "vocabulary", "encode")


def test_the_penn_treebank_stays_as_it_is(tmp_path: Path, prepare: Prepare) -> None:
    files = {}
    for split in SPLITS:
        files[split] = tmp_path / f"ptb.{split}.txt"
        files[split].write_text(" no it was n't <unk> monday \n N N years \n", encoding="utf-8")
    directory = prepare(corpus({"kind": "penn-treebank", **files}), tmp_path)
    assert lines(directory.text("test")) == ["no it was n't <unk> monday", "N N years"]
    statistics = read_json(directory.statistics)
    assert statistics["vocabulary_size"] == 9  # with `</s>`
    assert statistics["splits"]["test"]["unk_tokens"] == 1
    assert "LDC" in statistics["source"]["licence"]


@pytest.mark.parametrize("kind", ["text", "wikipedia"])
def test_articles_are_the_same_from_any_file_and_any_place(
    tmp_path: Path, prepare: Prepare, server: BadServer, kind: str
) -> None:
    jsonl = write_jsonl(tmp_path / "a.jsonl", ARTICLES)
    rows = write_parquet(tmp_path / "a.parquet", ARTICLES)
    server.files["a.parquet"] = Served(rows.read_bytes(), breaks=1)
    url = {
        "address": server.address("a.parquet"),
        "sha256": hashlib.sha256(rows.read_bytes()).hexdigest(),
    }
    digests = set()
    for name, place in (
        ("jsonl", {"file": jsonl}),
        ("parquet", {"file": rows}),
        ("url", {"url": url}),
    ):
        settings = corpus({"kind": kind, **place}, divide_by="article")
        directory = prepare(settings, tmp_path, name=name)
        digests.add(load_corpus(directory).digest)
        assert read_json(directory.statistics)["articles"] == len(ARTICLES)
    assert len(digests) == 1
    assert (tmp_path / "a.parquet").is_file()


def test_no_more_of_wikipedia_is_read_than_needed(tmp_path: Path, prepare: Prepare) -> None:
    file = write_parquet(tmp_path / "a.parquet", [*ARTICLES, {"title": "x", "text": ""}])
    words = 10 * len(str(ARTICLES[0]["text"]).split())
    directory = prepare(corpus({"kind": "wikipedia", "file": file, "words": words}), tmp_path)
    assert read_json(directory.statistics)["articles"] == 10


def test_wikipedia_comes_from_its_pinned_address() -> None:
    source = source_of(corpus({"kind": "wikipedia", "shard": 3}).source)
    [download] = source.downloads()
    assert download.origin.endswith("/20231101.en/train-00003-of-00041.parquet")
    assert source.describe().licence == "CC BY-SA 3.0, GFDL"


def test_several_files_and_patterns_are_one_text(tmp_path: Path, prepare: Prepare) -> None:
    for number in (2, 1, 10):
        (tmp_path / f"part{number}.txt").write_text(
            "".join(f"w{number} s{i}\n" for i in range(4)), encoding="utf-8"
        )
    (tmp_path / "more.txt").write_text("more s0\nmore s1\n", encoding="utf-8")
    files = [tmp_path / "part*.txt", tmp_path / "more.txt"]
    source = {"kind": "text", "file": files, "tokenised": True}
    assert [file.name for file in source_of(corpus(source).source).files(tmp_path)] == [
        *("part1.txt", "part10.txt", "part2.txt", "more.txt")
    ]
    directory = prepare(corpus(source, divide_by="article"), tmp_path)
    statistics = read_json(directory.statistics)
    kept = sum(split["sentences"] for split in statistics["splits"].values())
    assert statistics["sentences_read"] == 14 == kept + sum(statistics["dropped"].values())
    assert set(statistics["dropped"]) == {"cut off with an article"}


def test_a_pattern_without_files_is_no_file(tmp_path: Path) -> None:
    source = source_of(corpus({"kind": "text", "file": [tmp_path / "none*.txt", "a.txt"]}).source)
    assert source.user_files()[0] == ("file[0]", tmp_path / "none*.txt")


@pytest.mark.parametrize("column", ["text", "words"])
def test_a_parquet_file_needs_a_column_of_texts(
    tmp_path: Path, prepare: Prepare, column: str
) -> None:
    file = tmp_path / "a.parquet"
    parquet.write_table(pa.table({column: [["a", "b"]]}), file)
    expected = "row 1: a string `text`" if column == "text" else "a column `text`.*words"
    with pytest.raises(UserError, match=rf"a\.parquet.*{expected}"):
        prepare(corpus({"kind": "text", "file": file}), tmp_path)


def test_two_columns_of_texts_are_one_too_many(tmp_path: Path, prepare: Prepare) -> None:
    columns = [pa.array(["a b c."]), pa.array(["d e f."])]
    parquet.write_table(pa.table(columns, names=["text", "text"]), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: has 2 columns `text`"):
        prepare(corpus({"kind": "text", "file": tmp_path / "a.parquet"}), tmp_path)


def test_empty_articles_are_counted(tmp_path: Path, prepare: Prepare) -> None:
    rows = [*ARTICLES, {"title": "none", "text": " \n "}]
    directory = prepare(
        corpus({"kind": "text", "file": write_jsonl(tmp_path / "a.jsonl", rows)}), tmp_path
    )
    assert read_json(directory.statistics)["empty_articles"] == 1


def test_only_spaces_and_tabs_divide_tokenised_text(tmp_path: Path, prepare: Prepare) -> None:
    words = ["a\u00a0b", "c\u3000d", "e\u2028f", "g\x85h", "i\x0cj", "x<UNK>y"]
    files = {}
    for split in SPLITS:
        files[split] = tmp_path / split
        files[split].write_text("\t ".join(words) + " <UNK> \n", encoding="utf-8")
    directory = prepare(corpus({"kind": "text", "tokenised": True, **files}), tmp_path)
    assert directory.split("test").read_text(encoding="utf-8") == " ".join([*words, "<unk>"]) + "\n"


def test_what_is_no_file_is_said(tmp_path: Path, prepare: Prepare) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    for name, what in (
        ("pipe", "is not a regular file"),
        ("dangling", "is a link that leads to no file"),
        ("loop", "is a link that leads to no file"),
        (".", "is a directory"),
        ("none", "no such file"),
    ):
        with pytest.raises(UserError, match=rf"{name}: {what}"):
            prepare(corpus({"kind": "text", "file": tmp_path / name}), tmp_path)


def test_a_dump_is_the_same_from_a_path_and_an_address(
    tmp_path: Path, prepare: Prepare, server: BadServer
) -> None:
    pages: list[dict[str, object]] = [
        {"title": f"T{n}", "text": f"The [[cat]] {n} sat here.\n\nIt saw {n} dogs there."}
        for n in range(9)
    ]
    pages.append({"title": "Empty", "text": "{{template}}"})
    pages.append({"title": "Talk:T1", "text": "This is no article.", "ns": 1})
    content = bz2.compress(dump(pages))
    (tmp_path / "own.xml.bz2").write_bytes(content)
    server.files["some.xml.bz2"] = Served(content, breaks=1)
    sums = f"{hashlib.sha1(content).hexdigest()}  some.xml.bz2\n"
    server.files["sha1sums.txt"] = Served(sums.encode())
    url = {"address": server.address("some.xml.bz2"), "checksums": server.address("sha1sums.txt")}
    found = []
    for name, place in (("path", {"file": tmp_path / "own.xml.bz2"}), ("url", {"url": url})):
        settings = corpus({"kind": "dump", "title": "Some wiki", "licence": "CC0", **place})
        directory = prepare(settings, tmp_path, name=name)
        statistics = read_json(directory.statistics)
        assert (statistics["articles"], statistics["empty_articles"]) == (9, 1)
        assert (statistics["source"]["title"], statistics["source"]["licence"]) == (
            "Some wiki",
            "CC0",
        )
        found.append(statistics["digest"])
    assert found[0] == found[1]
