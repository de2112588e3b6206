"""WikiText-2 and WikiText-103, raw: whole articles of Wikipedia, tokenised, in three splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from online_rnnlm.config.sources import WikitextSource
from online_rnnlm.corpora.remote import RemoteFile, on_hugging_face
from online_rnnlm.corpora.sources import base
from online_rnnlm.storage.paths import SPLITS

if TYPE_CHECKING:
    from online_rnnlm.corpora.numbering import Numbered

_DATA_SET, _REVISION = "Salesforce/wikitext", "b08601e04326c79dfdd32d625aee71d232d685c3"
_FILES = {
    "wikitext-2": {"train": 1, "validation": 1, "test": 1},
    "wikitext-103": {"train": 2, "validation": 1, "test": 1},
}
"""Number of files of each split, by version."""


class Source(base.ReadySplits[WikitextSource]):
    """The files at their pinned addresses, or the user's own; headings divide articles."""

    def downloads(self) -> Sequence[RemoteFile]:
        """The Parquet files of all splits, unless the user has files."""
        return [file for files in self._remote().values() for file in files]

    def text_files(self, downloads: Path) -> base.Files:
        """The files of each split."""
        remote = self._remote()
        if remote:
            return {split: [file.path(downloads) for file in remote[split]] for split in SPLITS}
        return super().text_files(downloads)

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences; the headings of articles divide them."""
        from online_rnnlm.corpora.wikitext import read_wikitext

        return read_wikitext(files, plain_marks=self.settings.plain_marks)

    def why_not(self, file: Path) -> str | None:
        """None: files with articles are read, too."""
        return None

    def _remote(self) -> dict[str, list[RemoteFile]]:
        """Return the downloads of each split; none if the user has files."""
        if self.settings.train is not None:
            return {}
        version = self.settings.version
        names = {"train": "train", "valid": "validation", "test": "test"}
        return {split: _shards(version, name) for split, name in names.items()}

    def describe(self) -> base.Description:
        """Its name and licence, and the data set or the files' paths."""
        title = f"WikiText-{self.settings.version.rpartition('-')[2]}, raw"
        data_set = f"https://huggingface.co/datasets/{_DATA_SET}, revision {_REVISION}"
        origin = data_set if self.settings.train is None else self.places()
        return base.Description(title, "CC BY-SA 3.0, GFDL", origin)


def _shards(version: str, name: str) -> list[RemoteFile]:
    number = _FILES[version][name]
    files = [f"{name}-{index:05}-of-{number:05}.parquet" for index in range(number)]
    return [
        on_hugging_face(_DATA_SET, _REVISION, f"{version}-raw-v1/{file}", f"{version}-{file}")
        for file in files
    ]
