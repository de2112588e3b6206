"""Compute an experiment's tables and claims once more from its evidence, and compare."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from online_rnnlm.analysis.evidence.claims import check_claims
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.evidence.scores import Scores, read_scores, refuse_difference
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.config.evaluations import NONE, final_evaluation
from online_rnnlm.config.testing import MIXTURE


def check_evidence(folder: Path) -> int:
    """Compute all test perplexities and the claims again; return the number of values.

    Perplexities are those of the tables `perplexity`, `updates` and, by themselves and with all
    mixed in, `mixtures`. Of each claim these are both perplexities, the change and its interval
    over the seeds, and if its test drew the pieces of text that are kept, its interval and p-value;
    corrected p-values and verdicts are those of all claims. Claims of fewer multiply-adds are
    compared with the table `perplexity`. What a table says beside that rests on its checksum.
    Raises UserError, with the file and both values, for the first that differs, and for files that
    are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    scores = read_scores(evidence)
    checked = sum(
        _check_table(evidence, name, scores)
        for name in ("perplexity", "updates")
        if evidence.table(name, "csv").is_file()
    )
    if evidence.table("mixtures", "csv").is_file():
        checked += _check_mixtures(evidence, scores)
    return checked + check_claims(evidence, scores)


def _check_table(evidence: EvidenceFolder, name: str, scores: Scores) -> int:
    table = evidence.read_table(name, "evaluation", "test_perplexity")
    path = evidence.table(name, "csv")
    checked = 0
    for row in table.to_dict("records"):
        values = {"test_perplexity": str(row["evaluation"]), STILL: NONE}
        found = [key for key in values if not pd.isna(row.get(key, math.nan))]
        for key in found:
            _check_perplexity(path, scores, row, values[key], key)
        checked += len(found)
    return checked


def _check_mixtures(evidence: EvidenceFolder, scores: Scores) -> int:
    """Check the perplexities of networks by themselves and with everything mixed in."""
    values = {"test_perplexity": None, "test_perplexity_all": MIXTURE}
    table = evidence.read_table("mixtures", "document_size", *values)
    path = evidence.table("mixtures", "csv")
    for row in table.to_dict("records"):
        final = final_evaluation(int(row["document_size"]))
        for key, evaluation in values.items():
            _check_perplexity(path, scores, row, evaluation or final, key)
    return len(values) * len(table)


def _check_perplexity(
    path: Path, scores: Scores, row: Mapping[Hashable, Any], evaluation: str, key: str
) -> None:
    model = str(row["model"]).partition(" + ")[0]  # `100/0 + neural cache`
    found = scores.perplexity(str(row["corpus"]), model, evaluation)
    what = f"{path}: test perplexity of {row['model']}, {evaluation}"
    refuse_difference(what, float(row[key]), found)
