"""The table `engines`: how far each engine's updates are from PyTensor's, and how fast they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, mean, write_table
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.measurements import PlannedMeasurement, measurements_of
from online_rnnlm.cross_check.reading import read_measurement
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import EngineMeasurement, Measured

_REFERENCES = {
    "pytensor-c": "PyTensor's C code",
    "pytensor-numba": "PyTensor's numba code (g++ is not installed)",
}
_OF_MEASURED = (
    *("words_per_second", "compile_seconds", "loss_difference"),
    *("log_probabilities_difference", "document_vectors_difference"),
)
Found = tuple[PlannedMeasurement, EngineMeasurement]


def write_engine_table(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the table; raises UserError if nothing has been measured for this configuration."""
    try:
        write_table(_table(experiment, directory), directory)
    except NothingToShowError as error:
        raise UserError(f"{directory.path}: {error}") from None


def make(results: Results) -> Table:
    """Make the table, with a row for each measurement; raises NothingToShowError without any."""
    return _table(results.experiment, results.directory)


def _table(experiment: Experiment, directory: ExperimentDirectory) -> Table:
    planned = measurements_of(experiment)
    found = list(_measured(planned, directory))
    if not found:
        raise NothingToShowError("No engine has been measured: `make engines` does it.")
    data = pd.DataFrame([_row(*one) for one in found])
    several = data.groupby("document_size")["model"].nunique().max() > 1
    columns = [
        *([Column("Network", label("model"), text=True)] if several else []),
        Column("Engine", label("engine"), text=True),
        Column("Precision", label("precision"), text=True),
        Column("B", integer("batch_sentences")),
        Column("D", integer("document_size")),
        Column("Compiled", lambda row: "yes" if row["compiled"] else "no", text=True),
        Column("Loss", _loss),
        Column("Parameter", _difference("parameter_difference")),
        Column("Which", _which, text=True),
        Column("Words/s", integer("words_per_second")),
        Column("Seconds to compile", mean("compile_seconds")),
    ]
    updates = experiment.engine_table.updates
    caption = f"The engines after {updates} updates: differences, speed and time to compile"
    notes = [*_notes([record for _, record in found]), *_missing(planned, found)]
    shown_only = ["is_reference", "parameter", "parameter_difference"]
    return Table("engines", caption, data, columns, notes, tidy=data.drop(columns=shown_only))


def _measured(
    planned: Sequence[PlannedMeasurement], directory: ExperimentDirectory
) -> Iterator[Found]:
    """Yield the records of the measurements that belong to the configuration and to its corpus."""
    for one in planned:
        record = read_measurement(one, directory)
        if record is not None:
            yield one, record


def _row(planned: PlannedMeasurement, record: EngineMeasurement) -> dict[str, Any]:
    """The values of a measurement; those of the differences only if there are any."""
    network = record.network
    row: dict[str, Any] = {
        "engine": record.engine,
        "precision": record.precision,
        "batch_sentences": network.batch_sentences,
        "document_size": network.document_size,
        "corpus": network.corpus,
        "model": planned.model,
        "optimizer": network.optimizer,
        "updates": record.updates,
        "words": record.words,
        "compiled": record.compiled,
        "why_not": record.why_not,
        "reference": record.reference,
        "is_reference": (record.engine, record.precision) == (record.reference, "float64"),
        "packages": " ".join(f"{name}={version}" for name, version in record.packages.items()),
        **dict.fromkeys((*_OF_MEASURED, "parameter", "parameter_difference")),
    }
    return row if record.measured is None else row | _values(record.measured)


def _values(measured: Measured) -> dict[str, Any]:
    found = measured.differences
    return {
        "words_per_second": measured.words_per_second,
        "compile_seconds": measured.compile_seconds,
        "loss_difference": found.loss,
        "log_probabilities_difference": found.log_probabilities,
        "document_vectors_difference": found.document_vectors,
        "parameter": found.parameter,
        "parameter_difference": found.parameters[found.parameter],
        **{f"{name}_difference": value for name, value in found.parameters.items()},
    }


def _loss(row: pd.Series) -> str:
    return "reference" if row["is_reference"] else _difference("loss_difference")(row)


def _which(row: pd.Series) -> str:
    return "" if row["is_reference"] else label("parameter")(row)


def _difference(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a difference with two digits.

    It is empty if there is none, and for the reference.
    """
    shown = label(key)
    return lambda row: f"{row[key]:.1e}" if shown(row) and not row["is_reference"] else ""


def _notes(found: Sequence[EngineMeasurement]) -> Iterator[str]:
    """Yield what the columns mean, what was compared besides, and what was not computed and why."""
    references = " and ".join(dict.fromkeys(_REFERENCES[one.reference] for one in found))
    yield (
        "B: sentences per update. D: length of the document vector. Loss, Parameter: largest "
        f"difference from {references} in float64 with the same B and D, relative where a value "
        "is above 1. Which: the parameter that differs most."
    )
    empty = all(one.empty_caches for one in found)
    yield (
        "Words/s: of the same updates when they are made again. Seconds to compile: what the first "
        f"time took longer, {'with' if empty else 'not always with'} empty caches."
    )
    exact = [(one, one.measured.differences) for one in found if one.measured and _exact(one)]
    if exact:
        scored = max(max(d.log_probabilities, d.document_vectors or 0.0) for _, d in exact)
        worst, of_worst = max(exact, key=lambda one: one[1].largest()[1])
        what, largest = of_worst.largest()
        yield (
            f"In float64 the largest difference is {largest:.1e} ({worst.engine}, {what}). Log P "
            "of words of valid after the updates, and the document vectors after its sentences, "
            f"differ by {scored:.1e} at most."
        )
    for engine, why in dict.fromkeys((one.engine, one.why_not) for one in found if one.why_not):
        yield f"Not compiled: {engine}: {why}."
    hardware = (one.machine for one in found)
    machines = dict.fromkeys(f"{one.processor}, {one.cores} cores" for one in hardware)
    times = sorted(one.ended.date().isoformat() for one in found)
    days = " to ".join(dict.fromkeys((times[0], times[-1])))
    yield f"Measured on {' and '.join(machines)}, {days}."


def _exact(record: EngineMeasurement) -> bool:
    return record.precision == "float64"


def _missing(planned: Sequence[PlannedMeasurement], found: Sequence[Found]) -> list[str]:
    """A note that measurements of the configuration are not there; none if all are."""
    number = len(planned) - len(found)
    return [f"{number} of {len(planned)} are not measured: `make engines` does it."] * bool(number)
