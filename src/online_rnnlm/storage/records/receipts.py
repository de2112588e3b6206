"""The records of the files that a job of the workflow is to read and make, and has made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from online_rnnlm.storage.records.base import Digest, Record


class Receipt(Record):
    """The files that a job of the workflow read and made; a later start compares them with it.

    Paths in the experiment's folder are relative to it, so the folder can be renamed. Others begin
    with `./`, which is the project's folder, or with `/`.
    """

    file: ClassVar = "receipts/<rule>/<run or corpus, or all>.json"

    rule: str = Field(description="The rule; `earlier` for a training that was kept.")
    name: str = Field(description="The run or corpus; empty if the rule has a single job.")
    identity: Digest = Field(description="sha256 of the job's settings and code.")
    finished: bool = Field(description="`false` from the job's start until its end.")
    inputs: dict[str, Digest] = Field(description="sha256 of every file that it read, by path.")
    outputs: dict[str, Digest] = Field(description="sha256 of every file that it made, by path.")
    refused: dict[str, Digest] = Field(
        default={},
        description="While the job is not finished: sha256 of the changed files that it has "
        "removed. If it fails, Snakemake puts them back.",
    )


class Order(Record):
    """The files that a job of the workflow is to read and make; written when the workflow starts.

    Paths are those of `Receipt`. Snakemake knows the file as an input of the job, so the job runs
    again if the file is newer than its outputs.
    """

    file: ClassVar = "orders/<rule>/<run or corpus>.json"
    missing: ClassVar = "the workflow writes it: start the experiment"

    rule: str = Field(description="The rule.")
    name: str = Field(description="The run or corpus; empty if the rule has a single job.")
    identity: Digest = Field(description="sha256 of the job's settings and code.")
    inputs: tuple[str, ...] = Field(description="The files that it reads.")
    outputs: tuple[str, ...] = Field(description="The files that it makes.")
    again: int | None = Field(
        description="If its files were found not to be current, the time of that (Unix time, ns)."
    )
