"""Tests of the claims: what each compares, its verdict, and the finding that is made of them."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.analysis.headline import headline_on
from online_rnnlm.analysis.report import findings
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Side
from online_rnnlm.analysis.significance import holm
from online_rnnlm.analysis.verdicts import NOT_TESTED, grid, judge, verdict_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.claims import Effect, SeedDifference
from online_rnnlm.storage.files import write_json
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import (
    IN_ORDER,
    VITAL,
    again,
    change_evaluation,
    change_split,
    read_json,
    score,
    update_checksums,
)

PAIR: list[dict[str, Any]] = [
    {"hidden_size": 100},
    {"hidden_size": 120},
    {"hidden_size": 100, "document_size": 20},
]
GOOD = {"100/0": 110.0, "120/0": 108.0, "100/20": 90.0}
UNITS = ("sentence", "stream")
EVERYTHING = {"updates": ["all"], "unit_of_text": [*UNITS]}
RIVALS = {"rivals": ["unigram_cache", "neural_cache"]}
RUN, STATIC = "invented-M100-D20-seed1", "invented-M120-D0-seed1"
SMALL = "invented-M100-D0-seed1"


def claims_of(results: Results, number: int = 0, model: str = "") -> list[dict[str, Any]]:
    """The claims in `claims.json`: all, or those with a number, or about a model."""
    found: list[dict[str, Any]] = judge(results).model_dump(mode="json")["claims"]
    found = [claim for claim in found if number in (0, claim["number"])]
    return [claim for claim in found if model in ("", claim["model"])]


def by_number(results: Results) -> dict[int, dict[str, Any]]:
    """The claims about 100/20 as it was trained, by number."""
    return {claim["number"]: claim for claim in claims_of(results, model="100/20")}


def reasons(results: Results, model: str = "") -> dict[int, str]:
    """Why claims are not tested, by number."""
    found = judge(results).not_tested
    return {claim.number: claim.reason for claim in found if model in ("", claim.model)}


def with_costs(results: Results, evaluation: str, run: str = RUN, **costs: float) -> Results:
    change_evaluation(results.directory, run, evaluation, **costs)
    return again(results)


def everything_worth(results: Results, change: float, run: str = RUN) -> Results:
    """Give `all` the scores of the vector alone, with a perplexity changed by `change` per cent."""
    [found] = [one for one in results.runs if one.name == run]
    perplexity = found.evaluations["document_vector"].splits["test"].perplexity
    for unit in UNITS:
        scores = pd.read_parquet(results.directory.sentence_scores(run, "document_vector"))
        scores["log_probability"] -= scores["tokens"] * math.log1p(change / 100)
        scores.to_parquet(results.directory.sentence_scores(run, f"all.word.{unit}"))
        update_checksums(results.directory, run, f"all.word.{unit}")
        test = perplexity * (1 + change / 100)
        change_split(results.directory, run, f"all.word.{unit}", "test", perplexity=test)
    return again(results)


def test_all_claims_are_tested_against_the_right_rows(invented):
    results = invented(GOOD, testing=EVERYTHING)
    best = headline_on(results, "invented").label
    for model in ("100/20", "100/35"):
        numbers = {claim["number"] for claim in claims_of(results) if claim["row"] == model}
        assert numbers == {1, 2, 3, 4, 5, 6} | ({7} if model == best else set())
    mine = by_number(results)
    against = {n: claim["against"].split(" with ")[0] for n, claim in mine.items() if n < 6}
    assert against == {1: "100/0", 2: "120/0", 3: "120/0", 4: "100/20", 5: "100/20 frozen"}
    assert set(reasons(results)) == {6}  # everything learning costs more than the vector alone
    assert all(mine[number]["verdict"] == "supported" for number in (1, 2, 5))
    effect, static = mine[1]["effect"], results.rows[0]
    assert effect["test_perplexity"] == pytest.approx(90)
    assert effect["test_perplexity_against"] == pytest.approx(110)
    assert effect["change_percent"] == pytest.approx(100 * (90 / 110 - 1))
    assert effect["nats_per_token"] == pytest.approx(math.log(110 / 90))
    for value, interval in (
        ("change_percent", "interval_percent"),
        ("nats_per_token", "interval_nats_per_token"),
    ):
        low, high = effect[interval]
        assert low < effect[value] < high
    assert effect["parameters_against"] == static.parameters < effect["parameters"]


def test_the_static_row_with_more_parameters_is_the_smallest_such(invented):
    rows = [{"hidden_size": size} for size in (200, 100, 109, 120)]
    results = invented(rows=[*rows, PAIR[-1]])
    mine = by_number(results)
    needed = mine[2]["effect"]["parameters"]
    fitting = [row for row in results.rows if row.parameters >= needed and not row.has_vector]
    smallest = min(fitting, key=lambda row: row.parameters)
    assert mine[2]["against"] == mine[3]["against"] == smallest.label
    path = results.directory.run(smallest.first.name).result
    write_json(path, read_json(path) | {"parameters": needed})  # equally many are enough
    assert by_number(again(results))[2]["effect"]["parameters_against"] == needed


@pytest.mark.parametrize(
    ("perplexity", "cheaper", "expected"),
    [
        (90.0, True, "supported"),
        (90.0, False, "not supported"),
        (130.0, True, "not supported"),
        (108.01, True, "undecided"),
        (108.01, False, "not supported"),
    ],
)
def test_fewer_multiply_adds_need_a_lower_perplexity(invented, perplexity, cheaper, expected):
    results = invented({"120/0": 108.0, "100/20": perplexity}, rows=PAIR)
    cost = 39_999.0 if cheaper else 40_000.0
    results = with_costs(results, "none", STATIC, multiply_adds_per_word=40_000.0)
    claim = by_number(with_costs(results, "document_vector", multiply_adds_per_word=cost))[3]
    assert claim["verdict"] == expected
    assert claim["effect"]["multiply_adds_per_word"] == cost
    assert claim["p_value"] is claim["p_value_holm"] is claim["seeds"] is None


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ((1.0, 1.1, 1.05), "supported"),
        ((2.0, 2.1, 2.0), "not supported"),
        ((1.0, 2.0, 1.4), "undecided"),
    ],
)
def test_less_computation_takes_less_time(invented, factors, expected):
    """120/0 takes 1.44 times as long as 100/20 by nature, with the same jitter in each round."""
    results = invented({"120/0": 108.0, "100/20": 90.0}, rows=PAIR)
    fake_experiment.write_timings(results.directory, results.experiment, {"100/20": factors})
    claim = by_number(again(results))[3]
    assert claim["verdict"] == expected
    low, high = claim["effect"]["seconds_change_percent"]
    gains = [
        math.log(1.44 * own / factor) for own, factor in zip((1, 1.01, 1.02), factors, strict=True)
    ]
    middle = 100 * (math.exp(-np.mean(gains)) - 1)
    assert low < middle < high
    assert claim["effect"]["seconds_per_word"] == pytest.approx(1e-5 * sorted(factors)[1])


@pytest.mark.parametrize(
    ("change", "verdict", "equal"),
    # The change of perplexity, in per cent, when everything learns; the margin is 1 %.
    [
        (5.0, "supported", False),
        (0.5, "supported", True),
        (0.0, "supported", True),
        (-0.9, "supported", True),
        (-1.1, "not supported", False),
    ],
)
def test_the_vector_alone_may_be_worse_by_the_margin(invented, change, verdict, equal):
    results = everything_worth(invented(GOOD, rows=PAIR, testing=EVERYTHING), change)
    claim = by_number(results)[4]
    assert claim["verdict"] == verdict
    effect, equivalence = claim["effect"], claim["effect"]["equivalence"]
    assert effect["change_percent"] == pytest.approx(100 * (1 / (1 + change / 100) - 1))
    assert effect["margin_percent"] == equivalence["margin_percent"] == 1
    assert equivalence["shown"] is equal is (equivalence["p_value"] < 0.05)


@pytest.mark.parametrize("cost", ["multiply_adds_per_word", "parameters_touched_per_word"])
def test_the_vector_alone_must_be_cheaper(invented, cost):
    results = everything_worth(invented(GOOD, rows=PAIR, testing=EVERYTHING), 5.0)
    value = getattr(results.rows[-1].by_seed("document_vector")[0].costs, cost)
    for unit in UNITS:
        results = with_costs(results, f"all.word.{unit}", **{cost: value})
    assert by_number(results)[4]["verdict"] == "not supported"


@pytest.mark.parametrize(("carry", "ours"), [("both", 90.0), ("state", 70.0)])
def test_a_vector_that_training_resets_by_sentences_is_compared_as_it_is_kept(
    invented, carry, ours
):
    row = PAIR[2] | {"unit_of_text": "document", "carry": carry}
    testing = {"updates": ["document_vector", "all"], "unit_of_text": ["document"]}
    results = invented(rows=[row], testing=testing, corpora=IN_ORDER)
    run = results.rows[0].first.run.name
    for evaluation, test in (("document_vector", 90.0), ("document_vector.word.document", 70.0)):
        results = score(results, run, evaluation, test=test)
    [claim] = claims_of(results, 4)
    assert claim["effect"]["test_perplexity"] == pytest.approx(ours)


def test_the_vector_and_everything_are_compared_unit_for_unit(invented):
    testing = EVERYTHING | {"updates": ["document_vector", "all"]}
    results = invented(GOOD, rows=PAIR, testing=testing)
    reached = {"document_vector": 90.0, "document_vector.word.stream": 70.0}
    for evaluation, test in (
        reached | {"all.word.sentence": 80.0, "all.word.stream": 85.0}
    ).items():
        results = score(results, RUN, evaluation, test=test)
    found = {claim["model"]: claim for claim in claims_of(results, 4)}
    sentence, stream = found["100/20"], found["100/20 kept for the stream"]
    assert (sentence["verdict"], stream["verdict"]) == ("not supported", "supported")
    learning = "100/20 with everything learning after every word, kept for the sentence"
    assert sentence["against"] == learning
    assert sentence["effect"]["test_perplexity_against"] == pytest.approx(80)
    assert stream["effect"]["test_perplexity_against"] == pytest.approx(85)


def rival_worth(
    results: Results, rival: str, valid: float, test: float, cost: float, run: str = STATIC
) -> Results:
    results = score(results, run, rival, valid=valid, test=test)
    return with_costs(results, rival, run, multiply_adds_per_word=cost)


def test_the_best_rivals_on_valid_are_set_against_the_vector(invented):
    """One is the best at the vector's cost or less, the other the best at any cost.

    120/0 is better, but has more parameters than the vector's network.
    """
    results = invented(GOOD, rows=PAIR, testing=RIVALS)
    ours = Side(results.rows[-1], "document_vector").multiply_adds
    results = rival_worth(results, "unigram_cache", 70.0, 95.0, ours, SMALL)
    results = rival_worth(results, "unigram_cache", 69.0, 94.0, ours)
    results = rival_worth(results, "neural_cache", 65.0, 85.0, 2 * ours)
    cheap, best = claims_of(results, 6)
    assert cheap["against"] == "100/0 with a unigram cache (the best rival at its cost or less)"
    assert best["against"] == "120/0 with a neural cache (the best rival at any cost)"
    assert (cheap["verdict"], best["verdict"]) == ("supported", "not supported")
    assert cheap["effect"]["test_perplexity_against"] == pytest.approx(95)
    other = rival_worth(results, "unigram_cache", 70.0, 85.0, ours, SMALL)
    other = rival_worth(other, "neural_cache", 65.0, 95.0, 2 * ours)
    assert [claim["verdict"] for claim in claims_of(other, 6)] == ["not supported", "supported"]
    # The better one on `valid` counts, not the better one on `test`.
    [one] = claims_of(rival_worth(results, "unigram_cache", 60.0, 99.0, ours, SMALL), 6)
    assert one["effect"]["test_perplexity_against"] == pytest.approx(99)
    assert one["against"] == "100/0 with a unigram cache (the best rival at any cost)"


def test_a_rival_at_its_cost_may_have_the_parameters_of_a_hidden_unit_more(invented):
    static = {"hidden_size": "100/20", "document_size": 0}
    results = invented(GOOD | {"110/0": 109.0}, rows=[*PAIR, static], testing=RIVALS)
    as_large = next(row for row in results.rows if row.label not in (*GOOD,))
    ours = next(row for row in results.rows if row.label == "100/20")
    assert ours.parameters < as_large.parameters < 1.01 * ours.parameters
    run = as_large.first.run.name
    cost = Side(ours, "document_vector").multiply_adds
    results = rival_worth(results, "unigram_cache", 70, 95, cost, run)
    results = rival_worth(results, "neural_cache", 65, 85, 2 * cost)
    cheap, _ = claims_of(results, 6)
    assert cheap["against"].startswith(f"{as_large.label} with a unigram cache")


def test_the_best_with_a_vector_is_set_against_the_best_without(invented):
    """Both may have a cache and whatever cell is best; `test` decides nothing."""
    lstm = {"hidden_size": 100, "cell": "lstm", "document_size": [0, 20]}
    results = invented(GOOD, rows=[*PAIR, lstm], testing=RIVALS)
    results = score(results, RUN, "neural_cache", valid=61.0, test=70.0)
    results = score(results, "invented-M100-D20-lstm-seed1", "unigram_cache", valid=20, test=60)
    results = score(results, "invented-M100-D0-lstm-seed1", "neural_cache", valid=30.0, test=80.0)
    [best] = claims_of(results, 7)
    assert best["row"] == "100/20"
    assert best["model"] == "LSTM 100/20 with a unigram cache"
    assert best["against"] == "LSTM 100/0 with a neural cache (the best without a vector)"
    assert best["verdict"] == "supported"
    # The rivals of claim 6 have the vector's own kind of hidden layer.
    assert all("LSTM" not in claim["against"] for claim in claims_of(results, 6, "100/20"))


def test_a_test_is_not_made_twice(invented):
    """If nothing that is added to the vector helps on `valid`, claim 7 is claim 6."""
    results = invented(GOOD, rows=PAIR, testing=RIVALS)
    results = score(results, RUN, "document_vector", valid=40.0)
    results = rival_worth(results, "neural_cache", 50.0, 80.0, 1.0)
    assert claims_of(results, 7) == []
    assert "claim 6" in reasons(results)[7]


def test_ngrams_are_rivals_and_a_mixture_is_a_system(invented):
    testing = {"rivals": ["neural_cache", "kneser_ney", "ngram_mixture", "mixture"]}
    results = invented(GOOD, rows=PAIR[1:], testing=testing)
    results = rival_worth(results, "mixture", 5.0, 70.0, 1.0)
    for evaluation, phrase, valid in (
        ("neural_cache", "a neural cache", 9.0),
        ("ngram_mixture", "a 5-gram model mixed in", 8.0),
    ):
        results = score(results, STATIC, evaluation, valid=valid)
        against = {claim["against"] for claim in claims_of(results, 6)}
        assert f"120/0 with {phrase} (the best rival at any cost)" in against
    [best] = claims_of(results, 7)
    assert best["against"] == "120/0 with all rivals mixed in (the best without a vector)"
    assert best["verdict"] == "not supported"


def test_sentences_are_drawn_only_where_they_are_independent(invented):
    """The invented articles have four sentences each."""
    testing = RIVALS | {"updates": ["document_vector", "all"], "unit_of_text": ["stream"]}
    shuffled = claims_of(invented(rows=PAIR, testing=testing))
    drawn = {claim["number"]: claim["effect"]["drawn"] for claim in shuffled}
    assert drawn.pop(7) in ("sentence", "block")  # as what is best on `valid` needs
    assert drawn == {1: "sentence", 2: "sentence", 3: None, 4: "block", 5: "sentence", 6: "block"}
    testing |= {"unit_of_text": ["document"]}
    found = claims_of(invented(rows=PAIR, testing=testing, corpora=IN_ORDER))
    effects = [claim["effect"] for claim in found if claim["number"] != 3]
    assert {(e["drawn"], e["pieces"], e["sentences"]) for e in effects} == {("article", 13, 50)}


LATE = {"updates": ["all"], "learn_after": ["sentence"], "unit_of_text": ["stream"]}


@pytest.mark.parametrize(
    ("changes", "tested", "untested"),
    [
        ({"rows": PAIR[-1:]}, {5}, {1, 2, 3, 4, 6, 7}),
        ({"rows": [PAIR[0], PAIR[2]]}, {1, 5}, {2, 3, 4, 6, 7}),
        ({"rows": PAIR, "testing": LATE}, {1, 2, 3, 5, 6, 7}, {4, 6}),
        ({"rows": PAIR[:1]}, set(), set()),
        (
            {
                "rows": [{**row, "cell": "lstm"} for row in PAIR],
                "testing": EVERYTHING | {"updates": ["document_vector"]},
            },
            {1, 2, 3, 5},
            {4, 6, 7},  # weights of an LSTM do not learn after every word
        ),
    ],
    ids=["alone", "small static", "after sentences", "static", "lstm"],
)
def test_what_cannot_be_tested_is_named(invented, changes, tested, untested):
    results = invented(GOOD, **changes)
    assert {claim["number"] for claim in claims_of(results)} == tested
    assert set(reasons(results)) == untested
    assert all(reasons(results).values())


def test_corpora_and_cells_are_not_mixed(invented):
    rows = [*PAIR, {**PAIR[0], "cell": "lstm"}, {**PAIR[2], "cell": "lstm"}]
    results = invented(rows=rows, corpora={"one": VITAL, "two": VITAL})
    results = score(results, "two-M100-D0-seed1", "none", test=200.0)
    one, two = claims_of(results, 1, "100/20")
    assert (one["corpus"], two["corpus"]) == ("one", "two")
    assert one["effect"]["test_perplexity_against"] < 150
    assert two["effect"]["test_perplexity_against"] == pytest.approx(200)
    lstm = claims_of(results, 1, "LSTM 100/20")
    assert {claim["against"] for claim in lstm} == {"LSTM 100/0"}
    assert "no finished static network of at least" in reasons(results, "LSTM 100/20")[2]


def test_seeds_are_pooled_paired_and_must_agree(invented):
    rows = [PAIR[0], PAIR[2]]
    results = invented({"100/0": 110.0, "100/20": 110.0}, rows=rows, seeds=[1, 2, 3])
    reached = (80.0, 108.0, 113.0)
    for seed, perplexity in enumerate(reached, start=1):
        run = f"invented-M100-D20-seed{seed}"
        results = score(results, run, "document_vector", test=perplexity)
    claim = by_number(results)[1]
    differences = np.log(110) - np.log(reached)
    half = 4.302653 * np.std(differences, ddof=1) / math.sqrt(3)
    seeds = claim["seeds"]
    assert claim["effect"]["nats_per_token"] == pytest.approx(differences.mean())
    assert (seeds["seeds"], seeds["nats_per_token"]) == (3, pytest.approx(differences.mean()))
    bounds = [differences.mean() - half, differences.mean() + half]
    assert seeds["interval_nats_per_token"] == pytest.approx(bounds)
    assert claim["effect"]["interval_percent"][1] < 0
    assert claim["p_value_holm"] < 0.05
    assert claim["verdict"] == "undecided"


def test_p_values_are_corrected_together_and_decide(invented, monkeypatch):
    results = invented(GOOD, testing=EVERYTHING)
    made = claims_of(results)
    assert all(claim["seeds"] is None for claim in made)  # there is one seed
    tested = [claim for claim in made if claim["p_value"] is not None]
    assert len(tested) == 11  # 2 vectors, claim 7 of one; that of counted costs has no p-value
    corrected = [claim["p_value_holm"] for claim in tested]
    assert corrected == holm([claim["p_value"] for claim in tested])
    monkeypatch.setattr(
        "online_rnnlm.analysis.verdicts.holm", lambda values: [0.05 for _ in values]
    )
    assert {by_number(results)[number]["verdict"] for number in (1, 2, 5)} == {"undecided"}


@pytest.mark.parametrize(
    ("interval", "adjusted", "seeds", "expected"),
    [
        ((0.1, 0.2), 0.049, None, "supported"),
        ((-0.2, -0.1), 0.049, None, "not supported"),
        ((0.1, 0.2), 0.05, None, "undecided"),
        ((-0.2, -0.1), 0.05, None, "undecided"),
        ((-0.1, 0.2), 0.001, None, "undecided"),
        ((0.1, 0.2), 0.001, (3, 0.05, 0.3), "supported"),
        ((-0.2, -0.1), 0.001, (3, -0.3, -0.05), "not supported"),
        ((0.1, 0.2), 0.001, (3, -0.1, 0.3), "undecided"),
        ((0.1, 0.2), 0.001, (3, -0.3, -0.1), "undecided"),
        ((0.1, 0.2), 0.001, (2, -0.9, 1.2), "supported"),
    ],
)
@pytest.mark.parametrize("margin", [None, 10.0])
def test_verdicts(interval, adjusted, seeds, expected, margin):
    """A verdict with a margin is about the margin in place of no difference."""
    shift = math.log1p((margin or 0) / 100)
    low, high = (bound - shift for bound in interval)
    effect = Effect(change_percent=0.0, interval_nats_per_token=(low, high), margin_percent=margin)
    over_seeds = seeds and SeedDifference(
        seeds=seeds[0],
        nats_per_token=0.0,
        interval_nats_per_token=(seeds[1] - shift, seeds[2] - shift),
        p_value=0.01,
    )
    assert verdict_of(effect, over_seeds, adjusted) == expected


def test_other_sentences_cannot_be_compared(invented):
    results = invented()
    path = results.directory.sentence_scores(STATIC, "none")
    pd.read_parquet(path).assign(tokens=7).to_parquet(path)
    update_checksums(results.directory, STATIC, "none")
    with pytest.raises(UserError, match="different sentences"):
        judge(results)


def test_the_finding_is_about_the_better_network_of_two(invented):
    rows = [
        {"hidden_size": 100, "document_size": [20, 35, 0]},
        {"hidden_size": 100, "document_size": 20, "cell": "lstm"},
    ]
    results = invented({"100/20": 99.0, "100/35": 90.0, "LSTM 100/20": 1.0}, rows=rows)
    assert headline_on(results, "invented").label == "100/20"
    assert finding(results).startswith("100/35, whose vector keeps learning, reaches")


def finding(results: Results) -> str:
    """The only finding."""
    [said] = findings(results, judge(results).claims)
    return said


@pytest.mark.parametrize(
    ("perplexities", "rows", "said"),
    [
        ({**GOOD, "100/20": 90.0}, PAIR, "of 90.0, against 110.0 of the static 100/0 ("),
        ({"100/20": 130.0, "120/0": 100.0}, PAIR[1:], "the static network is better"),
        ({"100/20": 110.01, "120/0": 110.0}, PAIR[1:], "no clear difference"),
        ({**GOOD, "100/0": 90.01}, PAIR, "no clear difference) and 108.0 of the static 120/0"),
        ({"100/20": 90.0}, PAIR[2:], "90.0, and 121.5 frozen"),
        ({"100/0": 111.0}, PAIR[:1], "111.0"),
    ],
)
def test_the_finding_says_what_came_out(invented, perplexities, rows, said):
    assert said in finding(invented(perplexities, rows=rows))


def test_every_claim_has_one_cell_in_the_table_of_verdicts(invented):
    testing = {
        **RIVALS,
        "updates": ["all", "document_vector"],
        "unit_of_text": ["sentence", "stream"],
    }
    rows = [*PAIR, {"hidden_size": 120, "document_size": 20}]
    claims = judge(invented(GOOD, rows=rows, testing=testing, seeds=[1, 2])).claims
    table = grid(claims)
    cells = [cell for row in table.cells() for cell in row[1:] if cell != NOT_TESTED]
    assert len(cells) == len(claims)
    assert sorted(cell.split(" −")[0].split(" +")[0] for cell in cells) == sorted(
        claim.verdict for claim in claims
    )
    assert table.headings == ["Claim", "100/20", "120/20"]


def test_a_claim_that_no_network_tests_has_a_row_in_the_table_of_verdicts(invented):
    found = judge(invented(GOOD))
    rows = {row[0][0]: row[1:] for row in grid(found.claims, found.not_tested).cells()}
    tested, untested = ({one.number for one in kind} for kind in (found.claims, found.not_tested))
    assert untested - tested and sorted(rows) == sorted(str(one) for one in tested | untested)
    for number in untested - tested:
        assert set(rows[str(number)]) == {NOT_TESTED}


def test_a_claim_that_one_network_does_not_test_is_not_tested_in_its_cell(invented):
    """The largest network with a vector has no static one of as many parameters."""
    found = judge(invented(GOOD, rows=[*PAIR, {"hidden_size": 120, "document_size": 20}]))
    table = grid(found.claims, found.not_tested)
    of_parameters = table.headings.index("120/20")
    cells = {row[0][0]: row[of_parameters] for row in table.cells()}
    assert cells["1"] != NOT_TESTED
    assert cells["2"] == cells["3"] == NOT_TESTED


def test_with_one_seed_every_verdict_says_so(invented):
    claims = judge(invented(GOOD, rows=PAIR)).claims
    cells = [cell for row in grid(claims, one_seed=True).cells() for cell in row[1:]]
    assert all(cell.startswith("one seed: ") for cell in cells if cell != NOT_TESTED)
