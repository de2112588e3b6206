"""The Penn Treebank, in the three files that language models are compared on."""

from __future__ import annotations

from online_rnnlm.config.sources import PennTreebankSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.storage.records import CorpusSource


class Source(base.Source[PennTreebankSource]):
    """The user's files: tokenised, a sentence a line; nothing of them is changed."""

    tokenised = True

    def describe(self) -> CorpusSource:
        """Describe the treebank; the origin is the files' paths."""
        title = "Penn Treebank, Wall Street Journal"
        return self._described(title=title, licence="LDC User Agreement, LDC99T42")
