"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar

from online_rnnlm.storage.records.base import Digest, Record


class Complete(Record):
    """The mark of an experiment that lacks nothing; it is not there if anything has diverged."""

    file: ClassVar = "complete.json"

    trainings: int
    """Number of trainings, all of which have finished."""


class Tracked(Record):
    """The entries of an experiment in MLflow."""

    file: ClassVar = "tracking/tracked.json"

    store: str
    """Address of the store."""
    runs: dict[str, str]
    """MLflow's id of every entry, by its name: a run's name, or `summary of <corpus>` for the
    tables, figures and report of a corpus."""


class ResultsFolder(Record):
    """The identity of an experiment's folder in MLflow, which stays when the folder is moved."""

    file: ClassVar = "tracking/directory.json"

    id: str
    """A random name that the folder's entries in MLflow carry."""


class Captions(Record):
    """The captions of the figures."""

    file: ClassVar = "figures/captions.json"
    missing: ClassVar = "draw the figures first"

    settings: Digest
    """sha256 of the experiment's settings that results can depend on, as JSON."""
    captions: dict[str, str]
    """Captions by the figures' names."""
