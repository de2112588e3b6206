"""Tests of the kinds of sources: one contract, and what is special of each."""

import bz2
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora import sources
from online_rnnlm.corpora.corpus import load_corpus, read_statistics
from online_rnnlm.corpora.planning import refuse_same_names
from online_rnnlm.corpora.records import SourceFile, SourceFiles
from online_rnnlm.corpora.sources.wikipedia_vital import read_summaries
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import RESOURCES, SPLITS
from tests.unit.corpora.http_server import Served
from tests.unit.corpora.small_corpora import as_parquet, dump, prepare, settings_of, write

THREE = {split: Path(f"{split}.txt") for split in SPLITS}
HUGGING_FACE = "https://huggingface.co/datasets/"


class Case(NamedTuple):
    """A source, and what it answers: its files, and a part of its origin."""

    settings: dict[str, Any]
    files: list[str]
    origin: str
    counted: bool = False
    """True if it counts articles."""
    ready: bool = False
    """True if its text is ready: it is not divided into sentences."""


CASES = [
    Case({"kind": "wikipedia-vital"}, ["d/summaries_en-us.json"], "ovos-skill", counted=True),
    Case(
        {"kind": "wikipedia-excerpt"},
        ["d/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"],
        "gensim==4.4.0",
        counted=True,
    ),
    Case(
        {"kind": "wikipedia"},
        [str(RESOURCES / "enwiki2014-sample.jsonl.xz")],
        "resources/enwiki2014-sample.jsonl.xz",
        counted=True,
    ),
    Case(
        {"kind": "wikipedia", "shard": 3},
        ["d/wikipedia-20231101-en-train-00003-of-00041.parquet"],
        "/20231101.en/train-00003-of-00041.parquet",
        counted=True,
    ),
    Case({"kind": "dump", "file": "a.xml"}, ["a.xml"], "a.xml", counted=True),
    Case(
        {"kind": "wikitext", "version": "wikitext-103"},
        [
            "d/wikitext-103-v1-train-00000-of-00002.parquet",
            "d/wikitext-103-v1-train-00001-of-00002.parquet",
            "d/wikitext-103-v1-validation-00000-of-00001.parquet",
            "d/wikitext-103-v1-test-00000-of-00001.parquet",
        ],
        f"{HUGGING_FACE}Salesforce/wikitext, revision",
        ready=True,
    ),
    Case({"kind": "text", "file": "a.txt"}, ["a.txt"], "a.txt"),
    Case({"kind": "text", "file": "a.jsonl.xz"}, ["a.jsonl.xz"], "a.jsonl", counted=True),
    Case({"kind": "text", "file": "a.txt", "tokenised": True}, ["a.txt"], "a.txt", ready=True),
    Case({"kind": "text", **THREE}, [*map(str, THREE.values())], "valid.txt", ready=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.settings))
def test_a_source_answers_without_being_read(case):
    settings = CorpusSettings.model_validate({"source": case.settings})
    made = sources.source_of(settings.source)
    assert made.skips_sentences is case.ready
    assert made.counts_articles() is case.counted
    assert [str(file) for file in made.files(Path("d"))] == case.files
    assert case.origin in made.describe().origin
    read = [file for split in made.text_files(Path("d")).values() for file in split]
    assert sorted(map(str, read)) == sorted(case.files) or not made.skips_sentences
    has_articles = not made.tokenised or settings.source.kind == "wikitext"
    assert (made.why_not(Path("a.jsonl")) is None) == has_articles


def test_patterns_are_files_in_the_order_of_their_names(tmp_path):
    for name in ("part2.txt", "part1.txt", "part10.txt", "more.txt"):
        write(tmp_path / name, "x")
    files = [tmp_path / name for name in ("part*.txt", "more.txt", "none*.txt")]
    settings = CorpusSettings.model_validate({"source": {"kind": "text", "file": files}})
    found = [
        f"{key} {file.name}" for key, file in sources.source_of(settings.source).files_by_key()
    ]
    assert found[:3] == [f"file[0] part{number}.txt" for number in (1, 10, 2)]
    assert found[3:] == ["file[1] more.txt", "file[2] none*.txt"]


ARTICLES = [
    {"title": f"T{number}", "text": f"The cat {number} sat here.\nIt saw {number} dogs there."}
    for number in range(20)
]


@pytest.mark.parametrize("kind", ["text", "dump"])
def test_a_file_and_an_address_give_the_same_text(tmp_path, server, kind):
    if kind == "dump":
        pages = [{"title": "T", "text": row["text"].replace("\n", "\n\n")} for row in ARTICLES]
        pages += [{"title": "Empty", "text": "{{x}}"}, {"title": "Talk:T", "text": "x", "ns": 1}]
        file = write(tmp_path / "a.xml.bz2", bz2.compress(dump(pages)))
    else:
        rows = [*ARTICLES, {"title": "", "text": " \n "}]
        file = write(tmp_path / "a.parquet", as_parquet(rows))
    content = file.read_bytes()
    server.files[file.name] = Served(content, breaks=1)
    server.files["sums"] = Served(f"{hashlib.sha1(content).hexdigest()}  {file.name}\n".encode())
    url = {"address": server.address(file.name), "checksums": server.address("sums")}
    digests = set()
    for name, place in (("file", {"file": file}), ("url", {"url": url})):
        settings = settings_of({"kind": kind, **place}, divide_by="article")
        directory = prepare(settings, tmp_path, name=name)
        found = read_statistics(directory)
        assert (found.articles, found.empty_articles, found.sentences_read) == (20, 1, 40)
        digests.add(load_corpus(directory).digest)
        [recorded] = records.read(SourceFiles, directory.source).files
        assert recorded.size == len(content)
    assert len(digests) == 1
    about = {"origin": url["address"], "sha256": hashlib.sha256(content).hexdigest()}
    assert recorded == SourceFile(name=file.name, size=len(content), **about)
    # A later stage fetches what has got lost since.
    (tmp_path / "downloads" / file.name).unlink()
    run_stage("articles", settings, directory, tmp_path / "downloads", {})
    assert (tmp_path / "downloads" / file.name).read_bytes() == content


def test_two_downloads_of_one_name_are_refused():
    def corpus(place: str, digit: str) -> CorpusSettings:
        url = {"address": f"http://x/{place}/a.txt", "sha256": digit * 64}
        return CorpusSettings.model_validate({"source": {"kind": "text", "url": url}})

    refuse_same_names({"one": corpus("here", "0"), "two": corpus("there", "0")})
    with pytest.raises(UserError, match=r"`corpora\.two\.source\.url\.name`: a\.txt: .*here"):
        refuse_same_names({"one": corpus("here", "0"), "two": corpus("there", "1")})


def test_no_more_of_wikipedia_is_read_than_needed(tmp_path):
    file = write(tmp_path / "a.jsonl", ARTICLES)
    words = 10 * len(ARTICLES[0]["text"].split())
    settings = settings_of({"kind": "wikipedia", "file": file, "words": words})
    assert read_statistics(prepare(settings, tmp_path)).articles == 10


def test_summaries_are_read_without_disambiguations(tmp_path):
    extracts = {"X": " A text. ", "Y": "Y may refer to: a, b", "Z": " "}
    rows = {key: {"title": key, "extract": e} for key, e in extracts.items()}
    file = write(tmp_path / "summaries.json", json.dumps(rows))
    assert [(a.title, a.text) for a in read_summaries(file)] == [("X", "A text.")]


WIKITEXT = [
    *("", "= Cat <unk> =", "", "The cat @-@ like 1 @,@ 000 dogs sat . It <unk> .", ""),
    *("= = Food = =", "", "It ate", "= 1 <unk> =", "fish !", "", ""),
    *("= Dogs =", "", "Dogs bark ?", ""),
]
"""16 lines of 36 words. A line in an article may look like a title, but none is empty before it."""


@pytest.mark.parametrize("form", ["tokens", "parquet"])
def test_wikitext_has_a_sentence_a_line(tmp_path, form):
    file = tmp_path / f"wiki.{form}"
    if form == "parquet":  # an empty line has no end there
        write(file, as_parquet([{"text": f" {line} \n" if line else ""} for line in WIKITEXT]))
    else:
        write(file, "".join(f" {line} \n" for line in WIKITEXT))
    source = {"kind": "wikitext", **dict.fromkeys(SPLITS, file)}
    directory = prepare(settings_of(source), tmp_path)
    assert directory.text("test").read_text().split("\n") == [*WIKITEXT, ""]
    splits = load_corpus(directory).splits
    assert splits["test"].articles.tolist() == [0] * 11 + [1] * 5
    found = read_statistics(directory)
    assert found.source.title == "WikiText-2"
    counts = found.splits["train"]
    assert (counts.sentences, counts.words, counts.tokens, counts.unk_tokens) == (16, 36, 52, 3)
    assert found.vocabulary_size == len({*" ".join(WIKITEXT).split(), "</s>"})
