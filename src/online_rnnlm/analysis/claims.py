"""The paper's claims: in words, the two sides of each that an experiment has, and the verdicts.

The paper's summary says that its model predicts better, in less time and with fewer parameters than
a larger one. The settings are not the paper's, so each claim is tested as an idea, not on the
paper's numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from online_rnnlm.analysis.opponents import slow_units_like, static_like, static_of_as_many_units
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import LEVEL, holm
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork, best_on_valid
from online_rnnlm.config.rivals import MIXTURE
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims, Letter, UntestedClaim, Verdict
from online_rnnlm.storage.files import json_text
from online_rnnlm.storage.paths import ExperimentDirectory

AT_ITS_COST = "at its cost or less"
AT_ANY_COST = "at any cost"
MIXED = "with everything mixed in"
"""The cases of the claim on what else a user may do."""
AS_MANY_UNITS = "as many slow units as the vector has numbers"
AS_MANY_PARAMETERS = "slow units of as many parameters"
"""The cases of the claim on slow units."""
AS_LARGE = 1.01
"""The largest ratio of the parameters of two networks that count as equally large.

The parameters of about one hidden unit are 1 %."""


class PaperClaim(NamedTuple):
    """One of the claims: a network, its vector learning, is better than another on `test`."""

    name: str
    """The claim in a few words."""
    opponent: str = ""
    """The words that say exactly which network the other one is, after its name."""


CLAIMS: Mapping[Letter, PaperClaim] = {
    "a": PaperClaim(
        "better than a larger static network, for less",
        ", the smallest static network that has at least its parameters and multiply-adds per "
        "word, and is shown to take at least as much time",
    ),
    "b": PaperClaim(
        "better than a static network of as many units",
        ", the static network of as many hidden units",
    ),
    "c": PaperClaim(
        "better than a static network of as many parameters",
        ", the smallest static network with at least as many parameters",
    ),
    "d": PaperClaim(
        "better than a static network of as many multiply-adds",
        ", the smallest static network with at least as many multiply-adds per word",
    ),
    "e": PaperClaim(
        "better than a static network that takes as long",
        ", the smallest static network that is shown to take at least as much time per word",
    ),
    "f": PaperClaim(
        "better than units that do not learn in testing",
        ", a network with slow units, which do not learn in testing",
    ),
    "g": PaperClaim("better than what a static network can use instead"),
}
EQUALLY_LARGE: Mapping[Letter, str] = {"b": "units", "c": "parameters"}
"""The claims against a static network that is as large, and what it has as many of."""


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


def sides_of_claims(results: Results) -> Iterator[ClaimSides | UntestedClaim]:
    """Yield the sides of the claims on each network with a vector, or why one is not tested.

    The best with everything mixed in is compared once for each unit of text.
    """
    mixed_in: set[tuple[str, str]] = set()
    for vector in results.networks:
        if not vector.has_vector:
            continue
        yield from _against_static(results, vector)
        yield from _against_slow_units(results, vector)
        yield from _against_rivals(results, vector)
        text = (vector.corpus, vector.settings.unit_of_text)
        if text not in mixed_in:
            mixed_in.add(text)
            yield _everything_mixed_in(results, vector)


def _untested(letter: Letter, network: FinishedNetwork, reason: str) -> UntestedClaim:
    """A claim about a network that this experiment cannot test."""
    name = CLAIMS[letter].name
    return UntestedClaim(
        letter=letter, claim=name, corpus=network.corpus, row=network.network_name, reason=reason
    )


def _against_static(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network, its vector learning, against the smallest static one of each kind.

    A static one "takes as long" if both were timed and the interval of the change of time, to this
    network's from the static one's, ends at 0 or below: noise alone makes no opponent.
    """
    ours = vector.main
    static = static_like(results, vector)
    as_large = [network for network in static if network.parameters >= vector.parameters]
    as_costly = [network for network in static if network.main.multiply_adds >= ours.multiply_adds]
    as_slow = []
    for network in static:
        change = ours.change_of_time(network.main)
        if change is not None and change[1] <= 0:
            as_slow.append(network)
    in_every_respect = [one for one in as_large if one in as_costly and one in as_slow]
    same_units = static_of_as_many_units(results, vector)
    opponents: dict[Letter, tuple[list[FinishedNetwork], str]] = {
        "a": (in_every_respect, "that is shown to cost at least as much in every respect"),
        "b": ([same_units] if same_units else [], "of as many hidden units"),
        "c": (as_large, "of at least its parameters"),
        "d": (as_costly, "of at least its multiply-adds"),
        "e": (as_slow, "that is shown to take as long"),
    }
    for letter, (networks, what) in opponents.items():
        if networks:
            yield ClaimSides(letter, ours, networks[0].main)
        else:
            yield _untested(letter, vector, f"no finished static network {what}")


def _against_slow_units(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network against those that have slow units in its vector's place.

    One has as many units as the vector has numbers, one as many parameters in all: each slow unit
    has weights that read every word, which a vector has not. Of several that are as large, the
    nearest in parameters counts, and of those that are equally near the better one on `valid`. A
    network that is both counts as one of as many parameters.
    """
    if vector.settings.cell != "sigmoid":
        yield _untested("f", vector, "slow units stand beside the paper's hidden layer alone")
        return

    def distance(network: FinishedNetwork) -> tuple[int, float]:
        away = abs(network.parameters - vector.parameters)
        return away, network.main.perplexity("valid").mean()

    nearest = sorted(slow_units_like(results, vector), key=distance)
    as_large = []
    as_many = []
    for network in nearest:
        if 1 / AS_LARGE <= network.parameters / vector.parameters <= AS_LARGE:
            as_large.append(network)
        elif network.settings.context_size == vector.settings.document_size:
            as_many.append(network)
    if as_many:
        yield ClaimSides("f", vector.main, as_many[0].main, AS_MANY_UNITS)
    if as_large:
        yield ClaimSides("f", vector.main, as_large[0].main, AS_MANY_PARAMETERS)
    if not (as_many or as_large):
        yield _untested("f", vector, "no finished network with slow units in the vector's place")


def _against_rivals(
    results: Results, vector: FinishedNetwork
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a network, its vector alone learning, against static networks with one rival each.

    A rival is a cache, weights that learn or an n-gram model that is mixed in. The static networks
    have the cell and the unit of text of the one with the vector. Each side is what is best on
    `valid`: the best rival at the vector's cost or less, in multiply-adds and (`AS_LARGE`) in
    parameters, and the best at any cost; one test, if these are the same.
    """
    rivals = [
        side
        for network in static_like(results, vector)
        for side in network.tested.values()
        if side.evaluation not in (NONE, MIXTURE)
    ]
    if not rivals:
        yield _untested("g", vector, "no finished static network was tested with a rival")
        return
    ours = vector.best_adapted
    cheap = [
        rival
        for rival in rivals
        if rival.multiply_adds <= ours.multiply_adds
        and rival.parameters <= AS_LARGE * vector.parameters
    ]
    if not cheap:
        yield _untested("g", vector, "no rival that needs as few multiply-adds and parameters")
    elif best_on_valid(cheap) != best_on_valid(rivals):
        yield ClaimSides("g", ours, best_on_valid(cheap), AT_ITS_COST)
    yield ClaimSides("g", ours, best_on_valid(rivals), AT_ANY_COST)


def _everything_mixed_in(results: Results, vector: FinishedNetwork) -> ClaimSides | UntestedClaim:
    """Set the best of all networks with a vector against the best of all without one.

    Both have the unit of text of `vector`, whatever hidden layer, and all rivals mixed in.
    """
    unit = vector.settings.unit_of_text
    mixed = [
        network.tested[MIXTURE]
        for network in results.networks_on(vector.corpus)
        if network.settings.unit_of_text == unit and MIXTURE in network.tested
    ]
    ours = [side for side in mixed if side.network.has_vector]
    theirs = [side for side in mixed if not side.network.has_vector]
    if ours and theirs:
        return ClaimSides("g", best_on_valid(ours), best_on_valid(theirs), MIXED)
    reason = "no finished networks with all rivals mixed in"
    if mixed:
        lacking = "static network" if ours else "network with a vector"
        reason = f"no {lacking} among the finished ones with all rivals mixed in"
    return _untested("g", vector, reason)


def write_claims(directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(directory)))


def judge(results: Results) -> Claims:
    """Judge the claims on each network with a vector.

    The p-values are corrected together; two claims with the same two sides are one comparison.
    """
    found = list(sides_of_claims(results))
    tested = [one for one in found if isinstance(one, ClaimSides)]
    compared = {
        (ours, theirs): results.scores.compare(ours, theirs)
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
                train_tokens=results.corpora[one.ours.corpus].splits["train"].tokens,
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
