"""The jobs that must run again, found from the files and their receipts alone.

Snakemake remembers in `.snakemake` what its jobs depended on, and compares the times of files.
Neither shows that a file was edited or damaged, and a copied or renamed folder has no memory.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.jobs import Jobs, PlannedJob
from online_rnnlm.storage import receipts
from online_rnnlm.storage.paths import ExperimentDirectory


def outdated(jobs: Jobs, directory: ExperimentDirectory) -> list[PlannedJob]:
    """Return the jobs whose files exist, at least in part, and are not current.

    Files that have changed since they were made are named on the terminal.
    """
    begun = [job for job in jobs if any(Path(file).exists() for file in job.outputs)]
    sums = receipts.Checksums()
    files = {file for job in begun for file in (*job.files.inputs, *job.files.outputs)}
    with ThreadPoolExecutor() as threads:  # hashing leaves Python's lock
        list(threads.map(sums.of, files))
    found = []
    for job in begun:
        state = receipts.state(directory, job.files, sums)
        for file in state.changed:
            print(f"{file}: changed since it was made: it is made again", file=sys.stderr)
        if not state.current:
            found.append(job)
    return found


def order(jobs: Jobs, directory: ExperimentDirectory) -> None:
    """Write the orders of all jobs, those of outdated ones anew, so that Snakemake runs them.

    In a folder that can only be read, nothing is written.
    """
    again = {(job.rule, job.name) for job in outdated(jobs, directory)}
    try:
        for job in jobs:
            receipts.write_order(directory, job.files, again=(job.rule, job.name) in again)
        receipts.forget_orders(directory, [job.files for job in jobs])
    except UserError:
        if os.access(directory.path, os.W_OK):
            raise
