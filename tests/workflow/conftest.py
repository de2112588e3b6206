"""Fixtures that the workflow's tests share."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import DOWNLOADS, Project, copy_project, users_environment
from tests.project import own_text as write_own_text


@pytest.fixture(scope="session")
def copy_of_project() -> Callable[[Path], Project]:
    """A function that copies the project to a path."""
    return copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the project."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def downloads() -> Path:
    """The folder of downloads, kept so that the tests download nothing the next time."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    return DOWNLOADS


@pytest.fixture(scope="session")
def own_text() -> Callable[..., dict[str, object]]:
    """A function that writes three small texts into a project; returns the corpus's settings."""
    return write_own_text


@pytest.fixture(scope="session")
def rules_of() -> Callable[[Project, str], dict[str, tuple[str | None, list[str]]]]:
    """A function that returns a project's rules in Snakemake: see `rules_of_workflow.py`."""

    def rules(project: Project, configuration: str) -> dict[str, tuple[str | None, list[str]]]:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("rules_of_workflow.py")), configuration],
            cwd=project.path,
            env=users_environment() | {"PYTHONPATH": str(project.path / "src")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        return {name: (command, code) for name, (command, code) in found.items()}

    return rules
