"""The machines, packages and duration of all trainings of an experiment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from online_rnnlm.analysis.results import Results
from online_rnnlm.storage import records
from online_rnnlm.storage.runs import RunDivergence, RunRecord, read_ended, read_epochs


@dataclass(frozen=True)
class Trainings:
    """The machines, packages and code of an experiment's trainings, and their duration."""

    facts: Mapping[str, str]
    """Code, packages and machines by name; several values if the trainings differ."""
    hours: float
    """Duration of all their whole epochs, without validation (h)."""
    some_diverged: bool
    """True if one of them has diverged: `hours` is then without the epoch in which it did."""


def trainings_of(results: Results) -> Trainings:
    """Read the records of all trainings: of the search and of the rows, and what has diverged."""
    seconds = 0.0
    some_diverged = False
    found: dict[str, set[str]] = defaultdict(set)
    for run in results.experiment.trainings():
        files = results.directory.run(run.name)
        seconds += sum(epoch.seconds for epoch in read_epochs(files))
        some_diverged |= isinstance(read_ended(files), RunDivergence)
        record = records.read(RunRecord, files.record)
        machine = {key: value for key, value in record.machine if value is not None}
        code = {"code digest": record.code_digest[:12], "python": record.python}
        for name, value in {**code, **record.packages, **machine}.items():
            found[name].add(str(value))
    facts = {name: ", ".join(sorted(values)) for name, values in found.items()}
    return Trainings(facts, seconds / 3600, some_diverged)
