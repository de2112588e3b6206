"""Tests in Snakemake of a text at an address."""

import hashlib
import json

import pytest

from tests.unit.corpora.http_server import Served, bad_server

ARTICLES = "".join(
    json.dumps({"title": f"T{n}", "text": f"The cat {n} sat here.\nIt saw {n} dogs there."}) + "\n"
    for n in range(30)
).encode()


@pytest.fixture
def server():
    with bad_server() as made:
        yield made


def configure(project, server):
    sha256 = hashlib.sha256(ARTICLES).hexdigest()
    url = {"address": server.address("texts/own.jsonl"), "sha256": sha256}
    sizes = {"valid_sentences": 5, "test_sentences": 5, "classes": {"count": 3}}
    own = {"source": {"kind": "text", "url": url}, "vocabulary": {"min_count": 1}, **sizes}
    rows = [{"hidden_size": 4}]
    file = project.configure(
        experiment="tiny",
        downloads="texts",
        corpora={"own": own},
        rows=rows,
    )
    return ("--cores", "1", "--until", "encode", "--configfile", file)


def statistics(project):
    [file] = project.path.glob("results/tiny/corpora/own-*/statistics.json")
    return json.loads(file.read_text(encoding="utf-8"))


def test_it_is_fetched_once_and_again_by_the_stage_that_misses_it(project, server):
    server.files["texts/own.jsonl"] = Served(ARTICLES, breaks=1)
    arguments = configure(project, server)
    project.succeed(*arguments)
    file = project.path / "texts" / "own.jsonl"
    assert file.read_bytes() == ARTICLES
    made = statistics(project)
    assert made["source"]["origin"] == server.address("texts/own.jsonl")
    assert (made["articles"], made["sentences_read"]) == (30, 60)
    # Experiments share it, so it is no output: Snakemake neither deletes it nor misses it.
    project.succeed(*arguments, "--delete-all-output")
    assert file.read_bytes() == ARTICLES
    asked = server.asked.total()
    project.succeed(*arguments)
    assert server.asked.total() == asked
    file.unlink()
    assert project.planned(*arguments) == {}
    project.succeed(*arguments, "--forcerun", "fetch")
    assert server.asked.total() == asked + 1
    assert statistics(project) == made
