from collections.abc import Callable
from pathlib import Path

import pytest

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.download import fetch
from online_rnnlm.corpora.encoding import encode
from online_rnnlm.corpora.extraction import write_articles
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.splitting import write_splits
from online_rnnlm.corpora.tokenisation import write_sentences
from online_rnnlm.corpora.vocabulary import write_vocabulary
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory


@pytest.fixture
def settings(tmp_path: Path) -> CorpusSettings:
    """Settings of a corpus from a user's small text, with every word kept."""
    source = {"kind": "text", "file": tmp_path / "text.txt"}
    sizes = {"valid_sentences": 3, "test_sentences": 2}
    return CorpusSettings.model_validate(
        {"source": source, **sizes, "vocabulary": {"min_count": 1}, "classes": {"count": 3}}
    )


def _fetch(settings: CorpusSettings, folder: Path) -> None:
    for download in source_of(settings.source).downloads():
        fetch(download, folder)


def _prepare(
    settings: CorpusSettings, folder: Path, processes: int = 1, name: str = "small"
) -> CorpusDirectory:
    directory = CorpusDirectory(folder / name)
    steps: dict[str, Callable[[], None]] = {
        "fetch": lambda: _fetch(settings, folder),
        "articles": lambda: write_articles(settings, folder, directory.articles, processes),
        "sentences": lambda: write_sentences(
            settings, directory.articles, directory.sentences, processes
        ),
        "splits": lambda: write_splits(
            settings,
            folder,
            directory.sentences,
            {s: directory.split(s) for s in SPLITS},
            processes,
        ),
        "vocabulary": lambda: write_vocabulary(
            settings, directory.split("train"), directory.vocabulary
        ),
        "encode": lambda: encode(settings, name, directory),
    }
    for stage in source_of(settings.source).stages():
        steps[stage]()
    return directory


@pytest.fixture(scope="session")
def prepare() -> Callable[..., CorpusDirectory]:
    """A function that runs all stages of a corpus, one after the other."""
    return _prepare
