"""Fixtures that the workflow's tests share."""

import os
from pathlib import Path

import pytest

from tests.project import Project, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the project."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
