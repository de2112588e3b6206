"""Tests of what `make` says about Python, the network and values that a user gives it."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("Makefile", "requirements.lock", "requirements-theano.lock", "pyproject.toml")
OF_OURSELVES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON")
"""Variables that a `make` that runs these tests would pass on to the one that they start."""
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.11" if VERSION != "3.11" else "3.12"

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a blank in its name, and with what `make` reads."""
    folder = tmp_path / "a project"
    folder.mkdir()
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    return folder


@pytest.fixture
def make(folder: Path) -> Make:
    """A function that runs `make` in the folder."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        ours = {name: value for name, value in os.environ.items() if name not in OF_OURSELVES}
        return subprocess.run(
            ["make", *arguments],
            cwd=folder,
            env=ours | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def write_program(file: Path, *lines: str) -> str:
    """Write a shell script that can be run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def pretended_python(file: Path, version: str) -> str:
    """Write a program that only says that it is a Python of this version."""
    return write_program(
        file,
        f'test "$1" = -V && {{ echo "Python {version}.9" >&2; exit 1; }}',
        f'test "$2" = "import ensurepip, venv" || echo {version}',
        'test "$1" != -m',
    )


@pytest.fixture
def environment(folder: Path) -> Path:
    """A finished environment, of this Python, whose `online-rnnlm` prints its arguments."""
    environment = folder / ".venv"
    write_program(environment / "bin" / "online-rnnlm", 'printf "<%s>" "$@"')
    (environment / "bin" / "python").symlink_to(sys.executable)
    parts = [f"{folder}\n", *((folder / f).read_text() for f in ("requirements.lock", FILES[-1]))]
    (environment / "installed-for").write_text("".join(parts))
    return environment


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line that says what is wrong, except for that of `make` itself."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_value_is_one_argument_whatever_is_in_it(make: Make, environment: Path) -> None:
    done = make("--silent", "ui", 'EXPERIMENT=it\'s "a; b"', "PORT=1 2")
    assert done.stdout == '<ui><results/it\'s "a; b"><--port><1 2>'


def test_a_python_with_blanks_in_its_path_is_found(
    make: Make, environment: Path, folder: Path
) -> None:
    python = folder / "my python"
    python.symlink_to(sys.executable)
    assert make("environment", f"PYTHON={python}").returncode == 0


@pytest.mark.parametrize("python", ["nowhere/python3", "false", "true", "cat"])
def test_a_program_that_is_no_python_is_named(make: Make, python: str) -> None:
    error = error_of(make("environment", f"PYTHON={python}"))
    assert python in error and "3.11 to 3.13" in error and " is ;" not in error


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.14"])
def test_a_python_of_another_version_is_named_with_it(
    make: Make, tmp_path: Path, version: str
) -> None:
    python = pretended_python(tmp_path / "some-python", version)
    error = error_of(make("environment", f"PYTHON={python}"))
    assert f"{python} is Python {version}" in error and "3.11 to 3.13" in error


def test_a_python_for_theano_is_one_of_two(make: Make, tmp_path: Path) -> None:
    python = pretended_python(tmp_path / "some-python", "3.10")
    error = error_of(make("theano", f"THEANO_BASE={python}"))
    assert python in error and "3.8 or 3.9" in error


@pytest.mark.parametrize(
    ("arguments", "configuration"),
    [((), "config/examples/engines.yaml"), (("CONFIG=my.yaml",), "my.yaml")],
    ids=["the example", "another file"],
)
def test_engines_are_compared_on_the_example_or_on_ones_own_file(
    make: Make, environment: Path, arguments: tuple[str, ...], configuration: str
) -> None:
    printed = make("--dry-run", "engines", *arguments).stdout.splitlines()
    [command] = [line for line in printed if "snakemake" in line]
    assert command.endswith(f"--configfile '{configuration}' -- engines")


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_python_that_is_not_the_environments_is_said(
    make: Make, environment: Path, tmp_path: Path, how: str
) -> None:
    python = pretended_python(tmp_path / "some-python", OTHER)
    named = f"PYTHON={python}"
    done = make("environment", named) if how == "argument" else make("environment", PYTHON=python)
    error = error_of(done)
    assert VERSION in error and OTHER in error and "make clean" in error
    assert (environment / "installed-for").is_file()


def test_an_environment_whose_python_is_gone_is_made_anew(
    make: Make, environment: Path, tmp_path: Path
) -> None:
    (environment / "bin" / "python").unlink()
    python = pretended_python(tmp_path / "some-python", VERSION)
    done = make("environment", f"PYTHON={python}")
    assert "Installing" in done.stdout
    assert not environment.exists()  # the pretended Python makes none


def with_pip(folder: Path, *lines: str) -> str:
    """Write a Python whose virtual environments have a `python` of these lines."""
    python = write_program(folder / "environments-python", *lines)
    return write_program(
        folder / "some-python",
        f'test "$1" = -m || exec {sys.executable} "$@"',
        f'mkdir -p "$3/bin" && cp {shlex.quote(python)} "$3/bin/python"',
    )


def test_without_a_network_it_says_that_there_is_none(
    make: Make, folder: Path, tmp_path: Path
) -> None:
    """The pip is a real one, which installs into a folder of the test's own."""
    python = with_pip(folder, f'exec {sys.executable} "$@"')
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_TARGET": str(tmp_path / "target"),
    }
    error = error_of(make("environment", f"PYTHON={python}", **nowhere))
    assert "the package index cannot be reached" in error and "network" in error


def test_what_else_pip_says_is_shown(make: Make, folder: Path) -> None:
    python = with_pip(folder, "echo no such hash", "exit 1")
    assert error_of(make("environment", f"PYTHON={python}")) == "no such hash"
