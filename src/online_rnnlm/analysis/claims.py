"""The paper's claims, in its spirit, each with a verdict on this experiment's own numbers.

A vector row M/D is set against the static row of M + D hidden units: the same number of units, some
of which learn during testing. The settings are not the paper's, so a verdict is on the idea.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.collect import MODEL, Results, chosen, collect, sentence_scores
from online_rnnlm.analysis.significance import LEVEL, RESAMPLES, Comparison, compare
from online_rnnlm.configuration import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, final_updates, write_json

HOLDS, FAILS, NOT_SIGNIFICANT = "holds", "fails", "not significant"


def write_claims(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: every claim the runs allow to be made, with verdict and numbers."""
    write_json(directory.claims, claims(collect(experiment, directory)))


def claims(results: Results) -> dict[str, Any]:
    """All claims, corpus by corpus, vector row by vector row; how they were tested beside them."""
    grouped = [runs for _, runs in chosen(results).groupby(MODEL, sort=False)]
    groups = {tuple(runs.iloc[0][MODEL]): runs for runs in grouped}
    made = [
        claim
        for (corpus, hidden, document), runs in groups.items()
        if document > 0
        for claim in _row_claims(results, runs, groups.get((corpus, hidden + document, 0)))
    ]
    tests = {
        "unit": "sentence",
        "interval": "paired bootstrap, 95 %, percentile",
        "p_value": "paired sign-flip permutation, two-sided",
        "level": LEVEL,
        "resamples": RESAMPLES,
        "seeds": "per-sentence log-probabilities are averaged over the seeds first",
    }
    return {"tests": tests, "claims": made}


def _row_claims(
    results: Results, vector: pd.DataFrame, static: pd.DataFrame | None
) -> Iterator[dict[str, Any]]:
    if static is not None:
        yield _lower_perplexity(results, vector, static)
        yield _fewer(vector, static, "parameters", "parameters")
        yield _fewer(vector, static, "multiply_adds_per_word", "multiply-adds a word")
    yield _learning_helps(results, vector)


def _claim(
    kind: str, text: str, verdict: str, vector: pd.DataFrame, against: str, **numbers: Any
) -> dict[str, Any]:
    first = vector.iloc[0]
    row = {"corpus": first["corpus"], "model": first["model"], "against": against}
    return {"kind": kind, "claim": text, "verdict": verdict, **row, "numbers": numbers}


def _lower_perplexity(
    results: Results, vector: pd.DataFrame, static: pd.DataFrame
) -> dict[str, Any]:
    model, against = vector.iloc[0]["model"], static.iloc[0]["model"]
    text = f"{model}, its vector learning, has a lower test perplexity than the static {against}."
    return _compared(results, "lower_test_perplexity", text, (vector, _final(vector)), static)


def _learning_helps(results: Results, vector: pd.DataFrame) -> dict[str, Any]:
    text = f"{vector.iloc[0]['model']}: learning during testing lowers the test perplexity."
    return _compared(results, "learning_helps", text, (vector, _final(vector)), None)


def _compared(
    results: Results,
    kind: str,
    text: str,
    first: tuple[pd.DataFrame, str],
    static: pd.DataFrame | None,
) -> dict[str, Any]:
    """A claim on test perplexity; without a static row, against the same weights held still."""
    runs, updates = first
    other = runs if static is None else static
    against = f"{runs.iloc[0]['model']}, vector still" if static is None else _model(static)
    comparison = _compare(results, first, (other, "none"))
    perplexity = _mean_perplexity(results, runs, updates)
    perplexity_against = _mean_perplexity(results, other, "none")
    return _claim(
        kind,
        text,
        verdict_of(comparison),
        runs,
        against,
        test_perplexity=perplexity,
        test_perplexity_against=perplexity_against,
        change_percent=_change(perplexity, perplexity_against),
        log_probability_difference=comparison.difference,
        interval=[comparison.low, comparison.high],
        # The same interval as a change of perplexity, in per cent.
        change_interval_percent=[
            100 * math.expm1(-comparison.high),
            100 * math.expm1(-comparison.low),
        ],
        p_value=comparison.p_value,
        sentences=comparison.sentences,
        tokens=comparison.tokens,
        seeds=len(runs),
    )


def verdict_of(comparison: Comparison) -> str:
    """What a comparison says about the claim that its first model is the better one."""
    if not comparison.significant:
        return NOT_SIGNIFICANT
    return HOLDS if comparison.difference > 0 else FAILS


def _fewer(vector: pd.DataFrame, static: pd.DataFrame, key: str, words: str) -> dict[str, Any]:
    ours, theirs = float(vector.iloc[0][key]), float(static.iloc[0][key])
    model, against = _model(vector), _model(static)
    text = f"{model} has fewer {words} than {against}."
    numbers = {key: ours, f"{key}_against": theirs, "change_percent": _change(ours, theirs)}
    verdict = HOLDS if ours < theirs else FAILS
    return _claim(f"fewer_{key}", text, verdict, vector, against, **numbers)


def _change(ours: float, theirs: float) -> float:
    return 100 * (ours / theirs - 1)


def _model(runs: pd.DataFrame) -> str:
    return str(runs.iloc[0]["model"])


def _final(runs: pd.DataFrame) -> str:
    return final_updates(runs.iloc[0]["document_size"])


def _mean_perplexity(results: Results, runs: pd.DataFrame, updates: str) -> float:
    return float(np.mean([results.perplexity(name, "test", updates) for name in runs["name"]]))


def _compare(
    results: Results, first: tuple[pd.DataFrame, str], second: tuple[pd.DataFrame, str]
) -> Comparison:
    ours, theirs = _pooled(results, *first), _pooled(results, *second)
    if not ours["tokens"].equals(theirs["tokens"]):
        names = f"`{first[0].iloc[0]['name']}` and `{second[0].iloc[0]['name']}`"
        raise UserError(f"{results.directory.path}: {names} were tested on different sentences")
    return compare(
        ours["log_probability"].to_numpy(),
        theirs["log_probability"].to_numpy(),
        ours["tokens"].to_numpy(),
    )


def _pooled(results: Results, runs: pd.DataFrame, updates: str) -> pd.DataFrame:
    """Per-sentence test scores, averaged over the runs' seeds."""
    frames = [sentence_scores(results.directory, name, updates) for name in runs["name"]]
    pooled = frames[0][["tokens"]].copy()
    pooled["log_probability"] = np.mean([f["log_probability"].to_numpy() for f in frames], axis=0)
    return pooled
