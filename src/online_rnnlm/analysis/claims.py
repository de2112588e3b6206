"""The paper's claims in words, and the two sides of each that an experiment has.

The paper's summary says that its model predicts better, in less time and with fewer parameters than
a larger one. The settings are not the paper's, so each claim is tested as an idea, not on the
paper's numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from online_rnnlm.analysis.headline import (
    has_as_many_multiply_adds,
    has_as_many_parameters,
    smallest_static,
    static_of_as_many_units,
    static_rows_like,
    takes_as_long,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import FinishedRow, Side
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.core.way import NONE
from online_rnnlm.storage.claims import Letter, UntestedClaim

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
ONE_SEED = (
    "There is one seed: the verdicts allow for chance in the test text, but not for chance in "
    "training."
)


class PaperClaim(NamedTuple):
    """One of the claims."""

    name: str
    """A short form of the claim in words; better is a lower test perplexity."""
    text: str
    """The claim as a sentence, with `{model}` and `{against}` in place of the two sides."""


CLAIMS: Mapping[Letter, PaperClaim] = {
    "a": PaperClaim(
        "better than a larger static network, for less",
        "{model}, its vector learning, has a lower test perplexity than {against}, the smallest "
        "static network that has at least its parameters and multiply-adds per word, and than "
        "which it is not shown to take more time.",
    ),
    "b": PaperClaim(
        "better than a static network of as many units",
        "{model}, its vector learning, has a lower test perplexity than {against}, the static "
        "network of as many hidden units.",
    ),
    "c": PaperClaim(
        "better than a static network of as many parameters",
        "{model}, its vector learning, has a lower test perplexity than {against}, the smallest "
        "static network with at least as many parameters.",
    ),
    "d": PaperClaim(
        "better than a static network of as many multiply-adds",
        "{model}, its vector learning, has a lower test perplexity than {against}, the smallest "
        "static network with at least as many multiply-adds per word.",
    ),
    "e": PaperClaim(
        "better than a static network that takes as long",
        "{model}, its vector learning, has a lower test perplexity than {against}, the smallest "
        "static network than which it is not shown to take more time per word.",
    ),
    "f": PaperClaim(
        "better than units that remember and do not learn",
        "{model}, its vector learning, has a lower test perplexity than {against}, a network with "
        "slow units, which do not learn in testing.",
    ),
    "g": PaperClaim(
        "better than what a static network can use instead",
        "{model}, its vector learning, has a lower test perplexity than {against}.",
    ),
}


def heading_of(letter: Letter, case: str = "") -> str:
    """A claim's letter and its short form, with the case if it has several."""
    return f"{letter}. {CLAIMS[letter].name}{', ' if case else ''}{case}"


class ClaimSides(NamedTuple):
    """The two sides of a claim."""

    letter: Letter
    row: FinishedRow
    """The row that the claim is about."""
    ours: Side
    """The side that the claim calls the better one."""
    theirs: Side
    """The side that it is compared with."""
    case: str = ""
    """The case, if the claim has several."""


def sides_of_claims(results: Results) -> Iterator[ClaimSides | UntestedClaim]:
    """Yield the sides of all claims, vector row by vector row, or why a claim is not tested.

    The best with everything mixed in is compared once for each unit of text.
    """
    mixed_in: set[tuple[str, str]] = set()
    for vector in results.rows:
        if not vector.has_vector:
            continue
        learning = Side(vector, vector.final)
        larger = smallest_static(
            results, vector, has_as_many_parameters, has_as_many_multiply_adds, takes_as_long
        )
        same_units = static_of_as_many_units(results, vector)
        same_parameters = smallest_static(results, vector, has_as_many_parameters)
        same_adds = smallest_static(results, vector, has_as_many_multiply_adds)
        as_slow = smallest_static(results, vector, takes_as_long)
        opponents: dict[Letter, tuple[FinishedRow | None, str]] = {
            "a": (larger, "that costs at least as much in every respect"),
            "b": (same_units, "of as many hidden units"),
            "c": (same_parameters, "of at least its parameters"),
            "d": (same_adds, "of at least its multiply-adds"),
            "e": (as_slow, "that takes as long"),
        }
        for letter, (static, what) in opponents.items():
            if static is None:
                yield _untested(letter, vector, f"no finished static network {what}")
            else:
                yield ClaimSides(letter, vector, learning, Side(static, NONE))
        yield from _against_slow_units(results, vector)
        yield from _against_rivals(results, vector)
        text = (vector.corpus, vector.settings.unit_of_text)
        if text not in mixed_in:
            mixed_in.add(text)
            yield _everything_mixed_in(results, vector)


def _untested(letter: Letter, row: FinishedRow, reason: str) -> UntestedClaim:
    """A claim about a row that this experiment cannot test."""
    name = CLAIMS[letter].name
    return UntestedClaim(letter=letter, claim=name, corpus=row.corpus, row=row.label, reason=reason)


def _against_slow_units(
    results: Results, vector: FinishedRow
) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a row against those that have slow units in its vector's place.

    One has as many units as the vector has numbers, one as many parameters in all: each slow unit
    has weights that read every word, which a vector has not.
    """
    if vector.settings.cell != "sigmoid":
        yield _untested("f", vector, "slow units stand beside the paper's hidden layer alone")
        return
    learning = Side(vector, vector.final)
    cases = {}
    for row in results.rows_on(vector.corpus):
        is_control = row.settings.cell == "slow_context" and not row.has_vector
        same_size = row.settings.hidden_size == vector.settings.hidden_size
        same_unit = row.settings.unit_of_text == vector.settings.unit_of_text
        if not (is_control and same_size and same_unit):
            continue
        if 1 / AS_LARGE <= row.parameters / vector.parameters <= AS_LARGE:
            cases[AS_MANY_PARAMETERS] = row
        elif row.settings.context_size == vector.settings.document_size:
            cases[AS_MANY_UNITS] = row
    for case, row in cases.items():
        yield ClaimSides("f", vector, learning, Side(row, NONE), case)
    if not cases:
        yield _untested("f", vector, "no finished network with slow units in the vector's place")


def _against_rivals(results: Results, vector: FinishedRow) -> Iterator[ClaimSides | UntestedClaim]:
    """Set a row, its vector alone learning, against static rows with one rival each.

    A rival is a cache, weights that learn or an n-gram model that is mixed in. The static rows have
    the vector row's cell and unit. Each side is what is best on `valid`: the best rival at the
    vector's cost or less, in multiply-adds and (`AS_LARGE`) in parameters, and the best at any
    cost; one test, if these are the same.
    """
    rivals = [
        side
        for side in _sides(static_rows_like(results, vector))
        if side.evaluation not in (NONE, MIXTURE)
    ]
    if not rivals:
        yield _untested("g", vector, "no finished static network was tested with a rival")
        return
    ours = _best([side for side in _sides([vector]) if side.only_vector_learns])
    cheap = [
        rival
        for rival in rivals
        if rival.multiply_adds <= ours.multiply_adds
        and results.parameters_of(*rival) <= AS_LARGE * vector.parameters
    ]
    if not cheap:
        yield _untested("g", vector, "no rival that needs as few multiply-adds and parameters")
    elif _best(cheap) != _best(rivals):
        yield ClaimSides("g", vector, ours, _best(cheap), AT_ITS_COST)
    yield ClaimSides("g", vector, ours, _best(rivals), AT_ANY_COST)


def _everything_mixed_in(results: Results, vector: FinishedRow) -> ClaimSides | UntestedClaim:
    """Set the best of all rows with a vector against the best of all without one.

    Both have the unit of text of `vector`, whatever hidden layer, and all rivals mixed in. The
    claim is about the row that is best.
    """
    unit = vector.settings.unit_of_text
    mixed = [
        Side(row, MIXTURE)
        for row in results.rows_on(vector.corpus)
        if row.settings.unit_of_text == unit and MIXTURE in row.evaluations
    ]
    ours = [side for side in mixed if side.row.has_vector]
    theirs = [side for side in mixed if not side.row.has_vector]
    if not ours or not theirs:
        return _untested("g", vector, "no finished networks with all rivals mixed in")
    best = _best(ours)
    return ClaimSides("g", best.row, best, _best(theirs), MIXED)


def _sides(rows: Iterable[FinishedRow]) -> list[Side]:
    """Rows in each of their evaluations."""
    return [Side(row, name) for row in rows for name in row.evaluations]


def _best(sides: Sequence[Side]) -> Side:
    """The side with the lowest perplexity on `valid`, mean over the seeds."""
    return min(sides, key=lambda side: side.perplexity("valid").mean)
