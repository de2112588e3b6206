"""Small corpora: their settings, their files, and their preparation."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.corpora import run_stages
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.storage.paths import CorpusDirectory


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
