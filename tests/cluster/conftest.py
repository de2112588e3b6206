"""Fixtures: a real Slurm cluster, and copies of the project whose Snakemake submits jobs to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import slurm
from tests.processes import output_of
from tests.project import Project, copy_project, users_environment

SNAKEMAKE = Path(__file__).with_name("impatient_snakemake.py")


@dataclass(frozen=True)
class ClusterProject(Project):
    """A copy of the project whose Snakemake runs on a cluster's login node."""

    cluster: slurm.Cluster

    def command(self, *arguments: str) -> list[str]:
        return self.cluster.inside([sys.executable, str(SNAKEMAKE), *arguments])

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = users_environment() | environment
        return output_of(self.command(*arguments), cwd=self.path, env=variables)


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
def make_project(cluster: slurm.Cluster) -> Callable[[Path], ClusterProject]:
    """A function that copies the project to a path, for the cluster."""
    return lambda path: ClusterProject(copy_project(path).path, cluster)
