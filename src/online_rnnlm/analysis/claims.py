"""The paper's claims: in words, the two sides of each that an experiment has, and the verdicts.

The paper's summary says that updating only a small part of the model in testing gives better
results with faster execution and fewer parameters. The settings are not the paper's, so each claim
is tested as an idea, not on the paper's numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

from online_rnnlm.analysis.opponents import (
    as_large_as,
    slow_units_like,
    static_like,
    static_of_as_many_units,
    updated_static_like,
    without_errors_like,
)
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import LEVEL, holm
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork, best_on_valid
from online_rnnlm.config.rivals import MIXTURE
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Part
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims, Letter, UntestedClaim, Verdict
from online_rnnlm.storage.files import json_text
from online_rnnlm.storage.paths import ExperimentDirectory

FORGOTTEN: Mapping[UnitOfText, str] = {
    "sentence": "forgotten at the sentence",
    "document": "forgotten at the article",
    "stream": "never forgotten",
}
"""The words of a case for the unit of text at whose end both sides forget what was updated."""
AS_MANY_UNITS = "as many slow units as the vector has numbers"
AS_MANY_PARAMETERS = "slow units of as many parameters"
AS_MANY_MULTIPLY_ADDS = "slow units of as many multiply-adds"
WITHOUT_ERRORS = "the same network whose step leaves the error out"
BESIDE_SLOW_UNITS = "the same slow units without the vector"
"""The cases of the claim on what does not learn."""
AT_ITS_COST = "at its cost or less"
AT_ANY_COST = "at any cost"
"""The cases of the claim on what else a user may do."""
AS_LARGE = 1.01
"""The largest ratio of the parameters of two networks that count as equally large.

The parameters of about one hidden unit are 1 %."""
AS_COSTLY = 1.02
"""The largest ratio of the multiply-adds of two networks that count as equally costly."""
VECTOR: tuple[Part, ...] = (DOCUMENT_VECTOR,)
"""The parts of which the vector alone is updated."""


class PaperClaim(NamedTuple):
    """One of the claims: a network, its vector learning, is better than another on `test`."""

    name: str
    """The claim in a few words."""
    opponent: str = ""
    """The words that say exactly which network the other one is, after its name."""


CLAIMS: Mapping[Letter, PaperClaim] = {
    "a": PaperClaim(
        "better and faster than updating everything", ", and is shown to take no more time"
    ),
    "b": PaperClaim(
        "better than a larger static network, for less",
        ", the smallest static network that has at least its parameters and multiply-adds per "
        "word, and is shown to take at least as much time",
    ),
    "c": PaperClaim(
        "better than a static network of as many parameters",
        ", the smallest static network with at least as many parameters",
    ),
    "d": PaperClaim(
        "better than what does not learn in testing", ", which does not learn in testing"
    ),
    "e": PaperClaim("better than what a static network can use instead"),
    "f": PaperClaim("better with everything mixed in"),
}


def heading_of(letter: Letter, case: str = "") -> str:
    """A claim's letter and its short form, with the case if it has several."""
    return f"{letter}. {CLAIMS[letter].name}{', ' if case else ''}{case}"


class ClaimSides(NamedTuple):
    """The two sides of a claim."""

    letter: Letter
    ours: TestedNetwork
    """The side that the claim calls the better one; the claim is about its network."""
    theirs: TestedNetwork
    """The side that it is compared with."""
    case: str = ""
    """The case, if the claim has several."""


def sides_of_claims(results: Results) -> list[ClaimSides | UntestedClaim]:
    """The sides of the claims on each network whose vector learns, or why one is not tested.

    They are in the order of the claims, then of the hidden sizes. The best with everything mixed in
    is compared once for each unit of text.
    """
    found: list[ClaimSides | UntestedClaim] = []
    mixed_in: set[tuple[str, str]] = set()
    for vector in sorted(results.networks, key=lambda network: network.settings.hidden_size):
        if not vector.learns:
            continue
        found += _against_updating_everything(results, vector)
        found += _against_static(results, vector)
        found += _against_what_does_not_learn(results, vector)
        found += _against_rivals(results, vector)
        text = (vector.corpus, vector.settings.unit_of_text)
        if text not in mixed_in:
            mixed_in.add(text)
            found.append(_everything_mixed_in(results, vector))
    headings = [*dict.fromkeys((one.letter, one.case) for one in found)]
    return sorted(found, key=lambda one: (one.letter, headings.index((one.letter, one.case))))


def _untested(
    letter: Letter, network: FinishedNetwork, reason: str, case: str = ""
) -> UntestedClaim:
    """A claim about a network that this experiment cannot test."""
    return UntestedClaim(
        letter=letter,
        claim=CLAIMS[letter].name,
        case=case,
        corpus=network.corpus,
        row=network.network_name,
        reason=reason,
    )


def _against_updating_everything(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network, its vector alone updated, against one in which everything is.

    This is the static one that is nearest in parameters, and the same network, whose vector is then
    updated, too. Both forget at the same unit of text. The vector must be shown to
    be faster: both were timed, and the interval of the change of time ends at 0 or below.
    """
    found = False
    opponents = {
        "in a static network": updated_static_like(results, vector),
        "in the same network": vector,
    }
    for whose, network in opponents.items():
        for unit in get_args(UnitOfText):
            ours = vector.updating(VECTOR, unit)
            theirs = network.updating(PARTS, unit) if network else None
            if ours is None or theirs is None:
                continue
            found = True
            case = f"{whose}, {FORGOTTEN[unit]}"
            change = ours.change_of_time(theirs)
            if change is None:
                yield _untested("a", vector, "not timed", case)
            elif change[1] > 0:
                yield _untested("a", vector, "not shown to be faster", case)
            else:
                yield ClaimSides("a", ours, theirs, case)
    if not found:
        yield _untested("a", vector, "no such network was tested with everything updated")


def _against_static(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network, its vector learning, against the smallest static ones that are larger.

    One takes at least as much time if both were timed and the interval of the change of time, to
    this network's from the static one's, ends at 0 or below: noise alone makes no opponent.
    """
    ours = vector.main
    as_large = as_large_as(results, vector)
    in_every_respect = []
    for network in as_large:
        change = ours.change_of_time(network.main)
        is_as_slow = change is not None and change[1] <= 0
        if is_as_slow and network.main.multiply_adds >= ours.multiply_adds:
            in_every_respect.append(network)
    opponents: dict[Letter, tuple[list[FinishedNetwork], str]] = {
        "b": (in_every_respect, "that is shown to cost at least as much in every respect"),
        "c": (as_large, "of at least its parameters"),
    }
    for letter, (networks, what) in opponents.items():
        if networks:
            yield ClaimSides(letter, ours, networks[0].main)
        else:
            yield _untested(letter, vector, f"no finished static network {what}")


def _against_what_does_not_learn(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network against those that remember, but do not learn in testing.

    They have slow units in its vector's place (each slow unit has weights that read every word,
    which a vector has not), a vector whose step leaves the error out, or only the slow units that a
    network has beside its vector. Both sides forget at the unit of text of training or, where both
    were tested so, at the article.
    """
    cases: dict[str, FinishedNetwork | None] = {}
    slow_units = slow_units_like(results, vector)
    size = vector.settings.document_size
    as_many = [network for network in slow_units if network.settings.context_size == size]
    cases[AS_MANY_UNITS] = as_many[0] if as_many else None
    cases[AS_MANY_PARAMETERS] = _nearest(
        slow_units, vector, lambda one: one.parameters, at_most=AS_LARGE
    )
    cases[AS_MANY_MULTIPLY_ADDS] = _nearest(
        slow_units, vector, lambda one: one.main.multiply_adds, at_most=AS_COSTLY
    )
    cases[WITHOUT_ERRORS] = without_errors_like(results, vector)
    if vector.settings.network.context_units:
        cases[BESIDE_SLOW_UNITS] = static_of_as_many_units(results, vector)
    if not any(cases.values()):
        yield _untested("d", vector, "no finished network that only remembers in its place")
    for case, network in cases.items():
        if network is None:
            continue
        trained = vector.settings.unit_of_text
        yield ClaimSides("d", vector.main, network.main, case)
        ours = vector.updating(VECTOR, "document")
        theirs = network.updating(VECTOR if network.has_vector else (), "document")
        if ours and theirs and trained != "document":
            yield ClaimSides("d", ours, theirs, f"{case}, {FORGOTTEN['document']}")


def _nearest(
    networks: Sequence[FinishedNetwork],
    vector: FinishedNetwork,
    cost: Callable[[FinishedNetwork], float],
    at_most: float,
) -> FinishedNetwork | None:
    """The network whose cost is nearest to another's; None if no ratio is within a bound.

    Of those that are equally near, the better one on `valid` counts.
    """
    near = [one for one in networks if 1 / at_most <= cost(one) / cost(vector) <= at_most]

    def distance(network: FinishedNetwork) -> tuple[float, float]:
        return abs(cost(network) - cost(vector)), network.main.perplexity("valid").mean()

    return min(near, key=distance, default=None)


def _against_rivals(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network, its vector alone updated, against static networks with one rival each.

    A rival is a cache, weights that are updated or an n-gram model that is mixed in. The static
    networks have the cell and the unit of text of the one with the vector. Each side is what is
    best on `valid`: the best rival at the vector's cost or less, in multiply-adds and (`AS_LARGE`)
    in parameters, and the best at any cost; one test, if these are the same.
    """
    rivals = [
        side
        for network in static_like(results, vector)
        for side in network.tested.values()
        if side.updates_weights or (side.rival and side.evaluation != MIXTURE)
    ]
    if not rivals:
        yield _untested("e", vector, "no finished static network was tested with a rival")
        return
    ours = vector.best_adapted
    cheap = [
        rival
        for rival in rivals
        if rival.multiply_adds <= ours.multiply_adds
        and rival.parameters <= AS_LARGE * vector.parameters
    ]
    if not cheap:
        yield _untested("e", vector, "no rival that needs as little", AT_ITS_COST)
    elif best_on_valid(cheap) != best_on_valid(rivals):
        yield ClaimSides("e", ours, best_on_valid(cheap), AT_ITS_COST)
    yield ClaimSides("e", ours, best_on_valid(rivals), AT_ANY_COST)


def _everything_mixed_in(results: Results, vector: FinishedNetwork) -> ClaimSides | UntestedClaim:
    """Set the best of all networks whose vector learns against the best of all others.

    Both have the unit of text of `vector`, whatever hidden layer, and all rivals mixed in.
    """
    unit = vector.settings.unit_of_text
    mixed = [
        network.tested[MIXTURE]
        for network in results.networks_on(vector.corpus)
        if network.settings.unit_of_text == unit and MIXTURE in network.tested
    ]
    ours = [side for side in mixed if side.network.learns]
    theirs = [side for side in mixed if not side.network.learns]
    if ours and theirs:
        return ClaimSides("f", best_on_valid(ours), best_on_valid(theirs))
    reason = "no finished networks with all rivals mixed in"
    if mixed:
        lacking = "network without one that learns" if ours else "network with a vector"
        reason = f"no {lacking} among the finished ones with all rivals mixed in"
    return _untested("f", vector, reason)


def write_claims(directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(directory)))


def judge(results: Results) -> Claims:
    """Judge the claims on each network with a vector.

    The p-values are corrected together; two claims with the same two sides are one comparison.
    """
    found = sides_of_claims(results)
    tested = [one for one in found if isinstance(one, ClaimSides)]
    compared = {
        (ours, theirs): results.compare(ours, theirs)
        for ours, theirs in dict.fromkeys((one.ours, one.theirs) for one in tested)
    }
    p_values = holm([comparison.p_value for comparison in compared.values()])
    corrected = dict(zip(compared, p_values, strict=True))
    claims = []
    for one in tested:
        sides = (one.ours, one.theirs)
        comparison = compared[sides]
        claims.append(
            Claim(
                letter=one.letter,
                claim=f"{comparison.ours.name}, its vector learning, has a lower test perplexity "
                f"than {comparison.theirs.name}{CLAIMS[one.letter].opponent}.",
                case=one.case,
                corpus=one.ours.corpus,
                row=one.ours.network.network_name,
                comparison=comparison,
                p_value_holm=corrected[sides],
                verdict=verdict_of(comparison.nats_per_token, corrected[sides]),
            )
        )
    settings = json_text(results.experiment.of_results())
    return Claims(
        settings=hashlib.sha256(settings.encode()).hexdigest(),
        claims=tuple(claims),
        not_tested=tuple(one for one in found if isinstance(one, UntestedClaim)),
    )


def verdict_of(gain: float, p_value: float) -> Verdict:
    """The verdict on a claim, by the gain of its side and the corrected p-value."""
    if p_value >= LEVEL:
        return "undecided"
    return "supported" if gain > 0 else "refuted"
