"""Check that what was chosen on `valid` is the best there of all that could be chosen."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import AS_LARGE, AT_ITS_COST, BEST_RIVAL, BEST_SYSTEM
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.config.evaluations import ways_of
from online_rnnlm.config.loading import load
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""
SIDE = ["corpus", "network", "evaluation"]
"""The columns that name a side of a claim."""
_KIND = ["document_size", "cell", "unit_of_text"]
_VALID, _COSTS = "valid_perplexity", ["multiply_adds_per_word", "parameters"]


def check_choices(evidence: EvidenceFolder, tested: pd.DataFrame) -> int:
    """Check that what was chosen is what is best on `valid`; return the number of choices.

    `tested` are the rows of the tables of networks, rivals and ways to learn. Raises UserError for
    the first choice that is not the best. An experiment without choices has no table of them.
    """
    checked, path = 0, evidence.table("choices", "csv")
    if not path.is_file():
        return checked
    _refuse_other_sides(evidence, tested)
    table = evidence.read_table("choices", _VALID, "chosen")
    for of_what, tried in table.groupby(["corpus", "model", "evaluation", "seed"]):
        if tried[_VALID].notna().any():
            chosen = tried[tried["chosen"].astype(bool)][_VALID].min()
            what = f"{path}: {', '.join(map(str, of_what))}: {_VALID} of what is chosen"
            refuse_difference(what, chosen, tried[_VALID].min())
            checked += 1
    return checked


def _refuse_other_sides(evidence: EvidenceFolder, tested: pd.DataFrame) -> None:
    """Raise UserError for a claim on a best rival or a best system that is not best on `valid`.

    `tested` has a row for each side; rows of rivals do not tell of what kind their network is.
    """
    kinds = tested[tested["document_size"].notna()].groupby(SIDE[:2])[_KIND].first()
    sides = tested[[*SIDE, _VALID, *_COSTS]].join(kinds, on=SIDE[:2], how="inner")
    static = sides["document_size"] == 0
    ways = ways_of(load(evidence.configuration))
    alone = [name for name, way in ways.items() if way.only_vector_learns]
    of_vector = sides["evaluation"].isin(alone)
    for claim in evidence.read_claims().claims:
        here, own = sides["corpus"] == claim.corpus, sides["network"] == claim.row
        what = f"{evidence.claims}: claim {claim.number}, {claim.model}"
        if claim.number == BEST_SYSTEM:
            _best(what, sides[here & ~static], claim.network, claim.evaluation)
            among = sides[here & static]
        elif claim.number == BEST_RIVAL:
            ours = _best(what, sides[here & own & of_vector], claim.network, claim.evaluation)
            like = (sides[_KIND[1:]] == ours[_KIND[1:]]).all(axis=1)
            among = sides[here & static & like & ~sides["evaluation"].isin([NONE, MIXTURE])]
            if claim.case == AT_ITS_COST:
                among = among[(among[_COSTS] <= ours[_COSTS] * [1, AS_LARGE]).all(axis=1)]
        else:
            continue
        _best(what, among, claim.network_against, claim.evaluation_against)


def _best(
    what: str, sides: pd.DataFrame, network: str | None, evaluation: str | None
) -> pd.Series[Any]:
    """Return the side of a claim; raises UserError if it is not the best of these on `valid`."""
    best = sides[sides[_VALID] <= sides[_VALID].min() * (1 + TOLERANCE)]
    found = best[(best["network"] == network) & (best["evaluation"] == evaluation)]
    if found.empty:
        named = " and ".join(f"{one.network}, {one.evaluation}" for one in best.itertuples())
        raise UserError(f"{what}: is about {network}, {evaluation}, but best on `valid` is {named}")
    only: pd.Series[Any] = found.iloc[0]
    return only


def refuse_difference(what: str, said: Any, found: Any) -> None:
    """Raise UserError for the first of nested values that is not the one that was computed."""
    if isinstance(said, dict) and isinstance(found, dict):
        for key, value in said.items():
            refuse_difference(f"{what}: {key}", value, found[key])
    elif isinstance(said, tuple) and isinstance(found, tuple) and len(said) == len(found):
        for value, other in zip(said, found, strict=True):
            refuse_difference(what, value, other)
    elif isinstance(said, float | int) and isinstance(found, float | int):
        if not math.isclose(said, found, rel_tol=TOLERANCE, abs_tol=1e-9):
            raise UserError(f"{what}: is {said:.8g}, but the scores give {found:.8g}")
    elif said != found:
        raise UserError(f"{what}: is {said}, but the scores give {found}")
