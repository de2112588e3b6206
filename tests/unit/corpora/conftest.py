"""Fixtures for the tests of corpora."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.storage.paths import CorpusDirectory
from tests.unit.corpora.http_server import BadServer
from tests.unit.corpora.small_corpora import lines, settings_of, write


@pytest.fixture
def sentences(tmp_path: Path) -> Callable[..., list[str]]:
    """A function that divides and tokenises articles, a line each."""

    def run(text: str, folder: Path = tmp_path, **values: object) -> list[str]:
        directory = CorpusDirectory(folder / "corpus")
        write(directory.articles, [{"text": line} for line in text.split("\n")])
        settings = settings_of({"file": "unused"}, **{"min_tokens": 1, **values})
        run_stage("sentences", settings, directory, folder, {})
        return lines(directory.sentences)

    return run


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server that behaves badly."""
    with BadServer() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()
