"""Checks at the start of Snakemake, and the error messages at its end."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from online_rnnlm.config.addresses import SQLITE
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.process.stop_signals import PARENT, count_interrupts
from online_rnnlm.storage import records
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Tracked
from online_rnnlm.storage.syntax import PACKAGE
from online_rnnlm.tracking.folder import has_moved
from online_rnnlm.tracking.marks import marks_in

LOCKS = Path(".snakemake/locks")
INCOMPLETE = Path(".snakemake/incomplete")
SOLE_RUN = Path(".snakemake/sole-run.lock")
LINKED = Path(".snakemake/online-rnnlm")
PROFILES = "profiles"
ENVIRONMENT = "environment.yml"


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line if the block raises UserError."""
    try:
        yield
    except UserError as error:
        sys.exit(f"{ERROR_MARK}{error}")


def refuse_no_cores(cores: int | None) -> None:
    """Raise UserError for 0 cores, with which Snakemake would wait for ever."""
    if cores == 0:
        raise UserError("--cores 0: nothing can run; allowed: `all`, or whole numbers from 1")


def begin(
    directory: ExperimentDirectory, configuration: str, snakefile_folder: Path, dry_run: bool
) -> IO[str] | None:
    """Check that the workflow can run here; keep the returned file open while it runs.

    `configuration` is the sha256 of the configuration that will lie beside the results.
    Raises UserError if the profile does not exist, if the results cannot be written, or if another
    Snakemake is running here.
    """
    count_interrupts()
    check_profile(sys.argv[1:], snakefile_folder)
    # A new start continues a killed workflow.
    sole_run = forget_killed_run(dry_run)
    if not dry_run:
        check_writable(directory)
        enter_again_if_needed(directory, configuration)
    return sole_run


def enter_again_if_needed(directory: ExperimentDirectory, configuration: str) -> None:
    """Let this start enter the runs into MLflow again if its database does not have them any more.

    The entries were marked by a configuration, so another one, of that sha256, marks them again. If
    the file beside the results was deleted, edited, or left there by a start with other settings,
    the job that enters runs makes Snakemake write it again: without any job, nothing would. If
    the folder was moved or copied, the database has the addresses of files at the old place. If
    the database or the folder of its artifacts was deleted, they are made again. If another file
    is in the database's place, such as an older copy of it, the entries that it lacks are made. If
    the record of what was entered is damaged, all that is compared again.
    """
    try:
        tracked = records.read_if_there(Tracked, directory.tracked)
        again = tracked is not None and (
            tracked.configuration != configuration
            or _digest_of_configuration(directory) != configuration
            or has_moved(directory)
            or _has_lost_database(directory, tracked)
        )
    except UserError as error:
        print(f"{error}: the runs are entered into MLflow again", file=sys.stderr)
        again = True
    if again:
        directory.tracked.unlink(missing_ok=True)


def _digest_of_configuration(directory: ExperimentDirectory) -> str | None:
    """Return the sha256 of the configuration beside the results; None if there is none."""
    return sha256_of(directory.configuration) if directory.configuration.is_file() else None


def _has_lost_database(directory: ExperimentDirectory, tracked: Tracked) -> bool:
    """Return True if the runs were entered into a file that does not have them any more.

    That is so, too, if the folder of its artifacts is not there.
    """
    if not tracked.store.startswith(SQLITE):
        return False
    file = Path(tracked.store.removeprefix(SQLITE))
    if not (file.is_file() and file.with_name(directory.artifacts.name).is_dir()):
        return True
    return marks_in(file, tracked.runs.values()) != tracked.marks


def check_profile(arguments: Sequence[str], snakefile_folder: Path) -> None:
    """Raise UserError if Snakemake's arguments name a workflow profile that does not exist.

    Snakemake itself would continue without a profile. It looks for a profile by its path, then by
    its name in `profiles` in the working directory and beside the Snakefile.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--workflow-profile", default="none")
    name = parser.parse_known_args(arguments)[0].workflow_profile
    folders = [Path(PROFILES), snakefile_folder / PROFILES]
    if name == "none" or any(
        place.exists() for place in (Path(name), *(f / name for f in folders))
    ):
        return
    known = sorted({profile.parent.name for f in folders for profile in f.glob("*/config.yaml")})
    raise UserError(f"--workflow-profile {name}: no such profile; there are: {', '.join(known)}")


def check_writable(directory: ExperimentDirectory) -> None:
    """Raise UserError if results cannot be written; Snakemake's own error would list them all."""
    place = next(p for p in (directory.path, *directory.path.parents) if p.exists())
    if not os.access(place, os.W_OK):
        raise UserError(
            f"{place}: cannot be written: it is read-only, or someone else's; a dry run is possible"
        )
    refuse_files_as_folders(directory.folders())


def refuse_files_as_folders(folders: Iterable[Path]) -> None:
    """Raise UserError if a file is where one of the folders must be."""
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is a file: a folder is needed there")


def package_folder(checkout: Path, conda: bool) -> Path | None:
    """Return the folder that jobs import the package from; None if their environment has it.

    `checkout` is the `src` of a checkout, which is used if it exists. An environment that Snakemake
    makes by conda has the package's dependencies, but not the package itself, so its jobs use a
    folder with a link to the package.
    """
    if checkout.is_dir():
        return checkout
    if not conda:
        return None
    link, package = LINKED / PACKAGE, Path(__file__).parents[1]
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != package:
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    return LINKED.absolute()


def shell_prefix(folder: Path | None, conda: bool) -> str:
    """Return the first commands of every job's shell.

    They make the shell stop at the first error, and let it find the environment and the package.
    `folder` is the result of `package_folder`. The environment is this process's own, unless
    Snakemake makes one by conda.
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


def errors(directory: ExperimentDirectory, since: float) -> list[str]:
    """Return the errors in the logs of jobs that failed since a time (Unix time, seconds)."""
    recent = [log for log in directory.logs.rglob("*.log") if log.stat().st_mtime >= since]
    texts = [log.read_text(encoding="utf-8", errors="replace") for log in recent]
    return [line for text in texts for line in text.splitlines() if ERROR_MARK in line]


def forget_killed_run(dry_run: bool = False) -> IO[str] | None:
    """Remove the marks that a killed Snakemake left, and return the file that holds the lock.

    Snakemake's locks are files that outlive a killed process and stop the next one. The kernel's
    lock on the returned file ends with its process; keep the file open while the workflow runs.
    Snakemake's marks of incomplete outputs are not needed: every output is written in one step, and
    is out of date by its inputs or settings until its job has ended. Returns None for a dry run
    beside another Snakemake, or if the file system has no such locks. Raises UserError if another
    Snakemake is running here.
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
    """Open and lock the file whose lock marks this process as the only Snakemake here.

    Returns None if the file system has no locks. Raises UserError if another process has the lock.
    """
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
