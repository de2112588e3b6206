import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.analysis.claims import claims, write_claims
from online_rnnlm.analysis.collect import Results, collect
from online_rnnlm.analysis.finding import findings
from online_rnnlm.analysis.published import Published
from online_rnnlm.analysis.significance import bootstrap_interval, compare, sign_flip_p_value
from online_rnnlm.analysis.tables import perplexity_table
from online_rnnlm.errors import UserError

Invented = Callable[..., Results]


def _enumerated(gains: list[float]) -> float:
    """The sign-flip test by its definition, one pattern after another."""
    patterns = list(itertools.product([-1, 1], repeat=len(gains)))
    sums = [abs(sum(s * g for s, g in zip(signs, gains, strict=True))) for signs in patterns]
    return sum(value >= abs(sum(gains)) - 1e-9 for value in sums) / len(patterns)


def test_tiny_permutation_by_hand() -> None:
    # Of 8 sign patterns, only +++ and --- reach |1 + 2 + 4| = 7.
    assert sign_flip_p_value(np.array([1.0, 2.0, 4.0]), seed=1) == 2 / 8


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=7))
def test_few_sentences_are_enumerated(gains: list[int]) -> None:
    values = [float(gain) for gain in gains]
    assert sign_flip_p_value(np.array(values), seed=1) == pytest.approx(_enumerated(values))


def test_drawn_signs_agree_with_all_signs() -> None:
    gains = np.random.default_rng(3).normal(0.3, 1, 12)
    exact = _enumerated(list(gains))
    drawn = sign_flip_p_value(gains, seed=1, resamples=4000)  # 2^12 > 4000: these are drawn
    assert drawn == pytest.approx(exact, abs=0.03)


def test_no_difference_is_not_significant() -> None:
    scores, tokens = -np.arange(1.0, 101), np.full(100, 5)
    same = compare(scores, scores, tokens)
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    assert not same.significant
    noise = np.random.default_rng(1).normal(size=100)
    assert not compare(scores + noise - noise.mean(), scores, tokens).significant


def test_a_constant_gain_has_an_interval_of_one_point() -> None:
    tokens = np.random.default_rng(1).integers(1, 30, 200)
    result = compare(-1.0 * tokens, -1.5 * tokens, tokens)
    assert [result.difference, result.low, result.high] == pytest.approx([0.5, 0.5, 0.5])
    assert result.significant


def test_the_interval_is_as_wide_as_the_theory_says() -> None:
    gains = np.random.default_rng(1).normal(0, 1, 400)
    low, high = bootstrap_interval(gains, np.ones(400, int), seed=2)
    assert high - low == pytest.approx(2 * 1.96 * gains.std() / 20, rel=0.05)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    gains, tokens = np.random.default_rng(1).normal(0.1, 1, 60), np.ones(60, int)
    whole = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    monkeypatch.setattr("online_rnnlm.analysis.significance._CHUNK_ELEMENTS", 1000)
    parts = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    assert parts[0] == pytest.approx(whole[0], abs=0.02)
    assert parts[1] == pytest.approx(whole[1], abs=0.02)


def _verdicts(results: Results) -> dict[tuple[str, str], str]:
    made = claims(results)["claims"]
    return {(claim["kind"], claim["model"]): claim["verdict"] for claim in made}


def test_what_holds_holds(invented: Invented) -> None:
    verdicts = _verdicts(invented({"100/20": 90.0, "120/0": 110.0}))
    for kind in ("lower_test_perplexity", "learning_helps", "fewer_parameters"):
        assert verdicts[kind, "100/20"] == "holds"
    assert len(verdicts) == 8


def test_a_worse_vector_fails(invented: Invented) -> None:
    results = invented({"100/20": 130.0, "120/0": 110.0})
    made = {claim["kind"]: claim for claim in claims(results)["claims"][:4]}
    worse = made["lower_test_perplexity"]
    assert worse["verdict"] == "fails"
    assert worse["numbers"]["change_percent"] == pytest.approx(100 * (130 / 110 - 1))
    assert worse["numbers"]["interval"][1] < 0
    low, high = worse["numbers"]["change_interval_percent"]
    assert low < worse["numbers"]["change_percent"] < high


def test_as_good_is_not_significant(invented: Invented) -> None:
    verdicts = _verdicts(invented({"100/20": 110.01, "120/0": 110.0}))
    assert verdicts["lower_test_perplexity", "100/20"] == "not significant"


def test_more_parameters_fail(invented: Invented) -> None:
    results = invented()
    larger = results.runs.assign(
        parameters=results.runs["parameters"] * (1 + 9 * (results.runs["document_size"] > 0))
    )
    changed = Results(**{**vars(results), "runs": larger})
    assert _verdicts(changed)["fewer_parameters", "100/20"] == "fails"


def test_without_a_counterpart_the_claim_is_not_made(invented: Invented) -> None:
    rows = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]
    assert set(_verdicts(invented(rows=rows))) == {("learning_helps", "100/20")}


def test_static_rows_alone_make_no_claims(invented: Invented) -> None:
    assert claims(invented(rows=[{"hidden_size": 100}]))["claims"] == []


def test_seeds_are_pooled_sentence_by_sentence(invented: Invented) -> None:
    rows: list[dict[str, Any]] = [{"hidden_size": 12}, {"hidden_size": 10, "document_size": 2}]
    results = invented(rows=rows, seeds=[1, 2])
    numbers = claims(results)["claims"][0]["numbers"]
    means = {}
    for model, updates in (("M12-D0", "none"), ("M10-D2", "document_vector")):
        frames = [
            pd.read_parquet(results.directory.sentence_scores(f"invented-{model}-seed{s}", updates))
            for s in (1, 2)
        ]
        tests = [frame[frame["split"] == "test"] for frame in frames]
        means[model] = np.mean([f["log_probability"].sum() / f["tokens"].sum() for f in tests])
    assert numbers["log_probability_difference"] == pytest.approx(means["M10-D2"] - means["M12-D0"])
    assert numbers["seeds"] == 2


def test_other_sentences_cannot_be_compared(invented: Invented) -> None:
    results = invented()
    path = results.directory.sentence_scores("invented-M120-D0-seed1", "none")
    pd.read_parquet(path).assign(tokens=7).to_parquet(path)
    with pytest.raises(UserError, match="different sentences"):
        claims(results)


def test_claims_are_the_same_every_time(invented: Invented) -> None:
    results = invented()
    write_claims(results.experiment, results.directory)
    first = results.directory.claims.read_bytes()
    write_claims(results.experiment, results.directory)
    assert results.directory.claims.read_bytes() == first


@pytest.mark.parametrize(
    ("test_perplexities", "said"),
    [
        ({"100/20": 90.0, "120/0": 120.0}, "takes test perplexity from 120.0"),
        ({"100/20": 130.0, "120/0": 100.0}, "does not help here"),
        ({"100/20": 110.01, "120/0": 110.0}, "no significant difference"),
    ],
)
def test_the_finding_says_what_came_out(
    invented: Invented, published: Published, test_perplexities: dict[str, float], said: str
) -> None:
    rows = [{"hidden_size": 120}, {"hidden_size": 100, "document_size": 20}]
    results = invented(test_perplexities, rows=rows)
    [finding] = _findings(results, published)
    assert said in finding
    assert "8.4 % fewer parameters" in finding


def test_the_finding_of_static_rows_claims_nothing(
    invented: Invented, published: Published
) -> None:
    [finding] = _findings(invented(rows=[{"hidden_size": 100}]), published)
    assert "not tested" in finding


def test_the_finding_without_a_counterpart_is_about_learning(
    invented: Invented, published: Published
) -> None:
    [finding] = _findings(invented(rows=[{"hidden_size": 100, "document_size": 20}]), published)
    assert "Learning during testing helps" in finding


def _findings(results: Results, published: Published) -> list[str]:
    again = collect(results.experiment, results.directory)
    data = perplexity_table(again, published).data
    return findings(again, data, claims(again)["claims"])
