"""The check that a folder's perplexities, tables and claims follow from its scores."""

from __future__ import annotations

import math
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.evidence.reading import kept_results
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.config.catalogue import TABLES, those_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import read_evaluation
from online_rnnlm.storage.experiments import Claim, Claims, UntestedClaim

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
    checked = _check_claims(evidence, results)
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


def _check_claims(evidence: EvidenceFolder, results: Results) -> int:
    """Compare the kept claims, in their order, with those made again; return their number."""
    kept = records.read(Claims, evidence.claims)
    made = judge(results)
    where = f"{evidence.claims}: "
    refuse_difference(f"{where}settings", kept.settings, made.settings)
    refuse_difference(f"{where}claims", len(kept.claims), len(made.claims))
    refuse_difference(f"{where}claims not tested", len(kept.not_tested), len(made.not_tested))
    pairs: Iterable[tuple[Claim | UntestedClaim, Claim | UntestedClaim]] = (
        *zip(kept.claims, made.claims, strict=True),
        *zip(kept.not_tested, made.not_tested, strict=True),
    )
    for claim, again in pairs:
        name = f"{where}claim {claim.letter} on {claim.row}, {claim.corpus}"
        refuse_difference(name, claim.model_dump(), again.model_dump())
    return len(kept.claims)


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
    if isinstance(kept, dict) and isinstance(made, dict):
        for key in sorted(kept.keys() ^ made.keys()):
            raise UserError(f"{what}: {key}: only {'kept' if key in kept else 'made again'}")
        for key, value in kept.items():
            refuse_difference(f"{what}: {key}", value, made[key])
    elif isinstance(kept, tuple) and isinstance(made, tuple) and len(kept) == len(made):
        for value, other in zip(kept, made, strict=True):
            refuse_difference(what, value, other)
    elif isinstance(kept, float | int) and isinstance(made, float | int):
        if not math.isclose(kept, made, rel_tol=TOLERANCE, abs_tol=1e-9):
            raise UserError(f"{what}: is {kept:.8g}, but the scores give {made:.8g}")
    elif kept != made:
        raise UserError(f"{what}: is {kept}, but the scores give {made}")
