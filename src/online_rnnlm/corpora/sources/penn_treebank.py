"""The Penn Treebank, in the three files that language models are compared on."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.config.sources import PennTreebankSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.users_files import expanded, named
from online_rnnlm.storage.paths import SPLITS


class Source(base.Source[PennTreebankSource]):
    """The user's files: tokenised, a sentence a line; nothing of them is changed."""

    def user_files(self) -> list[tuple[str, Path]]:
        """The settings `train`, `valid` and `test`."""
        return named(self.settings, SPLITS)

    @property
    def ready(self) -> bool:
        """True: the splits are known."""
        return True

    def text_files(self, downloads: Path) -> base.Files:
        """The files of each split."""
        return {split: expanded(getattr(self.settings, split)) for split in SPLITS}

    def describe(self) -> base.Description:
        """Its name, its licence, and the files' paths."""
        files = ", ".join(str(file) for _, file in self.user_files())
        licence = "LDC User Agreement, LDC99T42"
        return base.Description("Penn Treebank, Wall Street Journal", licence, files)
