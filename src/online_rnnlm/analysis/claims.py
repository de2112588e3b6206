"""The paper's claims in words, and the two sides of each that an experiment has, compared.

There are five claims of the paper, and two more, which a user of the model would ask. The settings
are not the paper's, so each claim is tested as an idea, not on the paper's numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, get_args

from online_rnnlm.analysis.headline import (
    headline_on,
    static_of_as_many_parameters,
    static_of_as_many_units,
    static_rows_like,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import FinishedRow, Side, longest
from online_rnnlm.analysis.sides import ComparedSides, compare_sides
from online_rnnlm.config.testing import MIXTURE, UNITS
from online_rnnlm.core.way import (
    DOCUMENT_VECTOR,
    NONE,
    PARTS,
    UnitOfText,
    Way,
    reading_of,
)
from online_rnnlm.storage.claims import UntestedClaim

SAME_HIDDEN = 1
MORE_PARAMETERS = 2
MULTIPLY_ADDS = 3
VECTOR_ALONE = 4
LEARNING = 5
BEST_RIVAL = 6
BEST_SYSTEM = 7
AT_ITS_COST = "at its cost or less"
AT_ANY_COST = "at any cost"
"""The cases of the claim on the best rival."""
AS_LARGE = 1.01
"""A rival at the vector's cost may have 1 % more parameters: those of about one hidden unit. The
smallest static network with at least as many parameters as the vector's has some more, too."""
MARGIN_PERCENT = 1.0
"""A perplexity up to this much higher still counts as equally good; the value is assumed."""
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


CLAIMS = {
    SAME_HIDDEN: PaperClaim(
        "better than a static network of as many units",
        "{model}, its vector learning, has a lower test perplexity than {against}, the static "
        "network of as many hidden units.",
    ),
    MORE_PARAMETERS: PaperClaim(
        "better than a static network of as many parameters",
        "{model}, its vector learning, has a lower test perplexity than {against}, a static "
        "network of at least as many parameters.",
    ),
    MULTIPLY_ADDS: PaperClaim(
        "less computation than that static network",
        "{model} costs less than {against}: fewer multiply-adds and less time per word. It must "
        "also have a lower test perplexity.",
    ),
    VECTOR_ALONE: PaperClaim(
        "the vector alone learns as well as all weights by plain steps",
        "{model}: learning only the document vector during testing is better than, or as good as, "
        "learning everything by plain gradient steps, at a fraction of the cost.",
    ),
    LEARNING: PaperClaim(
        "better learning than frozen",
        "{model} has a lower test perplexity with its vector learning than with it frozen at 0.",
    ),
    BEST_RIVAL: PaperClaim(
        "better than a static network with one rival",
        "{model}, its vector learning, has a lower test perplexity than {against}.",
    ),
    BEST_SYSTEM: PaperClaim(
        "the best with a vector is better than the best without",
        "{model} has a lower test perplexity than {against}.",
    ),
}

Tested = ComparedSides | UntestedClaim
_NO_RIVAL = "no finished static network was tested with a rival"


def comparisons(results: Results) -> Iterator[Tested]:
    """Compare the sides of all claims, vector row by vector row.

    The claim on computation is about the sides of claim 2, and has no comparison of its own. Every
    row with a vector has all claims but the one on the best systems, which belongs to the row that
    the report is about.
    """
    for vector in results.rows:
        if not vector.has_vector:
            continue
        learning = Side(vector, vector.final)
        same = static_of_as_many_units(results, vector)
        if same is None:
            reason = "no finished static network of as many hidden units"
            yield _untested(SAME_HIDDEN, vector, reason)
        else:
            yield compare_sides(results, SAME_HIDDEN, learning, Side(same, NONE))
        larger = static_of_as_many_parameters(results, vector)
        if larger is None:
            reason = f"no finished static network of at least {vector.parameters:,} parameters"
            yield _untested(MORE_PARAMETERS, vector, reason)
            yield _untested(MULTIPLY_ADDS, vector, reason)
        else:
            yield compare_sides(results, MORE_PARAMETERS, learning, Side(larger, NONE))
        yield from _vector_alone(results, vector)
        yield compare_sides(results, LEARNING, learning, Side(vector, NONE))
        yield from _against_rivals(results, vector)
        if vector == headline_on(results, vector.corpus):
            yield _best_systems(results, vector)


def _untested(number: int, row: FinishedRow, reason: str) -> UntestedClaim:
    """A claim about a row that this experiment cannot test."""
    return UntestedClaim(
        number=number,
        claim=CLAIMS[number].name,
        corpus=row.corpus,
        model=row.label,
        reason=reason,
    )


def _vector_alone(results: Results, vector: FinishedRow) -> Iterator[Tested]:
    """Test the vector alone against everything learning, unit for unit of text.

    In the unit of training the vector has the rate of its training, in others the best on `valid`.
    """
    trained = vector.settings.unit_of_text
    tested = False
    for unit in get_args(UnitOfText):
        everything = Way(PARTS, unit_of_text=unit).name
        alone = Way((DOCUMENT_VECTOR,), unit_of_text=unit).name
        kept = unit == "sentence" or reading_of(vector.settings).vector  # else reset by sentences
        ours = DOCUMENT_VECTOR if unit == trained and kept else alone
        if longest([unit, trained]) == unit and {ours, everything} <= {*vector.evaluations}:
            tested = True
            yield compare_sides(
                results,
                VECTOR_ALONE,
                Side(vector, ours),
                Side(vector, everything),
                case=f"kept for the {UNITS[unit]}",
                margin_percent=MARGIN_PERCENT,
            )
    if not tested:
        reason = "no finished evaluation in which everything learns after every word"
        yield _untested(VECTOR_ALONE, vector, reason)


def _against_rivals(results: Results, vector: FinishedRow) -> Iterator[Tested]:
    """Test a row, its vector alone learning, against static rows with one rival each.

    A rival is a cache, weights that learn or an n-gram model that is mixed in. The static rows have
    the vector row's cell and unit. Each side is what is best on `valid`: the best rival at the
    vector's cost or less, in multiply-adds and (`AS_LARGE`) in parameters, and the best at any
    cost; one test, if these are the same.
    """
    rivals = _rivals(results, vector)
    if not rivals:
        yield _untested(BEST_RIVAL, vector, _NO_RIVAL)
        return
    ours = _best([side for side in _sides([vector]) if side.only_vector_learns])
    cheap = [
        rival
        for rival in rivals
        if rival.multiply_adds <= ours.multiply_adds
        and results.parameters_of(*rival) <= AS_LARGE * vector.parameters
    ]
    chosen = [(_best(rivals), AT_ANY_COST)]
    if not cheap:
        reason = "no rival that needs as few multiply-adds per word and parameters"
        yield _untested(BEST_RIVAL, vector, reason)
    elif _best(cheap) != _best(rivals):
        chosen.insert(0, (_best(cheap), AT_ITS_COST))
    for rival, case in chosen:
        which = f"best rival {case}"
        yield compare_sides(results, BEST_RIVAL, ours, rival, row=vector, which=which, case=case)


def _best_systems(results: Results, vector: FinishedRow) -> Tested:
    """Test the best of all rows with a vector against the best of all without one.

    Both have whatever hidden layer, and whatever rivals or mixtures, are best on `valid`. The claim
    belongs to `vector`, the row that the report is about.
    """
    rows = results.rows_on(vector.corpus)
    static = _sides(row for row in rows if not row.has_vector)
    if all(side.evaluation == NONE for side in static):
        return _untested(BEST_SYSTEM, vector, _NO_RIVAL)
    ours = _best(_sides(row for row in rows if row.has_vector))
    theirs = _best(static)
    alone = ours.row == vector and ours.only_vector_learns
    if alone and theirs in _rivals(results, vector):
        reason = "the same test as claim 6, since nothing that is added to the vector helps"
        return _untested(BEST_SYSTEM, vector, reason)
    which = "best without a vector"
    return compare_sides(results, BEST_SYSTEM, ours, theirs, row=vector, which=which)


def _rivals(results: Results, vector: FinishedRow) -> list[Side]:
    """The static rows with the vector row's cell and unit of text, each with each rival."""
    sides = _sides(static_rows_like(results, vector))
    return [side for side in sides if side.evaluation not in (NONE, MIXTURE)]


def _sides(rows: Iterable[FinishedRow]) -> list[Side]:
    """Rows in each of their evaluations."""
    return [Side(row, name) for row in rows for name in row.evaluations]


def _best(sides: Sequence[Side]) -> Side:
    """The side with the lowest perplexity on `valid`, mean over the seeds."""
    return min(sides, key=lambda side: side.perplexity("valid").mean)
