"""What happens when Snakemake starts, and what it prints at its end."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import IO

from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.process.stop_signals import PARENT
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written
from online_rnnlm.storage.paths import ExperimentDirectory

LOCKS = Path(".snakemake/locks")


INCOMPLETE = Path(".snakemake/incomplete")


SOLE_RUN = Path(".snakemake/sole-run.lock")


def check_writable(directory: ExperimentDirectory) -> None:
    """Raise UserError if results must not be written; Snakemake would list them all."""
    place = next(p for p in (directory.path, *directory.path.parents) if p.exists())
    if not os.access(place, os.W_OK):
        raise UserError(
            f"{place}: cannot be written: it is read-only, or someone else's; a dry run is possible"
        )


def shell_prefix(source: Path) -> str:
    """What every job's shell does first: fail early, and find this environment and this code.

    It ends in `exec`, so a job is one command, which no shell stands between: signals reach it, and
    it ends with Snakemake.
    """
    environment = Path(sys.executable).parent
    return (
        "set -euo pipefail; "
        f"export PATH={shlex.quote(str(environment))}:$PATH "
        f"PYTHONPATH={shlex.quote(str(source))}${{{{PYTHONPATH:+:$PYTHONPATH}}}} "
        f"OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {PARENT}=$PPID; exec "
    )


def errors(directory: ExperimentDirectory, since: float) -> list[str]:
    """The last lines of the logs of jobs that have failed since that time (seconds, Unix)."""
    recent = [log for log in directory.logs.rglob("*.log") if log.stat().st_mtime >= since]
    last = [log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:] for log in recent]
    return [line for lines in last for line in lines if ERROR_MARK in line]


def forget_killed_run(dry_run: bool = False) -> IO[str] | None:
    """Remove the marks that a killed Snakemake left; raise UserError if another is at work here.

    Snakemake's locks are files that outlive a killed process and stop the next one; the kernel's
    lock on the file that is returned does not: keep it open for as long as the workflow runs.
    Its marks of incomplete outputs are not needed: every output is written whole or not at all,
    and is old by its inputs or settings until its job has ended. None for a dry run that may not
    be sole, or if the file system has no such locks.
    """
    try:
        file = _sole_run()
    except UserError:
        if dry_run:
            return None
        raise
    if file is not None:
        for mark in [*LOCKS.glob("*.lock"), *INCOMPLETE.glob("*")]:
            if mark.is_file():
                mark.unlink(missing_ok=True)
    return file


def _sole_run() -> IO[str] | None:
    """The open file whose lock says that this process is the only Snakemake here."""
    with saying_what_cannot_be_written(SOLE_RUN):
        SOLE_RUN.parent.mkdir(exist_ok=True)
        file = SOLE_RUN.open("a+", encoding="utf-8")
    alone = lock(file)
    if alone:
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        return file
    with file:
        file.seek(0)
        if alone is False:
            raise UserError(
                f"{Path.cwd()}: another Snakemake (process {file.read().strip()}) is at work here: "
                "wait until it has ended, or end it; `--dry-run --rerun-incomplete` is possible"
            )
    return None
