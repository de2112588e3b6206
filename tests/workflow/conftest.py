"""Fixtures that the workflow's tests share."""

from pathlib import Path

import pytest

from tests.project import Project, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the project."""
    return copy_project(tmp_path / "project")
