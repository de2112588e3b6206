"""Fixtures that tests of several rooms share."""

import io
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from online_rnnlm.commands import _main as cli
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from tests.toy_texts import tokenised_sentences
from tests.unit.corpora.small_corpora import run_stages


@pytest.fixture(scope="session")
def make_corpus_directory(tmp_path_factory) -> Callable[..., CorpusDirectory]:
    """A function that prepares a small corpus from three files of a user, as the workflow does."""

    def make(seed: int = 0, article: int = 0, *, again: Sequence[str] = ()) -> CorpusDirectory:
        """Prepare a corpus; `article` is the number of sentences of each article, if not 0.

        The splits `again` are texts of another kind, too, named `<split>_again`.
        """
        folder: Path = tmp_path_factory.mktemp("corpus")
        chance = random.Random(seed)
        files = {}
        for split, number in zip(SPLITS, (300, 60, 50), strict=True):
            files[split] = folder / f"{split}-text.txt"
            lines = tokenised_sentences(chance, number)
            for begin in range(article, number, article + 1) if article else ():
                lines.insert(begin, "")  # an empty line ends an article
            files[split].write_text("\n".join(lines) + "\n", encoding="utf-8")
        source = {"kind": "text", "tokenised": True, **files}
        settings = CorpusSettings.model_validate(
            {"source": source, "vocabulary": {"min_count": 5}, "classes": {"count": 6}}
        )
        directory = CorpusDirectory(folder / "topics")
        others = {f"{split}_again": files[split] for split in again}
        run_stages(settings, directory, folder, other_texts=others)
        return directory

    return make


@pytest.fixture(scope="session")
def corpus_directory(make_corpus_directory) -> CorpusDirectory:
    """A small prepared corpus that tests must not change."""
    return make_corpus_directory()


@pytest.fixture(scope="session")
def documents_directory(make_corpus_directory) -> CorpusDirectory:
    """The same corpus in articles of seven sentences."""
    return make_corpus_directory(article=7)


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs the command; returns its status, output and messages."""

    def call(*arguments, text: str | bytes = ""):
        raw = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        found = capfd.readouterr()
        return SimpleNamespace(status=caught.value.code, out=found.out, err=found.err)

    return call


@pytest.fixture
def refused(run):
    """A function that runs a command which must be refused in one line; returns the line."""

    def call(*arguments, status: int = 1, text: str | bytes = "") -> str:
        found = run(*arguments, text=text)
        assert found.status == status, found.err
        [line] = found.err.splitlines()
        assert line.startswith("online-rnnlm: error: ")
        return line.removeprefix("online-rnnlm: error: ")

    return call


@pytest.fixture
def quick_graph(monkeypatch):
    """PyTensor compiles in a second instead of most of a minute, to slower code."""
    import pytensor  # noqa: PLC0415  # takes seconds
    from pytensor.tensor.subtensor import AdvancedIncSubtensor1  # noqa: PLC0415

    # Compiled code lacks this check; in Python it mistakes one row for broadcasting to a table.
    monkeypatch.setattr(AdvancedIncSubtensor1, "_check_runtime_broadcasting", lambda *_: None)
    # A scan compiles its inner function for itself, to slow code unless there is a C++ compiler.
    monkeypatch.setattr(pytensor, "scan", partial(pytensor.scan, mode="FAST_COMPILE"))
    # Notes of where each node was made take time, too.
    with pytensor.config.change_flags(mode="FAST_COMPILE", traceback__limit=0):
        yield
