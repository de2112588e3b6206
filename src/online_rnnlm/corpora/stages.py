"""The stages of a corpus's preparation, and the first two: files of the source, and articles.

The workflow imports this module to plan its jobs, so what takes time to load is imported where a
stage runs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.records import Counts, SourceFile, SourceFiles
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory

logger = logging.getLogger(__name__)
EMPTY = "empty"
NO_ARTICLE = "no article, or only empty ones; redirects and other pages of a dump are none"
SETTINGS = {
    "fetch": ("source",),
    "articles": ("source",),
    "sentences": ("language", "nfc", "lowercase", "min_tokens", "max_tokens", "too_long"),
    "encode": tuple(CorpusSettings.model_fields),
}
"""All stages, in order, each with the settings that it reads."""
OtherTexts = Mapping[str, Path]
"""The files of texts of another kind, by name; a corpus's networks are tested on them, too."""
_NONE: OtherTexts = MappingProxyType({})
_MB = 1e6


class Stage(NamedTuple):
    """A stage of a corpus's preparation."""

    name: str
    inputs: list[Path]
    """The files that it reads.

    Downloads are not among them: they lie in a folder that experiments share, and a stage that
    reads them fetches again what is missing.
    """
    outputs: list[Path]
    """The files that it makes."""
    settings: str
    """The settings that its outputs depend on, as JSON that Snakemake compares."""
    parallel: bool
    """True if its work is divided among processes."""

    def input_mb(self) -> float:
        """Return the size of the text that it reads, in MB.

        Raises FileNotFoundError if an earlier stage has not finished; Snakemake asks again later.
        """
        sizes = [file.stat().st_size for file in self.inputs]
        if self.inputs and self.inputs[0].name == "source.json":
            sizes = [file.size for file in records.read(SourceFiles, self.inputs[0]).files]
        return sum(sizes) / _MB


def stages_of(
    settings: CorpusSettings, directory: CorpusDirectory, other_texts: OtherTexts = _NONE
) -> list[Stage]:
    """Return the stages that a corpus's text goes through, in order; a ready text skips two."""
    source = source_of(settings.source)
    counts = [directory.counts(stage) for stage in ("articles", "sentences")]
    inputs = {
        "fetch": [file for _, file in source.user_files()],
        "articles": [directory.source],
        "sentences": [directory.articles],
        "encode": [
            *(directory.sentences, directory.sentence_articles, directory.sentence_splitter),
            *counts,
        ],
    }
    if source.ready:
        inputs = {"fetch": inputs["fetch"], "encode": [directory.source]}
    inputs["encode"] += other_texts.values()
    told = {name: settings.model_dump(mode="json", include=set(SETTINGS[name])) for name in inputs}
    if other_texts:
        told["encode"]["other_texts"] = {text: str(file) for text, file in other_texts.items()}
    # A ready text may have to be tokenised.
    parallel = {"articles", "sentences", *(["encode"] if source.ready else [])}
    return [
        Stage(
            name,
            read,
            outputs_of(name, directory, other_texts),
            json.dumps(told[name]),
            name in parallel and not source.tokenised,
        )
        for name, read in inputs.items()
    ]


def outputs_of(
    stage: str, directory: CorpusDirectory, other_texts: Iterable[str] = ()
) -> list[Path]:
    """Return the files that a stage makes, which are the same for every corpus."""
    return {
        "fetch": [directory.source],
        "articles": [directory.articles, directory.counts(stage)],
        "sentences": [
            directory.sentences,
            directory.sentence_articles,
            directory.sentence_splitter,
            directory.counts(stage),
        ],
        "encode": [
            directory.statistics,
            directory.splitter,
            *directory.encoded_files(other_texts),
            *(directory.tokens(split) for split in HELD_OUT),
        ],
    }[stage]


def run_stage(
    stage: str,
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    processes: int = 1,
    other_texts: OtherTexts = _NONE,
) -> None:
    """Run a stage; `downloads` is the folder of downloads. Raises UserError if it fails.

    The result does not depend on the number of processes.
    """
    if stage == "fetch":
        _fetch(settings, directory, downloads)
    elif stage == "articles":
        _write_articles(settings, directory, downloads, processes)
    elif stage == "sentences":
        from online_rnnlm.corpora.sentences import write_sentences  # noqa: PLC0415

        write_sentences(settings, directory, processes)
    else:
        from online_rnnlm.corpora.encoding import encode  # noqa: PLC0415

        encode(settings, directory, downloads, processes, other_texts)


def _fetch(settings: CorpusSettings, directory: CorpusDirectory, downloads: Path) -> None:
    """Download a source's files, unless they are there, and record all files that it is read from.

    The sha256 of the user's own files is not computed: the workflow sees by their times that they
    have changed, and they may be long. Raises UserError if a download fails.
    """
    source = source_of(settings.source)
    files = []
    for download, file in zip(source.downloads(), source.fetch(downloads), strict=True):
        about = {"origin": download.origin, "sha256": sha256_of(file)}
        files.append(SourceFile(name=download.name, size=file.stat().st_size, **about))
    for _, file in source.user_files():
        files.append(SourceFile(name=str(file), size=file.stat().st_size))
    records.write(directory.source, SourceFiles(files=tuple(files)))


def _write_articles(
    settings: CorpusSettings, directory: CorpusDirectory, downloads: Path, processes: int
) -> None:
    """Write the source's articles, one JSON object per line; those without text are counted.

    Raises UserError if the source is missing, is damaged or has no article.
    """
    source = source_of(settings.source)
    source.fetch(downloads)
    read = 0
    kept = 0
    with replacing(directory.articles) as temporary, temporary.open("w", encoding="utf-8") as file:
        for article in source.articles(downloads, processes):
            read += 1
            if article.text:
                row = {"title": article.title, "text": article.text}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                kept += 1
        if not kept:
            raise UserError(f"{source.describe().origin}: no text in it: {NO_ARTICLE}")
    counts = Counts(read=read, dropped={EMPTY: read - kept} if read > kept else {})
    records.write(directory.counts("articles"), counts)
    logger.info("articles: %s", counts)
