"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from online_rnnlm.storage.records.base import Digest, Record


class CompiledKernels(Record):
    """The networks that the kernels have been compiled for."""

    file: ClassVar = "kernels.json, online_kernels.json"

    networks: tuple[str, ...] = Field(
        description="Precision and cell of each, such as `float32 sigmoid`."
    )


class Complete(Record):
    """The mark of an experiment that lacks nothing; it is not there if anything has diverged."""

    file: ClassVar = "complete.json"

    trainings: int = Field(description="Number of trainings, all of which have finished.")


class Tracked(Record):
    """The entries of an experiment in MLflow."""

    file: ClassVar = "tracking/tracked.json"

    store: str = Field(description="Address of the store.")
    configuration: Digest = Field(
        description="sha256 of `config.json`, by which the entries were marked."
    )
    runs: dict[str, str] = Field(
        description="MLflow's id of every entry, by its name: a run's name, `row <row> of "
        "<corpus>` for the means over the seeds, or `summary of <corpus>` for a corpus's tables, "
        "figures and report."
    )
    marks: Digest | None = Field(
        default=None,
        description="sha256 of the status, kind, digest, models and aliases that the entries have "
        "in the database's file, by which an older file in its place is noticed; `null` if the "
        "store is no file.",
    )


class ResultsFolder(Record):
    """The identity of an experiment's folder in MLflow, which stays when the folder is moved.

    A copy of the folder gets an identity of its own.
    """

    file: ClassVar = "tracking/directory.json"

    id: str = Field(description="A random name that the folder's entries in MLflow carry.")
    path: str | None = Field(
        default=None,
        description="The folder's path when its runs were last entered; `null` if it is not known. "
        "By it, a folder that was copied is told from one that was moved.",
    )


class ConfigurationFile(Record):
    """The configuration file that an experiment was started with."""

    file: ClassVar = "configuration_file.json"

    experiment: str = Field(description="Name of the experiment.")
    path: str = Field(description="The file, from the folder that Snakemake was started in.")
    folder: str | None = Field(
        default=None,
        description="That folder, without links; `null` if an earlier version wrote this record.",
    )
    results: str | None = Field(
        default=None,
        description="The folder of the results, without links: folders can share results by a "
        "link. If they lie elsewhere now, they were moved or copied, and `folder` means nothing.",
    )


class Captions(Record):
    """The captions of the figures."""

    file: ClassVar = "figures/captions.json"
    missing: ClassVar = "draw the figures first"

    settings: Digest = Field(
        description="sha256 of the experiment's settings that results can depend on, as JSON."
    )
    captions: dict[str, str] = Field(description="Captions by the figures' names.")
