"""The Penn Treebank, in the three files that language models are compared on."""

from __future__ import annotations

from online_rnnlm.config.sources import PennTreebankSource
from online_rnnlm.corpora.sources import base


class Source(base.ReadySplits[PennTreebankSource]):
    """The user's files: tokenised, a sentence a line; nothing of them is changed."""

    def describe(self) -> base.Description:
        """Its name, its licence, and the files' paths."""
        licence = "LDC User Agreement, LDC99T42"
        return base.Description("Penn Treebank, Wall Street Journal", licence, self.places())
