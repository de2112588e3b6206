"""The stages of a corpus's preparation, and the first two: files of the source, and articles.

What takes time to load is imported where a stage runs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.records import Counts, SourceFile, SourceFiles
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.textfiles import unchanged
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import CorpusDirectory

logger = logging.getLogger(__name__)
EMPTY = "empty"
NO_ARTICLE = "no article, or only empty ones; redirects and other pages of a dump are none"
Stage = Literal["fetch", "articles", "sentences", "encode"]
"""The stages, in their order."""
OtherTexts = Mapping[str, Path]
"""The files of texts of another kind, by name; a corpus's networks are tested on them, too."""
_NONE: OtherTexts = MappingProxyType({})


def run_stage(
    stage: Stage,
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    sums: Mapping[str, str],
    processes: int = 1,
    other_texts: OtherTexts = _NONE,
) -> None:
    """Run a stage; `downloads` is the folder of downloads. Raises UserError if it fails.

    `sums` are those of the user's files when the experiment was planned, by path: a text that has
    changed since then is refused. The result does not depend on the number of processes.
    """
    now = [*source_of(settings.source).user_files(), *other_texts.values()]
    if gone := sums.keys() - set(map(str, now)):
        raise UserError(f"{min(gone)}: is gone since this start: start the experiment again")
    match stage:
        case "fetch":
            _fetch(settings, directory, downloads, sums)
        case "articles":
            _write_articles(settings, directory, downloads, sums, processes)
        case "sentences":
            from online_rnnlm.corpora.sentences import write_sentences  # noqa: PLC0415

            write_sentences(settings, directory, processes)
        case "encode":
            from online_rnnlm.corpora.encoding import encode  # noqa: PLC0415

            encode(settings, directory, downloads, sums, processes, other_texts)


def _fetch(
    settings: CorpusSettings, directory: CorpusDirectory, downloads: Path, sums: Mapping[str, str]
) -> None:
    """Download a source's files, unless they are there, and record all files that it is read from.

    Raises UserError if a download fails.
    """
    source = source_of(settings.source)
    files = []
    for download, file in zip(source.downloads(), source.fetch(downloads), strict=True):
        about = {"origin": download.origin, "sha256": sha256_of(file)}
        files.append(SourceFile(name=download.name, size=file.stat().st_size, **about))
    own = source.user_files()
    with unchanged(own, sums):
        for file in own:
            size = file.stat().st_size
            files.append(SourceFile(name=str(file), sha256=sums[str(file)], size=size))
    records.write(directory.source, SourceFiles(files=tuple(files)))


def _write_articles(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    sums: Mapping[str, str],
    processes: int,
) -> None:
    """Write the source's articles, one JSON object per line; those without text are counted.

    Raises UserError if the source is missing, is damaged or has no article.
    """
    source = source_of(settings.source)
    source.fetch(downloads)
    read = 0
    kept = 0
    with replacing(directory.articles) as temporary, temporary.open("w", encoding="utf-8") as file:
        with unchanged(source.user_files(), sums):
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
