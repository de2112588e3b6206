"""The progress of the whole workflow in one line: what is done, what runs, and the time left."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.pipeline.resources import workload_of
from online_rnnlm.storage.paths import ExperimentDirectory

SNAKEMAKE = "snakemake.logging"
"""The name of Snakemake's logger."""
JOB_ERROR, JOB_INFO = "job_error", "job_info"
"""The events by which it logs that a job has failed, and that an attempt at one begins."""
_STREAM_HANDLER = "DefaultStreamHandler"
"""The name that Snakemake gives the handler that writes its log to the terminal."""
_OTHER_SECONDS = 5.0
"""Assumed seconds of a job, not a training, until one of its kind ends."""
_SPEED_UP = 4.0
"""Factor by which trainings are faster than their requests to a scheduler, which are generous."""


def quieten(shows: Callable[[logging.LogRecord], bool]) -> None:
    """Let only some records of Snakemake's log reach the terminal; its file has all of them."""
    for handler in logging.getLogger(SNAKEMAKE).handlers:
        if handler.name == _STREAM_HANDLER:
            handler.addFilter(shows)


def is_error(record: logging.LogRecord) -> bool:
    """Return True for an error that is not in the log of a job whose command failed.

    For each failed job, one line is printed when Snakemake ends.
    """
    of_job = event_of(record) in (JOB_ERROR, "group_error") or (
        getattr(record, "exception", "") == "RuleException"
        and "CalledProcessError" in record.getMessage()
    )
    return record.levelno >= logging.ERROR and not of_job


def event_of(record: logging.LogRecord) -> str:
    """Return the kind of event that Snakemake logs; an empty text for a mere message."""
    return str(getattr(record, "event", ""))


@dataclass
class _Job:
    """A job that is planned or runs."""

    kind: str
    """Jobs of a kind take about as long, trainings in proportion to `work`."""
    threads: int
    work: float | None = 1.0
    """A training's estimated seconds, 1 for another job; None: not known yet."""
    message: str = ""
    log: Path | None = None
    started: float | None = None
    run: Run | None = None
    """The run that it trains."""


class Progress:
    """The progress of a start of the workflow; a terminal shows it as one line that moves.

    Without a terminal a line is written for each job that ends.
    """

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._experiment, self._directory = experiment, directory
        self._runs = {run.name: run for run in experiment.trainings()}
        self._jobs: dict[int, _Job] = {}
        self._paces: dict[str, list[float]] = {}
        """By kind, the seconds per unit of `work` of each job that has ended."""
        self._done = self._total = 0
        self._cores = 1
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def begin(self, workflow: Any) -> None:
        """Take note of the jobs that Snakemake's `workflow` plans, and begin to show them."""
        dag = workflow.dag
        self._jobs = {dag.jobid(job): self._planned(job) for job in dag.needrun_jobs()}
        at_once = (workflow.resource_settings.nodes, workflow.resource_settings.cores)
        self._total = len(self._jobs)
        self._cores = max(min(next(filter(None, at_once), 1), self._total), 1)
        if sys.stderr.isatty():
            threading.Thread(target=self._draw, daemon=True).start()

    def end(self) -> None:
        """Remove the line."""
        self._ended.set()
        self.clear()

    def clear(self) -> None:
        """Remove the line until it is drawn again."""
        with self._lock:
            self._clear()

    def note(self, record: logging.LogRecord) -> None:
        """Take note of a job that begins or ends."""
        event, values = event_of(record), vars(record)
        with self._lock:
            job = self._jobs.get(values.get("jobid", -1))
            if event == JOB_INFO and job is not None:
                job.message, job.started = self._in_words(values["rule_msg"]), time.monotonic()
                job.log = next(map(Path, values["log"]), None)
            elif event == JOB_ERROR and job is not None:
                job.started = None
            elif event == "job_finished":
                self._finish(values["job_id"])

    def _finish(self, number: int) -> None:
        job = self._jobs.pop(number, None)
        if job is None or job.started is None:
            return
        self._done += 1
        seconds = time.monotonic() - job.started
        self._paces.setdefault(job.kind, []).append(seconds / (self._work(job) or 1.0))
        if not sys.stderr.isatty():
            print(f"{self._count()}: {job.message} ({_duration(seconds)})", file=sys.stderr)

    def _in_words(self, message: str) -> str:
        """Return a rule's message with the names for people of a run and of an evaluation."""
        said, _, way = message.partition(": ")
        words = [self._label(word) if word in self._runs else word for word in said.split(" ")]
        return ": ".join(filter(None, [" ".join(words), _in_words(way)]))

    def _label(self, name: str) -> str:
        run = self._runs[name]
        on = f" on {run.settings.corpus}" if len(self._experiment.corpora) > 1 else ""
        return f"{run.label}{on}"

    def _planned(self, job: Any) -> _Job:
        """Return what is known of one of Snakemake's jobs."""
        name = job.rule.name
        if name == "train":
            return _Job(name, job.threads, None, run=self._runs[job.wildcards.run])
        return _Job(f"{name} {getattr(job.params, 'evaluation', '')}", job.threads)

    def _work(self, job: _Job) -> float | None:
        """A job's `work`; that of a training is estimated once its corpus is there."""
        if job.work is None and job.run is not None:
            try:
                load = workload_of(self._experiment, self._directory, job.run)
            except FileNotFoundError:
                return None
            run = job.run.settings
            speed = ENGINES[run.engine].devices[run.device].multiply_adds_a_second
            amount = run.max_epochs * load.tokens * load.training_cost
            job.work = float(amount / speed / _SPEED_UP / job.threads)
        return job.work

    def _left(self) -> float | None:
        """The seconds left on all cores; None while the size of a corpus is not known."""
        seconds, now = 0.0, time.monotonic()
        for job in self._jobs.values():
            work = self._work(job)
            if work is None:
                return None
            gone = now - job.started if job.started is not None else 0.0
            seconds += job.threads * max(work * self._pace(job.kind) - gone, 0.0)
        return seconds / self._cores

    def _pace(self, kind: str) -> float:
        """The seconds per unit of `work` of a kind of job.

        It is the median, which a job that was stopped for a while hardly changes.
        """
        ended = self._paces.get(kind)
        if ended is None:
            return 1.0 if kind == "train" else _OTHER_SECONDS
        return median(ended)

    def _count(self) -> str:
        left = self._left()
        time_left = "" if left is None or not self._jobs else f", {_duration(left)} left"
        return f"{self._done} of {self._total} done{time_left}"

    def _draw(self) -> None:
        """Draw the line every second until the end."""
        while not self._ended.wait(1.0):
            with self._lock:
                line = self.line(shutil.get_terminal_size().columns - 1)
                self._clear()
                print(line, end="", file=sys.stderr, flush=True)

    def line(self, width: int) -> str:
        """Return the line: what is done, the time left, and each job that runs in its share."""
        running = [job for job in self._jobs.values() if job.started is not None]
        shown = [count := self._count()]
        share = (width - len(count)) // max(len(running), 1) - 2
        shown += [_said(job)[: max(share, 0)] for job in running]
        return "; ".join(shown)[:width]

    def _clear(self) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _in_words(evaluation: str) -> str:
    """Return what learns in an evaluation, or the name of its rival."""
    return evaluation.replace("_", " ")


def _said(job: _Job) -> str:
    """Return what a job is, and the last line of its log."""
    try:
        lines = (
            job.log.read_text(encoding="utf-8", errors="replace").splitlines() if job.log else []
        )
    except OSError:
        lines = []
    return f"{job.message}: {lines[-1]}" if lines else job.message


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
