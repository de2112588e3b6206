"""Fixtures that the workflow's tests share."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.project import DOWNLOADS, ROOT, Project, copy_project
from tests.project import own_text as write_own_text


@pytest.fixture(scope="session")
def copy_of_project() -> Callable[..., Project]:
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


_PYTHONS_OF_THEANO = ("3.9", "3.8")


def _pythons() -> Iterator[str]:
    """Yield possible Pythons for Theano: commands on the path, then those of pyenv."""
    yield from (f"python{version}" for version in _PYTHONS_OF_THEANO)
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        for version in _PYTHONS_OF_THEANO:
            found = Path(root.strip(), "versions").glob(f"{version}.*/bin/python")
            yield from map(str, sorted(found, reverse=True))


def _runs(python: str) -> bool:
    """Return True if the Python starts; some of pyenv's commands only report an error."""
    if not shutil.which(python):
        return False
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


@pytest.fixture(scope="session")
def theano() -> str:
    """The Python of the environment with Theano 1.0.5 that `make theano` makes if needed."""
    if "THEANO_PYTHON" in os.environ:
        return os.environ["THEANO_PYTHON"]
    base = next(filter(_runs, _pythons()), None)
    if base is None or not shutil.which("g++"):
        pytest.skip("Theano 1.0.5 needs Python 3.8 or 3.9, and g++")
    command = ["make", "-C", ROOT, f"THEANO_BASE={base}", "theano"]
    with (ROOT / "Makefile").open(encoding="utf-8") as makefile:
        fcntl.flock(makefile, fcntl.LOCK_EX)  # Another worker may be making it.
        subprocess.run(command, check=True)
    return str(ROOT / ".venv-theano" / "bin" / "python")
