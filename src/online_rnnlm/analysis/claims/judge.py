"""`claims.json`: the paper's five claims, each with a verdict on this experiment's own numbers.

The settings are not the paper's, so a verdict is on the idea.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from online_rnnlm.analysis.claims.opponents import (
    COSTS,
    LEARNING,
    MARGIN_PERCENT,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    SAME_HIDDEN,
    VECTOR_ALONE,
    Tested,
    Untested,
    outcomes,
)
from online_rnnlm.analysis.comparison import against, figure
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.significance import LEVEL, RESAMPLES, Comparison, SeedInterval, holm
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Claims as ClaimsRecord

SUPPORTED, NOT_SUPPORTED, UNDECIDED = "supported", "not supported", "undecided"
SOURCE = (
    "By updating only a small part of the model during testing it achieves better results with "
    "faster execution and fewer parameters (a paraphrase of the author's own summary of the "
    "paper, EMNLP 2015)."
)
ENOUGH_SEEDS = 3
"""From so many seeds on, a verdict needs their agreement too."""


class Claim(NamedTuple):
    """One of the five: its name in the file, its name in words, its words, its test in words."""

    kind: str
    name: str
    text: str
    test: str


CLAIMS = {
    SAME_HIDDEN: Claim(
        "lower_perplexity_same_hidden",
        "a lower perplexity than a static network of as many hidden units",
        "{model}, its vector learning, has a lower test perplexity than {against}, the static "
        "network of as many hidden units.",
        "test perplexity, the vector learning, against the static row's",
    ),
    MORE_PARAMETERS: Claim(
        "lower_perplexity_more_parameters",
        "a lower perplexity than a static network of at least as many parameters",
        "{model}, its vector learning, has a lower test perplexity than {against}, a static "
        "network of at least as many parameters.",
        "test perplexity, the vector learning, against the smallest such static row's",
    ),
    MULTIPLY_ADDS: Claim(
        "fewer_multiply_adds",
        "fewer multiply-adds a word than that static network",
        "{model} has its lower test perplexity with fewer multiply-adds a word than {against}.",
        "multiply-adds a word in testing, counted from the equations; supported only if the lower "
        "perplexity against the same static row is",
    ),
    VECTOR_ALONE: Claim(
        "vector_alone_suffices",
        "learning the document vector alone is enough",
        "{model}: learning only the document vector during testing is better than, or as good as, "
        "learning everything, at a fraction of the cost.",
        f"non-inferiority of test perplexity with a margin of {MARGIN_PERCENT:g} %, and fewer "
        "multiply-adds and fewer parameters touched a word; everything learns after every word, "
        "at the rate and kept for the unit of text that are best on `valid`, the vector as it was "
        "trained and, where that is better on `valid`, kept for longer, too; what is kept for "
        "longer than a sentence makes sentences depend on each other: approximate intervals",
    ),
    LEARNING: Claim(
        "learning_not_parameters",
        "the gain comes from learning, not from more parameters",
        "{model}: the gain comes from learning during testing, not from more parameters: the same "
        "weights do worse with their vector held still.",
        "test perplexity of the same weights, the vector learning against held still",
    ),
}


def write_claims(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs allow to test, and those that they do not."""
    judged = claims(collect(experiment, directory))
    records.write(directory.claims, ClaimsRecord.model_validate(judged))


def claims(results: Results) -> dict[str, Any]:
    """All claims, corpus by corpus, vector row by vector row; how they were tested beside them."""
    found = list(outcomes(results))
    tested = [one for one in found if isinstance(one, Tested)]
    adjusted = holm([one.comparison.p_value for one in tested])
    return {
        "tests": _tests(),
        "claims": [
            record
            for one, p_value in zip(tested, adjusted, strict=True)
            for record in _records(one, p_value)
        ],
        "not_tested": [_untested(one) for one in found if isinstance(one, Untested)],
    }


def _tests() -> dict[str, Any]:
    return {
        "unit": "sentence",
        "interval": "paired bootstrap, 95 %, percentile",
        "p_value": "paired sign-flip permutation, two-sided",
        "correction": "Holm's step-down method over all claims with a p-value",
        "level": LEVEL,
        "resamples": RESAMPLES,
        "seeds": "per-sentence log-probabilities are averaged over the seeds first",
        "seed_interval": "paired Student's t over the seeds, 95 %; null with one seed",
        "margin_percent": MARGIN_PERCENT,
        "margin": "assumed: so much higher a perplexity still counts as good as the other",
        "verdict": "supported if the bootstrap interval lies on the claim's side of no difference "
        "(of the margin where there is one), the corrected p-value is below the level and, from "
        f"{ENOUGH_SEEDS} seeds on, the seeds' interval lies on that side, too; not supported if "
        "all of them lie on the other side; else undecided",
    }


def verdict_of(comparison: Comparison, adjusted: float, seeds: SeedInterval | None) -> str:
    """What a test says of the claim that its first model is the better one.

    `adjusted`: the test's p-value after correction.
    """
    sides = {comparison.side}
    if seeds is not None and seeds.seeds >= ENOUGH_SEEDS:
        sides.add(seeds.side)
    if adjusted >= LEVEL or len(sides) > 1:
        return UNDECIDED
    return {1: SUPPORTED, -1: NOT_SUPPORTED, 0: UNDECIDED}[sides.pop()]


def _records(one: Tested, p_value: float) -> Iterator[dict[str, Any]]:
    """A test's claim as `claims.json` has it, and the one that rests on its verdict."""
    verdict = verdict_of(one.comparison, p_value, one.seeds)
    costs = [(one.effect[key], one.effect[f"{key}_against"]) for key in COSTS if key in one.effect]
    if not all(ours < theirs for ours, theirs in costs):
        verdict = NOT_SUPPORTED
    p_values = {"p_value": one.comparison.p_value, "p_value_holm": p_value}
    yield _record(one.number, one, one.effect, _seeds(one.seeds), p_values, verdict)
    if one.number == MORE_PARAMETERS:
        yield _multiply_adds(one, verdict)


def _multiply_adds(one: Tested, verdict: str) -> dict[str, Any]:
    """Counts have no chance in them; but "does so" needs the lower perplexity's verdict."""
    ours, theirs = (figure(side, "multiply_adds_per_word") for side in (one.ours, one.theirs))
    effect = against("multiply_adds_per_word", ours, theirs)
    effect["change_percent"] = 100 * (ours / theirs - 1)
    counted = verdict if ours < theirs else NOT_SUPPORTED
    none = {"p_value": None, "p_value_holm": None}
    return _record(MULTIPLY_ADDS, one, effect, None, none, counted)


def _record(
    number: int,
    one: Tested,
    effect: dict[str, Any],
    seeds: dict[str, Any] | None,
    p_values: Mapping[str, float | None],
    verdict: str,
) -> dict[str, Any]:
    claim, model = CLAIMS[number], one.model or one.ours.model
    return {
        "number": number,
        "kind": claim.kind,
        "claim": claim.text.format(model=model, against=one.label),
        "source": SOURCE,
        "test": claim.test,
        "corpus": one.ours.runs.iloc[0]["corpus"],
        "model": model,
        "against": one.label,
        "effect": effect,
        "seeds": seeds,
        **p_values,
        "verdict": verdict,
    }


def _seeds(found: SeedInterval | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "seeds": found.seeds,
        "nats_per_token": found.mean,
        "interval_nats_per_token": [found.low, found.high],
        "p_value": found.p_value,
    }


def _untested(one: Untested) -> dict[str, Any]:
    first = one.row.iloc[0]
    return {
        "number": one.number,
        "kind": CLAIMS[one.number].kind,
        "claim": CLAIMS[one.number].name,
        "corpus": first["corpus"],
        "model": first["model"],
        "reason": one.reason,
    }
