"""Copies of the project in which a test may run, edit and break things."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from online_rnnlm.config.plan import Plan, load
from online_rnnlm.corpora.planning import with_digits
from tests.processes import heeding_interrupts, output_of, wait_until
from tests.toy_texts import write_chains

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "environment.yml", "config", "profiles", "workflow")
DOWNLOADS = ROOT / "results" / "downloads"
SNAKEMAKE = ("-m", "snakemake")
OWN_TEXT: dict[str, object] = {
    "source": {
        "kind": "text",
        "tokenised": True,
        "train": "train.txt",
        "valid": "valid.txt",
        "test": "test.txt",
    },
    "vocabulary": {"min_count": 1},
    "classes": {"count": 5},
}
"""The settings of the corpus whose files `own_text` writes."""


def users_environment() -> dict[str, str]:
    """Return a user's environment: kernels do not check indices, and bytecode is kept."""
    ours = ("NUMBA_BOUNDSCHECK", "NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in ours}


@dataclass(frozen=True)
class Project:
    """A copy of the project, with methods that run the real commands in it."""

    path: Path
    within: Callable[[Sequence[str]], list[str]] = list
    """A function that wraps a command to run it elsewhere, such as in a cluster."""

    program: tuple[str, ...] = SNAKEMAKE
    """The arguments of Python that start Snakemake."""

    def command(self, *arguments: str) -> list[str]:
        return self.within([sys.executable, *self.program, *arguments])

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Snakemake in a process group of its own, as a terminal does."""
        return self.start_command(self.command(*arguments))

    def start_command(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            heeding_interrupts(command),
            cwd=self.path,
            env=users_environment(),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end, in a process group of its own."""
        command = self.command(*arguments)
        variables = users_environment() | environment
        return output_of(command, cwd=self.path, env=variables, start_new_session=True)

    def copied(self, path: Path) -> "Project":
        """Copy the project as it is now, with its results."""
        shutil.copytree(self.path, path, symlinks=True)
        return replace(self, path=path)

    def processes(self) -> dict[int, str]:
        """Return the commands of all processes whose working folder this is, by process id."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
                if command and (process / "cwd").readlink() == self.path:
                    found[int(process.name)] = command
        return found

    def wait_for_job(self, verb: str, beside: int | None = None) -> int:
        """Wait until a job runs this verb, maybe beside another; return its process id."""

        def job() -> int | None:
            for number, command in self.processes().items():
                is_job = f" -m online_rnnlm {verb} " in command and "bash" not in command
                if is_job and number != beside:
                    return number
            return None

        return wait_until(job, f"a job that runs `{verb}`", pause=0.1)

    def succeed(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed; return all of its output."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return the number of jobs that would run now, by rule."""
        return jobs_in(self.succeed("--dry-run", "--quiet", "reason", *arguments))

    def configure(self, **values: object) -> str:
        """Write a configuration; return its path relative to the project."""
        path = self.path / "config" / "test.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return "config/test.yaml"

    def planned_trainings(self, *arguments: str) -> set[str]:
        """Return the runs that would be trained now."""
        said = self.succeed("--dry-run", "--quiet", "reason", *arguments)
        return {line.split()[-1] for line in said.splitlines() if ": Train " in line}

    def experiment(self, file: str) -> Plan:
        """Return the plan that the workflow makes of a configuration."""
        with contextlib.chdir(self.path):  # texts of its own are named from there
            return with_digits(load(Path(file)))

    def runs(self, file: str) -> list[str]:
        """Return the names of the runs of a configuration."""
        return [run.name for run in self.experiment(file).runs()]


def jobs_in(said: str) -> dict[str, int]:
    """Return the number of jobs that Snakemake says to run, by rule."""
    if "Nothing to be done" in said:
        return {}
    table = said.rpartition("Job stats:")[2].split("total")[0].splitlines()
    rows = [line.split() for line in table if line.strip() and line.split()[-1].isdigit()]
    return {row[0]: int(row[1]) for row in rows}


def copy_project(path: Path, *, code: bool = False) -> Project:
    """Copy the project; without a copy of the `code`, its jobs run the environment's package.

    numba compiles kernels again for each place of their files, which takes half a minute.
    """
    for part in (*PARTS, *(["src"] if code else [])):
        source = ROOT / part
        if source.is_dir() and not source.is_symlink():
            ignored = shutil.ignore_patterns("*.egg-info")
            shutil.copytree(source, path / part, ignore=ignored)
        else:
            path.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, path / part, follow_symlinks=False)
    return Project(path)


def own_text(project: Project, train_sentences: int = 200) -> dict[str, object]:
    """Write a user's own text into the project; return the settings of its corpus."""
    write_chains(project.path / "train.txt", train_sentences, seed=0)
    write_chains(project.path / "valid.txt", 50, seed=1)
    write_chains(project.path / "test.txt", 50, seed=2)
    return OWN_TEXT
