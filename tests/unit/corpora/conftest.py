"""Fixtures for the tests of corpora."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from benchmarks.corpora import run_stages
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.storage.paths import CorpusDirectory
from tests.unit.corpora.http_server import BadServer


def settings_of(source: Mapping[str, object], **values: object) -> CorpusSettings:
    """Settings of a small corpus with every word kept; a source is of the kind `text`."""
    sizes = {"valid_sentences": 3, "test_sentences": 2, "vocabulary": {"min_count": 1}}
    source = {"kind": "text", **source}
    return CorpusSettings.model_validate(
        {"source": source, **sizes, "classes": {"count": 3}, **values}
    )


def prepare(
    settings: CorpusSettings,
    folder: Path,
    processes: int = 1,
    name: str = "small",
    **other_texts: Path,
) -> CorpusDirectory:
    """Run all stages of a corpus in `folder`, which has the downloads, too."""
    directory = CorpusDirectory(folder / name)
    run_stages(settings, directory, folder / "downloads", processes, other_texts)
    return directory


@pytest.fixture
def sentences(tmp_path: Path) -> Callable[..., list[str]]:
    """A function that divides and tokenises articles, a line each."""

    def run(text: str | bytes, folder: Path = tmp_path, **values: object) -> list[str]:
        directory = CorpusDirectory(folder / "corpus")
        directory.path.mkdir(parents=True, exist_ok=True)
        raw = text.encode() if isinstance(text, str) else text
        lines = (json.dumps({"text": line}) for line in raw.decode().split("\n"))
        directory.articles.write_text("\n".join(lines), "utf-8")
        settings = settings_of({"file": "unused"}, **{"min_tokens": 1, **values})
        run_stage("sentences", settings, directory, folder)
        return directory.sentences.read_text(encoding="utf-8").removesuffix("\n").split("\n")

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


def write(file: Path, content: str | bytes | Iterable[Mapping[str, object]]) -> Path:
    """Write a text, bytes, or a JSON object per line."""
    if not isinstance(content, str | bytes):
        content = "".join(json.dumps(row) + "\n" for row in content)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def lines(file: Path) -> list[str]:
    """Read the lines of a text."""
    return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
