"""Fixtures: a real Slurm cluster, and copies of the project whose Snakemake submits jobs to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import slurm
from tests.project import Project, copy_project


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
