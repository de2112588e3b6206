"""The row that the report is about, and the static rows that a row with a vector is set against."""

from __future__ import annotations

from collections.abc import Callable

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import FinishedRow, Side
from online_rnnlm.analysis.sides import change_of_time


def headline_on(results: Results, corpus: str) -> FinishedRow:
    """The row of a corpus that the report is about: the first in the configuration of its kind.

    It has a vector, the paper's hidden layer, and is trained per sentence; as far as there are
    such rows, the first wish counting most.
    """
    rows = results.rows_on(corpus)
    rows = [row for row in rows if row.has_vector] or rows
    rows = [row for row in rows if row.is_the_papers] or rows
    rows = [row for row in rows if row.settings.unit_of_text == "sentence"] or rows
    return rows[0]


def best_like_headline(results: Results, corpus: str) -> FinishedRow:
    """The best row on `valid` of those of the headline's hidden layer and unit of text, that have a
    vector as it has, or none."""
    headline = headline_on(results, corpus)
    alike = [
        row
        for row in results.rows_on(corpus)
        if (row.regime, row.has_vector) == (headline.regime, headline.has_vector)
    ]
    return min(alike, key=lambda row: row.perplexity("valid").mean)


def headline_with_vector(results: Results) -> FinishedRow:
    """The headline of the first corpus; raises NothingToShowError if it has no vector."""
    row = headline_on(results, results.first_corpus)
    if not row.has_vector:
        raise NothingToShowError("No network with a vector has finished.")
    return row


def static_rows_like(results: Results, vector: FinishedRow) -> list[FinishedRow]:
    """The static rows on a row's corpus with its cell and unit of text, the smallest first.

    Of rows of one size, such as those of two engines, the better one on `valid` comes first.
    """
    rows = [row for row in results.rows_on(vector.corpus) if not row.has_vector]
    alike = [row for row in rows if row.regime == vector.regime]
    return sorted(alike, key=lambda row: (row.parameters, row.perplexity("valid").mean))


def static_of_as_many_units(results: Results, vector: FinishedRow) -> FinishedRow | None:
    """The static row with a row's numbers of hidden and of slow units, if there is one."""
    units = (vector.settings.hidden_size, vector.settings.context_units)
    for static in static_rows_like(results, vector):
        if (static.settings.hidden_size, static.settings.context_units) == units:
            return static
    return None


Condition = Callable[[Results, FinishedRow, FinishedRow], bool]


def has_as_many_parameters(_: Results, static: FinishedRow, vector: FinishedRow) -> bool:
    """True if a static row has at least the parameters of a row with a vector."""
    return static.parameters >= vector.parameters


def has_as_many_multiply_adds(_: Results, static: FinishedRow, vector: FinishedRow) -> bool:
    """True if a static row has at least the multiply-adds per token of a row with a vector."""
    ours = Side(vector, vector.final)
    return Side(static, static.final).multiply_adds >= ours.multiply_adds


def takes_as_long(results: Results, static: FinishedRow, vector: FinishedRow) -> bool:
    """True unless a row with a vector is shown to take more time per token than a static one.

    It is shown if the interval of the change of time lies above 0.
    """
    change = change_of_time(results, Side(vector, vector.final), Side(static, static.final))
    return change is not None and change[0] <= 0


def smallest_static(
    results: Results, vector: FinishedRow, *conditions: Condition
) -> FinishedRow | None:
    """The smallest static row that meets all of these conditions, if there is one."""
    for static in static_rows_like(results, vector):
        if all(condition(results, static, vector) for condition in conditions):
            return static
    return None


def opponents_of(results: Results, vector: FinishedRow) -> list[FinishedRow]:
    """The static rows that are shown beside a row: of as many units, and of as many parameters.

    The largest static row takes the place of the second if none has as many. There is one row
    if both are the same, and none without static rows.
    """
    static = static_rows_like(results, vector)
    largest = max(static, key=lambda row: row.parameters, default=None)
    shown: list[FinishedRow] = []
    for row in (
        static_of_as_many_units(results, vector),
        smallest_static(results, vector, has_as_many_parameters) or largest,
    ):
        if row is not None and row not in shown:
            shown.append(row)
    return shown
