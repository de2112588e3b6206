"""Tests that a text that changes after a start is never stored under the digits of the old one."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from online_rnnlm.corpora.planning import plan
from online_rnnlm.corpora.textfiles import OPENERS
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory

RESULTS = "results/x"
TEXT = "the cat sees the hen\nthe hen sees the cat\n\na hen meets the old cat\n" * 9
RAW = {"file": "own.txt"}
WHOLE = {"file": "own.txt", "tokenised": True}
SEVERAL = {"file": "o*.txt", "tokenised": True}
READY = {"train": "train.txt", "valid": "valid.txt", "test": "own.txt"}
NAMES = ("own", "train", "valid", "guide")


@pytest.fixture
def start(tmp_path, monkeypatch) -> Callable[[dict[str, object]], CorpusDirectory]:
    """A function that plans an experiment with a source of text; returns its corpus's folder."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(f"{name}.txt").write_text(TEXT, encoding="utf-8")

    def begin(source: dict[str, object]) -> CorpusDirectory:
        sizes = {"valid_sentences": 3, "test_sentences": 2, "vocabulary": {"min_count": 1}}
        corpus = {"source": {"kind": "text", **source}, **sizes, "classes": {"count": 2}}
        values = {
            "experiment": "x",
            "corpora": {"own": corpus},
            "rows": [{"hidden_size": 4}],
            "testing": {"other_texts": {"guide": "guide.txt"}},
        }
        planned = plan(values, "a.yaml")
        directory = ExperimentDirectory(Path(RESULTS))
        write_json(directory.configuration, planned.model_dump(mode="json"))
        return directory.corpus(planned.digits.folder_of("own"))

    return begin


@pytest.mark.parametrize(
    ("source", "before", "stage", "changed"),
    [
        (RAW, (), "fetch", "own.txt"),
        (RAW, ("fetch",), "articles", "own.txt"),
        (WHOLE, ("fetch",), "encode", "own.txt"),
        (READY, ("fetch",), "encode", "valid.txt"),
        (RAW, ("fetch", "articles", "sentences"), "encode", "guide.txt"),
        (SEVERAL, ("fetch",), "encode", "other.txt"),
    ],
)
def test_a_text_that_has_changed_since_the_start_is_refused(
    start, run, refused, source, before, stage, changed
):
    corpus = start(source)
    of_corpus = (RESULTS, "--corpus", corpus.path.name)
    for earlier in before:
        assert run(earlier, *of_corpus).status == 0
    made = {*corpus.path.glob("*")}
    with Path(changed).open("a", encoding="utf-8") as file:
        file.write("one more sentence in it\n")
    said = refused(stage, *of_corpus)
    assert said == f"{changed}: has changed since this start: start the experiment again"
    assert {*corpus.path.glob("*")} == made


def test_a_file_of_several_that_is_gone_is_missed(start, refused):
    Path("other.txt").write_text(TEXT, encoding="utf-8")
    corpus = start(SEVERAL)
    Path("other.txt").unlink()
    said = refused("fetch", RESULTS, "--corpus", corpus.path.name)
    assert said == "other.txt: is gone since this start: start the experiment again"


@pytest.mark.parametrize(
    ("source", "before", "stage"),
    [(RAW, ("fetch",), "articles"), (WHOLE, ("fetch",), "encode"), (READY, ("fetch",), "encode")],
)
def test_a_text_that_changes_while_it_is_read_is_refused(
    start, run, monkeypatch, source, before, stage
):
    def change_after_reading(path: Path, mode: str) -> io.BytesIO:
        content = path.read_bytes()
        if path.name == "own.txt":
            path.write_bytes(content + b"one more sentence in it\n")
        return io.BytesIO(content)

    corpus = start(source)
    of_corpus = (RESULTS, "--corpus", corpus.path.name)
    for earlier in before:
        assert run(earlier, *of_corpus).status == 0
    monkeypatch.setitem(OPENERS, ".txt", change_after_reading)
    said = run(stage, *of_corpus)
    assert said.status == 1
    assert "own.txt: has changed since this start: start the experiment again\n" in said.err
    assert not corpus.articles.exists() and not corpus.statistics.exists()
