"""Slurm's accounting of the jobs that trained a run, saved beside the run's own files."""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Iterable

from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Accounting, Job, RunRecord

logger = logging.getLogger(__name__)

_COLUMNS = (
    *("JobIDRaw", "State", "NodeList", "Partition", "ElapsedRaw", "TimelimitRaw"),
    *("TotalCPU", "ReqMem", "MaxRSS", "AllocTRES"),
)
_SECONDS = 60
_NOT_ENDED = ("PENDING", "RUNNING", "REQUEUED", "RESIZING", "SUSPENDED")
_UNITS = {"": 1e-6, "K": 1.024e-3, "M": 1.048576, "G": 1073.741824, "T": 1099511.627776}


def enter(directory: ExperimentDirectory) -> None:
    """Write the missing `accounting.json` of every finished run that Slurm's jobs have trained.

    If Slurm's accounting is not available, log a warning and write nothing.
    """
    runs = {name: jobs for name in _finished(directory) if (jobs := _jobs(directory, name))}
    missing = {
        name: jobs for name, jobs in runs.items() if jobs != _entered(directory, name)
    }  # An older training under the same name has other jobs.
    if not missing:
        return
    told = ask(sorted({job for jobs in missing.values() for job in jobs}))
    for name, jobs in missing.items():
        found = [told[job] for job in jobs if job in told]
        if len(found) == len(jobs):
            records.write(directory.run(name).accounting, Accounting(jobs=tuple(found)))


def _finished(directory: ExperimentDirectory) -> list[str]:
    return sorted(path.parent.name for path in directory.path.glob("runs/*/result.json"))


def _jobs(directory: ExperimentDirectory, name: str) -> list[str]:
    """Read the ids of the jobs that trained a run, in their order."""
    found = records.read_if_there(RunRecord, directory.run(name).record)
    return list(found.slurm_jobs) if found else []


def _entered(directory: ExperimentDirectory, name: str) -> list[str]:
    found = records.read_if_there(Accounting, directory.run(name).accounting)
    return [job.job for job in found.jobs] if found else []


def ask(jobs: Iterable[str]) -> dict[str, Job]:
    """Ask `sacct` about jobs; returns those that have ended, by their ids."""
    command = ["sacct", "--noheader", "--parsable2", f"--format={','.join(_COLUMNS)}"]
    try:
        done = subprocess.run(
            [*command, f"--jobs={','.join(jobs)}"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join(str(getattr(error, "stderr", None) or error).split())
        logger.warning("Slurm's accounting says nothing of the runs' jobs: %s", said)
        return {}
    return parse(done.stdout)


def parse(said: str) -> dict[str, Job]:
    """Read the ended jobs from the output of `sacct`, which has a row for each job and each step.

    Memory is in MB: the sum of the steps' peaks, which is an upper bound of the job's own peak.
    """
    rows = [dict(zip(_COLUMNS, line.split("|"), strict=True)) for line in said.splitlines()]
    memory: dict[str, float] = {}
    for row in rows:
        job, _, step = row["JobIDRaw"].partition(".")
        memory[job] = memory.get(job, 0.0) + (_megabytes(row["MaxRSS"]) if step else 0.0)
    return {
        row["JobIDRaw"]: _job(row, memory[row["JobIDRaw"]])
        for row in rows
        if "." not in row["JobIDRaw"] and not row["State"].startswith(_NOT_ENDED)
    }


def _job(row: dict[str, str], memory: float) -> Job:
    limit = row["TimelimitRaw"]
    return Job(
        job=row["JobIDRaw"],
        state=row["State"].partition(" ")[0],  # The state can be `CANCELLED by 0`.
        node=row["NodeList"],
        partition=row["Partition"],
        seconds=float(row["ElapsedRaw"]),
        cpu_seconds=_seconds(row["TotalCPU"]),
        memory_mb=memory,
        requested_memory_mb=_megabytes(row["ReqMem"]),
        requested_minutes=float(limit) if limit.isdigit() else None,
        resources=row["AllocTRES"],
    )


def _megabytes(text: str) -> float:
    """Convert a size such as `403104K` or `412M` to MB; an empty text gives 0."""
    match = re.fullmatch(r"([\d.]+)([KMGT]?)[nc]?", text)
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


def _seconds(text: str) -> float:
    """Convert `[days-][hours:]minutes:seconds` to seconds."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = 60 * seconds + float(part or 0)
    return 86400 * float(days or 0) + seconds
