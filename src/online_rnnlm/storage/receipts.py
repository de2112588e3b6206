"""Receipts: what each job of the workflow read and made, so that a changed file is never believed.

A job writes its receipt when it begins and, completely, when it ends. A job whose receipt agrees
with its settings, its code and the files on the disk need not run again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Order, Receipt

logger = logging.getLogger(__name__)

_LONG_AGO = 1.0
"""Time of the orders of jobs that need not run again (Unix time, seconds)."""


@dataclass(frozen=True)
class Job:
    """A job of the workflow: one rule, for one run or corpus."""

    rule: str
    name: str
    """The run or the corpus; empty if the rule has a single job."""
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    identity: str
    """The sha256 of its settings and code, as hexadecimal digits."""


@dataclass(frozen=True)
class State:
    """The state of a job's files."""

    current: bool
    """True if the job need not run: its receipt agrees with settings, code and files."""
    changed: tuple[Path, ...] = ()
    """Outputs that have changed since the job made them."""


@dataclass
class Checksums:
    """The sha256 of files, each computed once."""

    _known: dict[Path, str | None] = field(default_factory=dict)

    def of(self, file: Path) -> str | None:
        """Return a file's sha256 as hexadecimal digits, or None if there is no such file."""
        if file not in self._known:
            self._known[file] = sha256_of(file) if file.is_file() else None
        return self._known[file]


def state(directory: ExperimentDirectory, job: Job, sums: Checksums) -> State:
    """Compare a job's receipt with its settings, its code and its files."""
    return _compared(directory, job, _read(directory, job), sums)


def _compared(
    directory: ExperimentDirectory, job: Job, receipt: Receipt | None, sums: Checksums
) -> State:
    """Compare a job's receipt, which has been read, as `state` does."""
    if receipt is None or not receipt.finished:
        return State(current=False)
    made = {_file(directory, path): digest for path, digest in receipt.outputs.items()}
    changed = tuple(file for file, digest in made.items() if sums.of(file) not in (None, digest))
    same_work = receipt.identity == job.identity and receipt.inputs == _sums(
        directory, job.inputs, sums
    )
    complete = set(made) == set(job.outputs) and None not in map(sums.of, made)
    return State(current=same_work and complete and not changed, changed=changed)


@contextmanager
def recording(directory: ExperimentDirectory, job: Job) -> Iterator[bool]:
    """Keep a job's receipt; the block does the job if it is given False.

    It is given True if the job's files are current: then only their times are renewed, because
    Snakemake compares them. Outputs that have changed since the job made them are removed first,
    also if Snakemake has put them back because the job then failed.
    Files that an earlier job of this name made, and that this one does not make, are removed last.
    """
    sums, earlier = Checksums(), _read(directory, job)
    found = _compared(directory, job, earlier, sums)
    if found.current:
        for file in job.outputs:
            os.utime(file)
        logger.info("%s %s: made already", job.rule, job.name)
        yield True
        return
    refused = _sums(directory, found.changed, sums) | (earlier.refused if earlier else {})
    _remove(directory, refused, sums)
    inputs = _sums(directory, job.inputs, sums)
    before = earlier.outputs if earlier else {}
    path = directory.receipt(job.rule, job.name)
    begun = Receipt(
        rule=job.rule,
        name=job.name,
        identity=job.identity,
        finished=False,
        inputs=inputs,
        outputs=before,
        refused=refused,
    )
    records.write(path, begun)
    yield False
    outputs = _sums(directory, job.outputs, Checksums())
    for left in set(before) - set(outputs):
        _file(directory, left).unlink(missing_ok=True)
    made = {"finished": True, "outputs": outputs, "refused": {}}
    records.write(path, begun.model_copy(update=made))


def _remove(directory: ExperimentDirectory, refused: Mapping[str, str], sums: Checksums) -> None:
    """Remove the files that still have the contents for which they were refused."""
    for name, digest in refused.items():
        file = _file(directory, name)
        if sums.of(file) == digest:
            logger.warning("%s: changed since it was made: made again", file)
            file.unlink(missing_ok=True)


def write_order(directory: ExperimentDirectory, job: Job, *, again: bool) -> None:
    """Write what a job is to read and make; if it must run `again`, newer than all its outputs."""
    path = directory.order(job.rule, job.name)
    order = Order(
        rule=job.rule,
        name=job.name,
        identity=job.identity,
        inputs=tuple(_path(directory, file) for file in job.inputs),
        outputs=tuple(_path(directory, file) for file in job.outputs),
        # Snakemake does not run a job for a small input whose content is still the same.
        again=time.time_ns() if again else None,
    )
    if again or _known_order(path) != order:
        records.write(path, order)
    if not again and path.stat().st_mtime != _LONG_AGO:
        os.utime(path, (_LONG_AGO, _LONG_AGO))


def forget_orders(directory: ExperimentDirectory, jobs: Iterable[Job]) -> None:
    """Remove the orders of all jobs but these: the others have left the configuration."""
    kept = {directory.order(job.rule, job.name) for job in jobs}
    for path in set(directory.orders.glob("*/*.json")) - kept:
        path.unlink(missing_ok=True)


def ordered_job(path: Path) -> tuple[ExperimentDirectory, Job]:
    """Read the job that a file of `write_order` describes; return its experiment's folder, too."""
    order, above = records.read(Order, path), path.parents
    directory = ExperimentDirectory(above[2]) if len(above) > 2 else None
    if directory is None or directory.order(order.rule, order.name) != path:
        raise UserError(f"{path}: is no order of an experiment: give it by its experiment's path")
    read, made = (
        tuple(_file(directory, path) for path in paths) for paths in (order.inputs, order.outputs)
    )
    return directory, Job(order.rule, order.name, read, made, order.identity)


def not_as_made(file: Path) -> UserError:
    """The error that a file is not what its job made."""
    return UserError(f"{file}: changed since it was made: start the experiment again")


def changed_outputs(directory: ExperimentDirectory) -> list[Path]:
    """Return the files that have changed, or were deleted, since finished jobs made them.

    Only jobs that have an order count: no job makes the files of others again. The mark of a
    complete experiment is not among them: nothing is made of it, and Snakemake may remove and make
    it again while the experiment is entered into MLflow.
    """
    changed = []
    for path in sorted(directory.orders.glob("*/*.json")):
        order = records.read(Order, path)
        made = _made(directory, order.rule, order.name)
        files = ((_file(directory, name), digest) for name, digest in made.items())
        changed += [f for f, digest in files if not f.is_file() or sha256_of(f) != digest]
    return [file for file in changed if file != directory.complete]


def refuse_changed_outputs(directory: ExperimentDirectory) -> None:
    """Raise UserError if any file is not what a finished job made: see `changed_outputs`."""
    for file in changed_outputs(directory):
        raise not_as_made(file)


def refuse_changed(
    directory: ExperimentDirectory, rule: str, name: str, files: Iterable[Path]
) -> None:
    """Raise UserError if one of these files has changed since a finished job made it."""
    for file in changed_files(directory, rule, name, files):
        raise not_as_made(file)


def changed_files(
    directory: ExperimentDirectory, rule: str, name: str, files: Iterable[Path]
) -> Iterator[Path]:
    """Yield those of these files that are there and have changed since a finished job made them."""
    made = _made(directory, rule, name)
    for file in files:
        digest = made.get(_path(directory, file))
        if digest is not None and file.is_file() and sha256_of(file) != digest:
            yield file


def _made(directory: ExperimentDirectory, rule: str, name: str) -> dict[str, str]:
    """Return the sha256 of what a finished job made, by path; nothing if it has not finished."""
    receipt = records.read_if_there(Receipt, directory.receipt(rule, name))
    return receipt.outputs if receipt is not None and receipt.finished else {}


def _known_order(path: Path) -> Order | None:
    """Read an order without the time in it; None if it is missing or damaged."""
    with suppress(UserError):
        order = records.read_if_there(Order, path)
        return order and order.model_copy(update={"again": None})
    return None


def _read(directory: ExperimentDirectory, job: Job) -> Receipt | None:
    """Read a job's receipt; a missing, damaged or another job's is None, so the job runs again."""
    path = directory.receipt(job.rule, job.name)
    try:
        found = records.read_if_there(Receipt, path)
    except UserError as error:
        logger.warning("%s", error)
        return None
    if found is None or (found.rule, found.name) != (job.rule, job.name):
        return None
    own = {_path(directory, file) for file in job.outputs}
    for name in {*found.outputs, *found.refused} - own:
        # Files that it names may be removed, so it may name none of the user's own.
        if Path(name).is_absolute() or name.startswith("./") or ".." in Path(name).parts:
            logger.warning("%s: not used: %s is outside of the experiment", path, name)
            return None
    return found


def _sums(directory: ExperimentDirectory, files: Iterable[Path], sums: Checksums) -> dict[str, str]:
    """Return the sha256 of the files that exist, by their paths in receipts."""
    found = ((_path(directory, file), sums.of(file)) for file in files)
    return {path: digest for path, digest in found if digest is not None}


def _path(directory: ExperimentDirectory, file: Path) -> str:
    """Return a file's path as records have it: see `Receipt`."""
    if file.is_relative_to(directory.path):
        return str(file.relative_to(directory.path))
    return str(file) if file.is_absolute() else f"./{file}"


def _file(directory: ExperimentDirectory, path: str) -> Path:
    """Return the file of a path in a record."""
    return Path(path) if path.startswith(("/", "./")) else directory.path / path
