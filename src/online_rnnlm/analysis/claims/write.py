"""Judge the paper's claims by an experiment's own results, and write `claims.json`."""

from __future__ import annotations

from collections.abc import Iterator

from online_rnnlm.analysis.claims.outcomes import outcomes
from online_rnnlm.analysis.claims.paper import (
    BEST_RIVAL,
    BEST_SYSTEM,
    CLAIMS,
    MARGIN_PERCENT,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    OURS,
    SOURCE,
)
from online_rnnlm.analysis.claims.tested import Tested, Untested
from online_rnnlm.analysis.claims.verdict import (
    RULE,
    Verdict,
    verdict_on,
    verdict_on_multiply_adds,
)
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.significance import LEVEL, RESAMPLES, SeedInterval, holm
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Claim,
    Claims,
    ClaimTests,
    Effect,
    SeedDifference,
    UntestedClaim,
)


def write_claims(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(experiment, directory)))


def judge(results: Results) -> Claims:
    """Judge all claims, corpus by corpus, vector row by vector row."""
    found = list(outcomes(results))
    tested = [one for one in found if isinstance(one, Tested)]
    adjusted = holm([one.comparison.p_value for one in tested])
    pairs = zip(tested, adjusted, strict=True)
    return Claims(
        settings=results.settings_digest,
        tests=_tests(),
        claims=tuple(claim for one, p_value in pairs for claim in _claims(one, p_value)),
        not_tested=tuple(_untested(one) for one in found if isinstance(one, Untested)),
    )


def _tests() -> ClaimTests:
    return ClaimTests(
        unit="pieces of the text that do not depend on each other: sentences that were shuffled; "
        "else articles or, where they are not known, blocks of consecutive sentences",
        interval="paired bootstrap, 95 %, percentile",
        p_value="paired sign-flip permutation, two-sided",
        correction="Holm's step-down method over all claims with a p-value",
        level=LEVEL,
        resamples=RESAMPLES,
        equivalence="two one-sided sign-flip permutations, uncorrected",
        seeds="per-sentence log-probabilities are averaged over the seeds first",
        seed_interval="paired Student's t over the seeds, 95 %; null with one seed",
        margin_percent=MARGIN_PERCENT,
        margin="assumed: a perplexity up to this much higher still counts as equally good",
        verdict=RULE,
    )


def _claims(one: Tested, adjusted: float) -> Iterator[Claim]:
    """Yield the claim of a test, and the claim that rests on its verdict, if there is one."""
    verdict = verdict_on(one.number, one.comparison, adjusted, one.seeds, one.effect)
    p_values = one.comparison.p_value, adjusted
    yield _claim(one.number, one, one.effect, verdict, p_values, _over_seeds(one.seeds))
    if one.number == MORE_PARAMETERS:
        yield _multiply_adds(one, verdict)


def _multiply_adds(one: Tested, verdict: Verdict) -> Claim:
    """The claim of fewer multiply-adds, which rests on that of a lower perplexity."""
    ours, theirs = (side.row.multiply_adds_per_word for side in (one.ours, one.theirs))
    effect = Effect(
        multiply_adds_per_word=ours,
        multiply_adds_per_word_against=theirs,
        change_percent=100 * (ours / theirs - 1),
    )
    return _claim(MULTIPLY_ADDS, one, effect, verdict_on_multiply_adds(verdict, ours, theirs))


def _claim(
    number: int,
    one: Tested,
    effect: Effect,
    verdict: Verdict,
    p_values: tuple[float | None, float | None] = (None, None),
    seeds: SeedDifference | None = None,
) -> Claim:
    claim, counted = CLAIMS[number], number == MULTIPLY_ADDS
    return Claim(
        number=number,
        kind=claim.kind,
        claim=claim.text.format(model=one.model, against=one.label),
        source=OURS if number in (BEST_RIVAL, BEST_SYSTEM) else SOURCE,
        test=claim.test,
        corpus=one.row.corpus,
        train_tokens=one.train_tokens,
        row=one.row.label,
        model=one.model,
        against=one.label,
        network=one.ours.row.label,
        network_against=one.theirs.row.label,
        evaluation=None if counted else one.ours.evaluation,
        evaluation_against=None if counted else one.theirs.evaluation,
        effect=effect,
        seeds=seeds,
        p_value=p_values[0],
        p_value_holm=p_values[1],
        verdict=verdict,
    )


def _over_seeds(found: SeedInterval | None) -> SeedDifference | None:
    if found is None:
        return None
    return SeedDifference(
        seeds=found.seeds,
        nats_per_token=found.mean,
        interval_nats_per_token=(found.low, found.high),
        p_value=found.p_value,
    )


def _untested(one: Untested) -> UntestedClaim:
    return UntestedClaim(
        number=one.number,
        kind=CLAIMS[one.number].kind,
        claim=CLAIMS[one.number].name,
        corpus=one.row.corpus,
        model=one.row.label,
        reason=one.reason,
    )
