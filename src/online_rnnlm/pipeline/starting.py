"""The start and the end of Snakemake's main process: its checks, its jobs' shell, its errors."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.pipeline.progress import (
    JOB_ERROR,
    JOB_INFO,
    SNAKEMAKE,
    Progress,
    event_of,
    is_error,
)
from online_rnnlm.process.stop_signals import FORCED, GOES_ON, PARENT, Interrupts
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written, write_json
from online_rnnlm.storage.paths import ExperimentDirectory

ENVIRONMENT = "environment.yml"
_AFTER_FAILURE = re.compile("Exiting because a job|WorkflowError:\nAt least one job")
"""Snakemake's messages that some job has failed."""
_UPDATED = "were not present when the DAG was created"
"""Snakemake's warning at a first start, when there is no MLflow store to update yet."""
_NOTHING = "Nothing to be done"
"""Snakemake's message that all files are there."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line if the block raises UserError."""
    try:
        yield
    except UserError as error:
        sys.exit(f"{ERROR_MARK}{error}")


def lift_default_limit(settings: Any) -> None:
    """Take away Snakemake's default limit of 100 jobs a second from its settings of scheduling.

    With a limit, Snakemake 9 plans again every second for each job that has ended, for as long as
    it runs: after 150 jobs this took a third of a core. A limit that the user has set stays.
    """
    limit = settings and settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        settings.max_jobs_per_timespan = None


def write_configuration(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the configuration, with all defaults, beside the results, where the jobs read it."""
    write_json(directory.configuration, experiment.model_dump(mode="json"))


class Start:
    """A start of the workflow in this process, from its first job to its end."""

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._directory = directory
        self._progress = Progress(experiment, directory)
        self._lock: IO[str] | None = None
        self._interrupts: Interrupts | None = None
        self._failed: dict[Path, str] = {}

    def begin(self, workflow: Any) -> None:
        """Check that jobs can run here, begin to show the progress, and take note of what fails.

        `workflow` is Snakemake's. Trainings that its options force are made again. Raises UserError
        if the results cannot be written, if another Snakemake works on them, or if there is no
        Slurm for its profile.
        """
        if workflow.executor_plugin.name == "slurm" and not shutil.which("sbatch"):
            raise UserError(
                "profile slurm: there is no Slurm on this machine (no command `sbatch`): start it "
                "on a login node, or leave out `--workflow-profile slurm`"
            )
        self._lock = _held_lock(self._directory)
        options = workflow.dag_settings
        runs = self._directory.runs
        forced = {*options.forcerun, *(options.targets if options.forcetargets else ())}
        if options.forceall or any(
            one == "train" or Path(one).is_relative_to(runs) for one in forced
        ):
            os.environ[FORCED] = str(time.time())
        self._interrupts = Interrupts()
        self._progress.begin(workflow)
        logging.getLogger(SNAKEMAKE).addFilter(self._note)

    def _note(self, record: logging.LogRecord) -> bool:
        """Take note of what Snakemake logs: of a job that begins or ends, or has failed."""
        self._progress.note(record)
        event = event_of(record)
        for log in map(Path, getattr(record, "log", None) or ()):
            if event == JOB_INFO:  # another attempt begins
                self._failed.pop(log, None)
            elif event == JOB_ERROR and log.is_relative_to(self._directory.logs):
                self._failed[log] = getattr(record, "rule_name", "")
        return True

    def shows(self, record: logging.LogRecord) -> bool:
        """Return True if the terminal is to show a record of Snakemake's: a warning, for example.

        After Ctrl-C, or when jobs have failed, `errors` has what is to be said of them. If there is
        nothing to do, Snakemake calls none of its handlers, so the ending is printed here.
        """
        nothing_to_do = record.getMessage().startswith(_NOTHING)
        ends = self._was_stopped or (self._failed and _AFTER_FAILURE.match(record.getMessage()))
        shown = (
            (is_error(record) and not ends)
            or (record.levelno == logging.WARNING and _UPDATED not in record.getMessage())
            or nothing_to_do
        )
        if shown:
            self._progress.clear()
        if nothing_to_do:
            self.print_ending()
        return shown

    def end(self) -> None:
        """Remove the line that shows the progress."""
        self._progress.end()

    def print_ending(self) -> None:
        """Print what was found and where it is; nothing if the report was not asked for."""
        results = self._directory
        if results.summary.is_file() and results.report.is_file():
            print(results.summary.read_text("utf-8"))
            print(f"Report:    {results.report}")
            print(f"MLflow UI: make ui EXPERIMENT={results.path.name}")

    @property
    def _was_stopped(self) -> bool:
        return self._interrupts is not None and self._interrupts.received > 0

    def errors(self) -> list[str]:
        """Return a line for each error of this start: those in the logs of jobs that failed."""
        if self._was_stopped:
            return ["Stopped: the same command goes on from here."]
        return [line for log, rule in self._failed.items() for line in _errors_in(log, rule)]


def _held_lock(directory: ExperimentDirectory) -> IO[str]:
    """Return the locked file that marks this process as the only Snakemake in these results.

    The system's lock ends with the process, in whatever way that ends.
    """
    path = directory.path / ".lock"
    with saying_what_cannot_be_written(path):
        directory.path.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    if lock(file) is False:
        with file:
            file.seek(0)
            other = file.read().strip()
        raise UserError(
            f"{directory.path}: another Snakemake (process {other}) is at work here: wait until it "
            "has ended, or end it; a dry run is possible"
        )
    file.truncate(0)
    print(os.getpid(), file=file, flush=True)
    return file


def _errors_in(log: Path, rule: str) -> list[str]:
    """Return the errors in a failed job's log, or that it was told to end.

    A job that was killed could not write any.
    """
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    lines = text.splitlines()
    found = [line for line in lines if ERROR_MARK in line]
    found = found or [f"{rule}: {line}" for line in lines[-1:] if line.endswith(GOES_ON)]
    if found:
        return found
    if "Traceback" in text:
        return [f"{ERROR_MARK}{rule}: a fault of this program: {lines[-1]} ({log})"]
    return [
        f"{ERROR_MARK}{rule}: the job was killed, most likely because memory ran out ({log}): give "
        "it more, or fewer jobs at once (`--cores`); the next start goes on from there"
    ]


def shell_prefix(folder: Path | None, conda: bool) -> str:
    """Return the first commands of every job's shell.

    They make the shell stop at the first error, and let it find the environment and the package.
    `folder` is the `src` of a checkout; None if the environment has the package. The environment
    is this process's own, unless Snakemake makes one by conda.
    """
    paths = [] if conda else [_with("PATH", Path(sys.executable).parent)]
    paths += [] if folder is None else [_with("PYTHONPATH", folder)]
    threads = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
    return f"set -euo pipefail; export {' '.join((*paths, *threads))} {PARENT}=$PPID; "


def _with(variable: str, folder: Path) -> str:
    """Return the assignment that puts a folder first in a search path.

    Braces are doubled, because Snakemake formats the text once.
    """
    return _with_doubled_braces(
        f"{variable}={shlex.quote(str(folder))}${{{variable}:+:${variable}}}"
    )


def environment_file(project: Path) -> str:
    """Return the project's `environment.yml` for Snakemake, which formats the path once.

    If the project is not on this disk, the path is relative to the rules.
    """
    file = project / ENVIRONMENT
    return _with_doubled_braces(str(file)) if file.is_file() else f"../../{ENVIRONMENT}"


def _with_doubled_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
