"""Fixtures: a real Slurm cluster, and copies of the project whose Snakemake submits jobs to it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster import slurm
from tests.project import DOWNLOADS, Project, copy_project, own_text

# The options that the documentation recommends, but the first status check comes after 1 s
# instead of 40 s.
SUBMIT = (
    *("--workflow-profile", "workflow/profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "20"),
)


@pytest.fixture(scope="session")
def cluster() -> Iterator[slurm.Cluster]:
    """The cluster, started once; the test is skipped if this machine cannot start one."""
    missing = slurm.missing()
    if missing:
        pytest.skip(f"no {missing[0]}: apt-get install {slurm.PACKAGES}")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Slurm of its own")
    # The path is short because a socket's path is limited to about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        one = slurm.Cluster(Path(folder) / "cluster")
        try:
            one.start()
            yield one
        finally:
            one.close()


@pytest.fixture(scope="session")
def make_project(cluster: slurm.Cluster) -> Callable[[Path], Project]:
    """A function that copies the project to a path; Snakemake runs on the cluster's login node."""
    program = (str(Path(__file__).with_name("impatient_snakemake.py")),)
    return lambda path: replace(copy_project(path), within=cluster.inside, program=program)


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[[Path], Project]) -> Project:
    """A fresh copy of the project."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def submit() -> tuple[str, ...]:
    """The options that send jobs to the cluster."""
    return SUBMIT


@pytest.fixture(scope="session")
def downloads() -> Path:
    """The folder of the tests' downloads."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    return DOWNLOADS


@dataclass(frozen=True)
class Trainings:
    """A project with trainings that take a while, on a small text of its own."""

    project: Project
    arguments: tuple[str, ...]
    """Snakemake's arguments that select the experiment."""
    runs: list[Path]

    @property
    def results(self) -> list[str]:
        """The result files of the trainings, as targets for Snakemake."""
        return [str((run / "result.json").relative_to(self.project.path)) for run in self.runs]

    def copy(self, path: Path) -> Trainings:
        """Copy the project with everything that is prepared, but without the runs."""
        project = self.project.copied(path)
        runs = [path / run.relative_to(self.project.path) for run in self.runs]
        for run in runs:
            shutil.rmtree(run)
        return replace(self, project=project, runs=runs)


@pytest.fixture(scope="session")
def make_trainings() -> Callable[..., Trainings]:
    """A function that configures a project to train one run for each hidden size."""
    return _make_trainings


def _make_trainings(project: Project, epochs: int, *sizes: int) -> Trainings:
    configuration = project.configure(
        experiment="long",
        corpora={"own": own_text(project, train_sentences=1000)},
        training={
            "improvement_factor": 1.0,
            "batch_sentences": 1,
            "learning_rate": 0.01,
            "document_size": 4,
            "max_epochs": epochs,
        },
        rows=[{"hidden_size": size} for size in sizes],
    )
    runs = [project.path / f"results/long/runs/own-M{size}-D4-seed1" for size in sizes]
    return Trainings(project, ("--configfile", configuration), runs)


@pytest.fixture
def trainings(project: Project, make_trainings: Callable[..., Trainings]) -> Trainings:
    """Two trainings that can run in parallel, on a prepared corpus."""
    made = make_trainings(project, 20, 31, 32)
    prepared = ("results/long/corpora/own/statistics.json", "results/long/kernels.json")
    project.succeed("--cores", "2", *made.arguments, "--", *prepared)
    return made
