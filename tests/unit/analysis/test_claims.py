"""Tests of the claims: what each compares, its verdict, and the finding that is made of them."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from online_rnnlm.analysis.claims import (
    AS_MANY_MULTIPLY_ADDS,
    AS_MANY_PARAMETERS,
    AS_MANY_UNITS,
    BESIDE_SLOW_UNITS,
    WITHOUT_ERRORS,
    judge,
)
from online_rnnlm.analysis.figures.systems import draw_systems
from online_rnnlm.analysis.opponents import headline_on
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.of_report import NOT_TESTED, lines_of, verdicts_table
from online_rnnlm.analysis.wording import findings
from online_rnnlm.errors import UserError
from online_rnnlm.storage.experiments import Claim
from online_rnnlm.storage.files import write_json
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import (
    IN_ORDER,
    VITAL,
    again,
    change_evaluation,
    diverge_evaluation,
    read_json,
    score,
    timed,
    update_checksums,
)

PAIR: list[dict[str, Any]] = [
    {"hidden_size": 100},
    {"hidden_size": 120},
    {"hidden_size": 100, "document_size": 20},
]
SLOW: list[dict[str, Any]] = [
    {"hidden_size": 100, "cell": "slow_context", "context_size": size, "document_size": vector}
    for size, vector in ((20, 0), (10, 0), (20, 20))
]
GOOD = {"100/0": 110.0, "120/0": 108.0, "100/20": 90.0}
RIVALS = {"rivals": ["unigram_cache", "neural_cache"]}
MIXED = {"rivals": ["unigram_cache", "neural_cache", "mixture"]}
RUN = "invented-M100-D20-seed1"
STATIC = "invented-M120-D0-seed1"
SMALL = "invented-M100-D0-seed1"
MAIN = {"20": "document_vector", "D0": "none"}
"""The main evaluation by the end of a network's name in a run's."""


def claims_of(results: Results, letter: str = "", row: str = "") -> list[Claim]:
    """The claims: all, or those with a letter, or about a row."""
    found = judge(results).claims
    found = tuple(claim for claim in found if letter in ("", claim.letter))
    return [claim for claim in found if row in ("", claim.row)]


def by_letter(results: Results) -> dict[str, Claim]:
    """The claims about 100/20, by letter."""
    return {claim.letter: claim for claim in claims_of(results, row="100/20")}


def reasons(results: Results, row: str = "") -> dict[str, str]:
    """Why claims are not tested, by letter."""
    found = judge(results).not_tested
    return {claim.letter: claim.reason for claim in found if row in ("", claim.row)}


def against(claim: Claim) -> str:
    """The name of the other side."""
    return claim.comparison.theirs.name


def with_costs(results: Results, evaluation: str, run: str = RUN, **costs: float) -> Results:
    change_evaluation(results.directory, run, evaluation, **costs)
    return again(results)


@pytest.mark.parametrize("letter", ["b", "c"])
def test_a_static_network_with_exactly_as_much_is_enough(invented, letter):
    """120/0 is given the costs of 100/20; it is then no smaller in any respect."""
    results = invented(GOOD, rows=PAIR)
    vector = results.networks[-1]
    path = results.directory.run(STATIC).result
    write_json(path, read_json(path) | {"parameters": vector.parameters})
    same = vector.main.multiply_adds
    results = with_costs(results, "none", STATIC, multiply_adds_per_word=same)
    ratio = 1.2 * (100 / 120) ** 2 * (1 + 1e-9)  # equal but for rounding
    rounds = {"120/0": [ratio, 1.01 * ratio, 1.02 * ratio]}
    fake_experiment.write_timings(results.directory, results.experiment, rounds)
    claim = by_letter(again(results))[letter]
    assert against(claim) == "120/0"
    ours, theirs = claim.comparison.ours, claim.comparison.theirs
    assert ours.seconds_per_word == pytest.approx(theirs.seconds_per_word)


def test_a_network_that_costs_more_in_one_respect_only_is_not_larger(invented):
    """120/0 is larger than 100/20 in all, and in all but one here."""
    for change in ("parameters", "multiply_adds", "seconds"):
        results = invented(GOOD, rows=PAIR)
        assert against(by_letter(results)["b"]) == "120/0"
        if change == "parameters":
            path = results.directory.run(STATIC).result
            write_json(path, read_json(path) | {"parameters": 1})
        elif change == "multiply_adds":
            results = with_costs(results, "none", STATIC, multiply_adds_per_word=1.0)
        else:
            rounds = {"120/0": [0.5, 1.0, 2.0]}  # it may be faster: its median is slower
            fake_experiment.write_timings(results.directory, results.experiment, rounds)
        assert "in every respect" in reasons(again(results))["b"]


def test_the_change_of_time_is_over_the_rounds(invented):
    """120/0 takes 1.2 times as long as 100/20 by nature, with the same jitter in each round."""
    factors = (1.0, 1.1, 1.05)
    results = invented(GOOD, rows=PAIR)
    fake_experiment.write_timings(results.directory, results.experiment, {"100/20": factors})
    found = by_letter(again(results))["b"].comparison
    gains = [
        math.log(1.2 * own / factor) for own, factor in zip((1, 1.01, 1.02), factors, strict=True)
    ]
    low, high = found.seconds_change_percent
    assert low < 100 * (math.exp(-np.mean(gains)) - 1) < high < 0
    assert found.ours.seconds_per_word == pytest.approx(1.2e-5 * 1.05)


UNTESTED = {
    "in a static network": "not shown to be faster",
    "in the same network": "not timed",
}
"""Reasons why claim a is not tested, by the beginning of its case."""
EVERYTHING = {"updates": ["document_vector", "all"], "unit_of_text": ["sentence", "document"]}


def test_updating_everything_is_set_against_the_vector_alone_forgotten_at_the_same_unit(invented):
    """In the smallest static network that is as large, and in the same network."""
    results = invented({**GOOD, "135/0": 100.0}, corpora=IN_ORDER, testing=EVERYTHING)
    for evaluation, test in (("all.word.sentence", 95.0), ("all.word.document", 85.0)):
        for run in (STATIC, RUN):
            results = score(results, run, evaluation, test=test)
    results = score(results, RUN, "document_vector.word.document", test=80.0)
    found = {claim.case: claim for claim in claims_of(results, "a", "100/20")}
    sides = {
        case: (claim.comparison.ours.evaluation, claim.comparison.theirs.network)
        for case, claim in found.items()
    }
    assert sides == {
        "in a static network, forgotten at the sentence": ("document_vector", "120/0"),
        "in a static network, forgotten at the article": ("document_vector.word.document", "120/0"),
        "in the same network, forgotten at the sentence": ("document_vector", "100/20"),
        "in the same network, forgotten at the article": (
            *("document_vector.word.document", "100/20"),
        ),
    }
    changes = [claim.comparison.change_percent for claim in found.values()]
    by_hand = [100 * (90 / 95 - 1), 100 * (80 / 85 - 1)]
    assert changes == pytest.approx([by_hand[0], by_hand[1]] * 2)
    # What is not shown to be faster, or was not timed, is not better and faster. It is timed at one
    # unit of text for all.
    results = timed(results, "120/0", "all.word.sentence", [1e-6, 9e-6, 1e-4])
    results = timed(results, "100/20", "all.word.sentence", [])
    untested = {
        claim.case: claim.reason for claim in judge(results).not_tested if claim.letter == "a"
    }
    assert untested == {case: UNTESTED[case.partition(",")[0]] for case in sides}
    assert claims_of(results, "a", "100/20") == []


def test_what_does_not_learn_is_set_against_the_vector_and_the_vector_beside_it(invented):
    without = {"hidden_size": 100, "document_size": 20, "document_step": "words"}
    costly = {"hidden_size": 100, "cell": "slow_context", "context_size": [27, 28]}
    rows = [PAIR[0], PAIR[2], *SLOW, without, costly]
    kept = {"updates": ["document_vector"], "unit_of_text": ["document"]}
    results = invented(GOOD, rows=rows, corpora=IN_ORDER, testing=kept)
    vector = next(row for row in results.networks if row.network_name == "100/20")
    path = results.directory.run("invented-M100-C10-D0-seed1").result
    write_json(path, read_json(path) | {"parameters": vector.parameters + 7})
    ours = vector.main.multiply_adds
    for size, ratio in ((27, 0.985), (28, 1.019), (20, 0.97)):
        run = f"invented-M100-C{size}-D0-seed1"
        results = with_costs(results, "none", run, multiply_adds_per_word=ratio * ours)
    found = {claim.case: claim for claim in claims_of(results, "d", "100/20")}
    opponents = {
        AS_MANY_UNITS: "100+20/0",
        AS_MANY_PARAMETERS: "100+10/0",
        AS_MANY_MULTIPLY_ADDS: "100+27/0",  # the nearest
        WITHOUT_ERRORS: "100/20 without errors",
    }
    assert {case: against(claim) for case, claim in found.items()} == opponents | {
        f"{case}, forgotten at the article": f"{name} kept for the article"
        for case, name in opponents.items()
    }
    at_the_article = found[f"{WITHOUT_ERRORS}, forgotten at the article"].comparison
    assert at_the_article.ours.name == "100/20 kept for the article"
    both = {claim.case: claim for claim in claims_of(results, "d", "100+20/20")}
    assert {case: against(claim) for case, claim in both.items()} == {
        BESIDE_SLOW_UNITS: "100+20/0",
        f"{BESIDE_SLOW_UNITS}, forgotten at the article": "100+20/0 kept for the article",
    }
    # No claim is about the network without errors, and none is near enough in the first place.
    assert {claim.row for claim in claims_of(results)} == {"100/20", "100+20/20"}
    write_json(path, read_json(path) | {"parameters": round(1.02 * vector.parameters)})
    for size in (27, 28):
        run = f"invented-M100-C{size}-D0-seed1"
        results = with_costs(results, "none", run, multiply_adds_per_word=0.975 * ours)
    cases = [claim.case for claim in claims_of(results, "d", "100/20")]
    assert AS_MANY_PARAMETERS not in cases and AS_MANY_MULTIPLY_ADDS not in cases


@pytest.mark.parametrize(
    ("larger_by", "valid", "counts"),
    [
        ((-900, 7, 900), (1.0, 3.0, 2.0), "100+10/0"),  # the nearest, whatever is better
        ((7, 900, -900), (3.0, 1.0, 2.0), "100+9/0"),
        ((900, -7, 7), (1.0, 2.0, 3.0), "100+10/0"),  # of two equally near, the better
        ((900, -7, 7), (1.0, 3.0, 2.0), "100+11/0"),
    ],
)
def test_of_slow_units_of_as_many_parameters_the_nearest_counts(invented, larger_by, valid, counts):
    slow = {"hidden_size": 100, "cell": "slow_context", "context_size": [9, 10, 11]}
    results = invented(GOOD, rows=[PAIR[2], slow])
    parameters = results.networks[0].parameters
    for size, larger, perplexity in zip((9, 10, 11), larger_by, valid, strict=True):
        assert abs(larger) < 0.01 * parameters
        run = f"invented-M100-C{size}-D0-seed1"
        path = results.directory.run(run).result
        write_json(path, read_json(path) | {"parameters": parameters + larger})
        results = score(results, run, "none", valid=perplexity)
    [claim] = claims_of(results, "d")
    assert against(claim) == counts


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
    ours = results.networks[-1].main.multiply_adds
    results = rival_worth(results, "unigram_cache", 70.0, 95.0, ours, SMALL)
    results = rival_worth(results, "unigram_cache", 69.0, 94.0, ours)
    results = rival_worth(results, "neural_cache", 65.0, 85.0, 2 * ours)
    cheap, best = claims_of(results, "e")
    assert against(cheap) == "100/0 with a unigram cache"
    assert against(best) == "120/0 with a neural cache"
    assert (cheap.case, best.case) == ("at its cost or less", "at any cost")
    assert (cheap.verdict, best.verdict) == ("supported", "refuted")
    assert cheap.comparison.theirs.test_perplexity == pytest.approx(95)
    other = rival_worth(results, "unigram_cache", 70.0, 85.0, ours, SMALL)
    other = rival_worth(other, "neural_cache", 65.0, 95.0, 2 * ours)
    assert [claim.verdict for claim in claims_of(other, "e")] == ["refuted", "supported"]
    # The better one on `valid` counts, not the better one on `test`.
    [one] = claims_of(rival_worth(results, "unigram_cache", 60.0, 99.0, ours, SMALL), "e")
    assert one.comparison.theirs.test_perplexity == pytest.approx(99)
    assert (against(one), one.case) == ("100/0 with a unigram cache", "at any cost")


def test_a_rival_at_its_cost_may_have_the_parameters_of_a_hidden_unit_more(invented):
    static = {"hidden_size": "100/20", "document_size": 0}
    results = invented(GOOD | {"110/0": 109.0}, rows=[*PAIR, static], testing=RIVALS)
    as_large = next(row for row in results.networks if row.network_name not in (*GOOD,))
    ours = next(row for row in results.networks if row.network_name == "100/20")
    assert ours.parameters < as_large.parameters < 1.01 * ours.parameters
    run = as_large.first.run.name
    cost = ours.main.multiply_adds
    results = rival_worth(results, "unigram_cache", 70, 95, cost, run)
    results = rival_worth(results, "neural_cache", 65, 85, 2 * cost)
    cheap, _ = claims_of(results, "e")
    assert against(cheap) == f"{as_large.network_name} with a unigram cache"


def test_the_best_of_everything_mixed_in_is_set_against_the_best_without_a_vector(invented):
    """Both may have whatever cell is best on `valid`; each unit of text has a test of its own."""
    lstm = {"hidden_size": 100, "cell": "lstm", "document_size": [0, 20]}
    articles = {"hidden_size": 100, "document_size": [0, 20], "unit_of_text": "document"}
    rows = [*PAIR, lstm, articles]
    results = invented(GOOD, rows=rows, testing=MIXED, corpora=IN_ORDER)
    results = score(results, "invented-M100-D20-lstm-seed1", "mixture", valid=20, test=60)
    results = score(results, "invented-M100-D0-lstm-seed1", "mixture", valid=30.0, test=80.0)
    results = score(results, "invented-M100-D20-document-seed1", "mixture", valid=2, test=70)
    article, sentence = sorted(claims_of(results, "f"), key=lambda claim: claim.row)
    assert (sentence.row, article.row) == ("LSTM 100/20", "100/20 per article")
    assert sentence.comparison.ours.name == "LSTM 100/20 with all rivals mixed in"
    assert against(sentence) == "LSTM 100/0 with all rivals mixed in"
    assert sentence.verdict == "supported"
    assert article.comparison.ours.test_perplexity == pytest.approx(70)
    assert against(article) == "100/0 per article with all rivals mixed in"
    # One rival is one of the vector's own kind of hidden layer.
    assert all("LSTM" not in against(claim) for claim in claims_of(results, "e", "100/20"))


@pytest.mark.parametrize(
    ("diverged", "lacking"),
    [(SMALL, "network without one that learns"), (RUN, "network with a vector")],
)
def test_what_lacks_everything_mixed_in_is_named(invented, diverged, lacking):
    results = invented(GOOD, rows=[PAIR[0], PAIR[2]], testing=MIXED)
    diverge_evaluation(results.directory, diverged, "mixture", "a rival diverged")
    reason = f"no {lacking} among the finished ones with all rivals mixed in"
    assert reasons(again(results))["f"] == reason


@pytest.mark.parametrize(
    ("changes", "tested", "untested"),
    [
        ({"rows": PAIR[-1:]}, "", "abcdef"),
        ({"rows": [PAIR[0], PAIR[2]]}, "", "abcdef"),
        ({"rows": PAIR, "testing": RIVALS}, "bce", "adf"),
        ({"rows": PAIR[:1]}, "", ""),
        ({"rows": [{**row, "cell": "lstm"} for row in PAIR]}, "bc", "adef"),
    ],
    ids=["alone", "small static", "rivals", "static", "lstm"],
)
def test_claims_that_cannot_be_tested_are_named(invented, changes, tested, untested):
    results = invented(GOOD, **changes)
    assert {claim.letter for claim in claims_of(results)} == {*tested}
    assert {*reasons(results)} == {*untested}
    assert all(reasons(results).values())


def test_corpora_and_cells_are_not_mixed(invented):
    rows = [*PAIR, {**PAIR[1], "cell": "lstm"}, {**PAIR[2], "cell": "lstm"}]
    results = invented(rows=rows, corpora={"one": VITAL, "two": VITAL})
    results = score(results, "two-M120-D0-seed1", "none", test=200.0)
    one, two = claims_of(results, "c", "100/20")
    assert (one.corpus, two.corpus) == ("one", "two")
    assert one.comparison.theirs.test_perplexity < 150
    assert two.comparison.theirs.test_perplexity == pytest.approx(200)
    assert {against(claim) for claim in claims_of(results, row="LSTM 100/20")} == {"LSTM 120/0"}


def test_the_chance_in_the_seeds_is_pooled_over_all_networks(invented):
    """By hand: log perplexities of 4.5 ± 0.1, 4.6 ± 0.2 and 4.7 ± 0; those of one network that is
    tested in two ways are paired."""
    logs = {"M100-D20": (4.4, 4.6), "M120-D0": (4.4, 4.8), "M100-D0": (4.7, 4.7)}
    kept = {"updates": ["document_vector"], "unit_of_text": ["stream"]}
    results = invented(rows=PAIR, seeds=[1, 2], testing=kept)
    for network, values in logs.items():
        for seed, value in enumerate(values, start=1):
            run = f"invented-{network}-seed{seed}"
            results = score(results, run, MAIN[network[-2:]], test=math.exp(value))
    for seed, value in enumerate((4.3, 4.2), start=1):
        run = f"invented-M100-D20-seed{seed}"
        results = score(results, run, "document_vector.word.stream", test=math.exp(value))
    _, static, vector = results.networks
    # The squares are 2 · 0.1², 2 · 0.2² and 0, with a degree of freedom each.
    pooled = (2 * 0.1**2 + 2 * 0.2**2) / 3
    chance = results.chance_in_seeds(vector.main, static.main)
    assert chance == (pytest.approx(pooled * (1 / 2 + 1 / 2), rel=1e-4), 3)
    never = vector.tested["document_vector.word.stream"]
    # The gains of the seeds are 0.1 and 0.4, with a variance of 2 · 0.15².
    paired = results.chance_in_seeds(never, vector.main)
    assert paired == (pytest.approx(2 * 0.15**2 / 2, rel=1e-4), 1)
    found = by_letter(results)["c"].comparison
    assert found.nats_per_token == pytest.approx(0.1, rel=1e-4)
    low, high = found.interval_nats_per_token
    # The text adds next to nothing.
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 3) * math.sqrt(pooled), rel=0.01)
    one_seed = invented(rows=PAIR)
    assert one_seed.chance_in_seeds(*(row.main for row in one_seed.networks[:2])) is None


def test_scores_of_another_text_are_refused(invented):
    results = invented()
    path = results.directory.token_scores(STATIC, "none")
    np.save(path, np.load(path)[1:])
    update_checksums(results.directory, STATIC, "none")
    with pytest.raises(UserError, match=f"^{path}: has scores of .* tokens, but .* in `test`$"):
        judge(results)


def test_the_finding_and_the_bold_name_are_of_the_headline_though_another_is_better(invented):
    rows = [
        {"hidden_size": 100, "document_size": [20, 35, 0]},
        {"hidden_size": 100, "document_size": 20, "cell": "lstm"},
    ]
    results = invented({"100/20": 99.0, "100/35": 90.0, "LSTM 100/20": 1.0}, rows=rows)
    assert headline_on(results, "invented").network_name == "100/20"
    assert finding(results).startswith("100/20, whose vector keeps learning, has")
    figure, _ = draw_systems(results)
    names = [text for axis in figure.axes for text in axis.texts]
    assert [text.get_text() for text in names if text.get_weight() == "bold"] == ["100/20  99.0"]


def finding(results: Results) -> str:
    """The only finding."""
    [said] = findings(results, judge(results).claims)
    return said


@pytest.mark.parametrize(
    ("perplexities", "rows", "said"),
    [
        ({**GOOD, "100/20": 90.0}, PAIR, "of 90.0: 18 % below the static 100/0, for"),
        ({"100/20": 130.0, "120/0": 100.0}, PAIR[1:], "30 % above the static 120/0, for"),
        ({"100/20": 110.01, "120/0": 110.0}, PAIR[1:], "equal to the static 120/0, for"),
        ({**GOOD, "100/20": 90.0}, PAIR, "17 % less time (supported); one seed."),
        ({**GOOD, "100/20": 90.0}, PAIR, "20 % more time; 17 % below the static 120/0"),
        ({"100/20": 90.0}, PAIR[2:], "90.0, and 121.5 frozen"),
        ({"100/0": 111.0}, PAIR[:1], "111.0"),
    ],
)
def test_the_finding_says_what_came_out_and_what_it_costs(invented, perplexities, rows, said):
    """100/20 takes 1.2 times as long as 100/0, and 120/0 takes 1.44 times as long."""
    assert said in finding(invented(perplexities, rows=rows))


def test_every_claim_has_one_cell_in_the_table_of_verdicts(invented):
    """120/20 has no static network of as many parameters, so that some of its cells are empty."""
    rows = [*PAIR, {"hidden_size": 120, "document_size": 20}]
    found = judge(invented(GOOD, rows=rows, testing=MIXED))
    for one_seed, begins in ((False, ""), (True, "one seed: ")):
        table = verdicts_table(found.claims, found.not_tested, one_seed=one_seed)
        assert table.headings == ["Claim", "100/20", "120/20"]
        filled = [cell for row in table.cells() for cell in row[1:] if cell != NOT_TESTED]
        assert sorted(cell.split(" −")[0].split(" +")[0] for cell in filled) == sorted(
            f"{begins}{claim.verdict}" for claim in found.claims
        )
        looks = {
            column.classes(row).split()[-1] for row in table.rows for column in table.columns[1:]
        }
        coloured = () if one_seed else (claim.verdict for claim in found.claims)
        assert looks == {"muted", *coloured}
        lines = lines_of(table)
        assert [line.partition(":")[0] for line in lines] == [row[0] for row in table.cells()]
        of_b = next(line for line in lines if line.startswith("b."))
        assert f"100/20 ({begins}supported" in of_b and "120/20" not in of_b  # not tested
        cells = {row[0][0]: row[1:] for row in table.cells()}
        assert cells["b"][1] == cells["c"][1] == NOT_TESTED != cells["e"][1]
        assert cells["d"] == [NOT_TESTED] * 2  # no network tests it
