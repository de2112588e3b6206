"""What the workflow's tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import DOWNLOADS, Project, copy_project
from tests.project import own_text as write_own_text


@pytest.fixture(scope="session")
def copy_of_project() -> Callable[[Path], Project]:
    """Makes a copy of the project where it is told to."""
    return copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def downloads() -> Path:
    """Where the tests' downloads are kept: a second run of the tests downloads nothing."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    return DOWNLOADS


@pytest.fixture(scope="session")
def own_text() -> Callable[..., dict[str, object]]:
    """Writes three small ready files into a project; gives the corpus as configurations have it."""
    return write_own_text
