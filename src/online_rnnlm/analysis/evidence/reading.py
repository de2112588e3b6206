"""The results that a folder of evidence keeps, read as those of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from online_rnnlm.analysis.evidence.folder import EvidenceFolder, TestedText
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.scores import UnitScores
from online_rnnlm.analysis.significance import (
    Pieces,
    articles_are_known,
    kind_of_pieces,
    pieces_of,
)
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError


@dataclass(frozen=True)
class KeptScores(UnitScores):
    """The log-probabilities that a folder of evidence keeps of each article, sentence or block."""

    directory: EvidenceFolder
    corpora: Mapping[str, Statistics]
    runs: Mapping[str, str]
    """A run on each corpus, by which the units of its texts are counted."""
    kept: Mapping[str, Mapping[TestedText, pd.DataFrame]]
    """By run, `tokens` and `log_probability` of the units of each text."""

    def of_units(self, run: str, evaluation: str, text: str) -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each article, sentence or block of a text.

        Raises UserError if the evidence has none.
        """
        units = self.kept.get(run, {}).get((evaluation, text))
        if units is None:
            raise UserError(f"{self.directory.scores_of(run)}: missing: {evaluation} of {text}")
        return units

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The pieces of a text, made of the units that are kept.

        Of text in order each unit is a piece: an article, or a block if articles are not known. Of
        shuffled text each unit is a sentence, and a piece is a sentence or, for what is kept for
        the stream, a block of sentences.
        """
        count = len(self.of_units(self.runs[corpus], NONE, text))
        if not self.is_in_order(corpus, text):
            return pieces_of(np.arange(count, dtype=np.int32), kept_for, in_order=False)
        counts = self.corpora[corpus].splits[text]
        known = articles_are_known(counts.documents, counts.sentences)
        kind = kind_of_pieces(kept_for, in_order=True, articles_are_known=known)
        return Pieces(kind, np.arange(count))


def kept_results(evidence: EvidenceFolder) -> Results:
    """Read the results that the evidence holds.

    Raises UserError for records that are missing or damaged.
    """
    found = collect(evidence)
    tested = [file.parent.name for file in evidence.path.glob("evaluations/*/scores.parquet")]
    scores = KeptScores(
        found.experiment,
        evidence,
        corpora=found.corpora,
        runs={run.run.settings.corpus: run.name for run in reversed(found.runs)},
        kept={run: evidence.read_scores(run) for run in tested},
    )
    return replace(found, scores=scores)
