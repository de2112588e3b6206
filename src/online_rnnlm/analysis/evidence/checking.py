"""The check that a folder's perplexities, tables and claims follow from its scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.evidence.folder import EvidenceFolder, TestedText
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.scores import Scores
from online_rnnlm.analysis.significance import Pieces, articles_are_known, pieces_of
from online_rnnlm.analysis.tables.table import make_table
from online_rnnlm.config.catalogue import TABLES, those_of
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import read_evaluation
from online_rnnlm.storage.experiments import Claims

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""


def check_evidence(folder: Path) -> int:
    """Make all tables and claims again; return the number of values that are the same.

    The code that made them makes them from the kept records and scores, from which test
    perplexities follow. Raises UserError, with the file and both values, for the first that
    differs, and for files that are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    results = kept_results(evidence)
    _check_perplexities(evidence, results)
    kept = records.read(Claims, evidence.claims)
    refuse_difference(str(evidence.claims), kept.model_dump(), judge(results).model_dump())
    checked = len(kept.claims)
    for entry in those_of(TABLES, results.experiment):
        if not entry.of_text:
            checked += _check_table(
                evidence.table(entry.name, "csv"), make_table(entry, results).data
            )
    return checked


def _check_perplexities(evidence: EvidenceFolder, results: Results) -> None:
    """Compute the perplexities of the tested texts in all kept records from the scores.

    Those of networks that are left out, since another seed has diverged, are among them.
    """
    for path in sorted(evidence.path.glob("evaluations/*/*.json")):
        record = read_evaluation(path)
        for text in sorted(record.splits.keys() - {"train", "valid"}):
            units = results.scores.of_units(record.run, record.evaluation, text)
            scored = math.exp(-units["log_probability"].sum() / units["tokens"].sum())
            what = f"{evidence.scores_of(record.run)}: {record.evaluation}: perplexity of {text}"
            refuse_difference(what, record.splits[text].perplexity, scored)


def _check_table(path: Path, made: pd.DataFrame) -> int:
    """Compare a kept table with that made again; return its number of values."""
    kept = pd.read_csv(path)
    again = pd.read_csv(StringIO(made.to_csv(index=False)))
    if [*kept.columns] != [*again.columns] or len(kept) != len(again):
        raise UserError(f"{path}: has other rows or columns than the records give")
    for column in kept.columns:
        for number, (value, other) in enumerate(zip(kept[column], again[column], strict=True), 1):
            if not (pd.isna(value) and pd.isna(other)):
                refuse_difference(f"{path}: row {number}: {column}", value, other)
    return kept.size


def refuse_difference(what: str, kept: Any, made: Any) -> None:
    """Raise UserError for the first of nested values that is not the one that was made again."""
    if isinstance(kept, dict):
        for key, value in kept.items():
            refuse_difference(f"{what}: {key}", value, made[key])
    elif isinstance(kept, tuple) and isinstance(made, tuple):
        refuse_difference(f"{what}: number of values", len(kept), len(made))
        for number, (value, other) in enumerate(zip(kept, made, strict=True), 1):
            refuse_difference(f"{what} {number}", value, other)
    elif isinstance(kept, float | int) and isinstance(made, float | int):
        if not math.isclose(kept, made, rel_tol=TOLERANCE, abs_tol=1e-9):
            raise UserError(f"{what}: is {kept:.8g}, but the scores give {made:.8g}")
    elif kept != made:
        raise UserError(f"{what}: is {kept}, but the scores give {made}")


@dataclass(frozen=True)
class KeptScores(Scores):
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
        return Pieces("article" if known else "block", np.arange(count))


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
