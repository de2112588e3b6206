"""Tests of what `make` says about Python, the network and values that a user gives it."""

import os
import shutil
import sys

import pytest

from tests.processes import output_of
from tests.project import ROOT

FILES = (
    "Makefile",
    "pyproject.toml",
    *(f"locks/{name}" for name in ("install.sh", "requirements.lock", "theano.lock", "jax.lock")),
)
OF_OURSELVES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON")
"""Variables that a `make` that runs these tests would pass on to the one that they start."""
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.11" if VERSION != "3.11" else "3.13"


@pytest.fixture
def folder(tmp_path):
    """A folder with a blank in its name, and with what `make` reads."""
    folder = tmp_path / "a project"
    (folder / "locks").mkdir(parents=True)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)
    return folder


@pytest.fixture
def make(folder):
    """A function that runs `make` in the folder, by another program if one is given."""

    def run(*arguments, starter=(), check=False, **variables):
        ours = {name: value for name, value in os.environ.items() if name not in OF_OURSELVES}
        command = [*starter, "make", *arguments]
        return output_of(command, cwd=folder, env=ours | variables, check=check)

    return run


def program(file, *lines):
    """Write a shell script that can be run; return its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def environment(folder):
    """A finished environment, of this Python, whose `online-rnnlm` prints its arguments."""
    environment = folder / ".venv"
    program(environment / "bin" / "online-rnnlm", 'printf "<%s>" "$@"')
    (environment / "bin" / "python").symlink_to(sys.executable)
    parts = [(folder / name).read_text() for name in ("locks/requirements.lock", "pyproject.toml")]
    (environment / "installed-for").write_text("".join([f"{folder}\n", *parts]))
    return environment


def error_of(done):
    """Return the only line that says what is wrong, except for that of `make` itself."""
    assert done.returncode != 0
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    return line


def test_a_value_is_one_argument_whatever_is_in_it(make, environment, folder):
    done = make("--silent", "ui", 'EXPERIMENT=it\'s "a; b"', "PORT=1 2")
    assert done.stdout == '<ui><results/it\'s "a; b"><--port><1 2>'
    python = folder / "my python"
    python.symlink_to(sys.executable)
    assert make("environment", f"PYTHON={python}").returncode == 0


def test_an_empty_configuration_is_said(make, environment):
    assert "CONFIG is empty" in error_of(make("reproduce", "CONFIG="))


@pytest.mark.parametrize("made", ["echo 'the table' | tee results/my*/summary.txt", ":"])
def test_the_table_is_printed_once_even_if_there_is_nothing_to_do(make, environment, folder, made):
    program(environment / "bin" / "online-rnnlm", 'test "$2" != --results || echo "results/my own"')
    program(environment / "bin" / "snakemake", f"{made}; echo progress >&2")
    (folder / "results" / "my own").mkdir(parents=True)
    (folder / "results" / "my own" / "summary.txt").write_text("the table\n")
    done = make("--silent", "reproduce", "CONFIG=it's.yaml")
    assert (done.stdout, done.stderr, done.returncode) == ("the table\n", "progress\n", 0)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_only(make, environment, folder, terminal):
    """In a file Snakemake's own lines tell of the progress: the bar would keep them from it."""
    program(environment / "bin" / "snakemake", f'echo "$@" > "{folder}/arguments"')
    on_a_terminal = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])"]
    make("reproduce", "CONFIG=config.yaml", starter=on_a_terminal if terminal else ())
    assert ("--logger rich" in (folder / "arguments").read_text("utf-8")) == terminal


@pytest.mark.parametrize(
    ("target", "variable", "python", "said"),
    [
        ("environment", "PYTHON", "nowhere/python3", "3.11 to 3.13"),
        ("environment", "PYTHON", "cat", "3.11 to 3.13"),
        ("theano", "THEANO_BASE", sys.executable, "3.8 or 3.9"),
    ],
)
def test_a_python_of_a_wrong_version_is_named(make, target, variable, python, said):
    error = error_of(make(target, f"{variable}={python}"))
    assert python in error and said in error and " is ;" not in error


def test_a_python_other_than_the_environments_is_refused(make, environment):
    python = shutil.which(f"python{OTHER}")
    if python is None or output_of([python, "-c", "import ensurepip, venv"]).returncode:
        pytest.skip(f"no Python {OTHER} here")
    error = error_of(make("environment", PYTHON=python))
    assert VERSION in error and OTHER in error and "make clean" in error
    assert (environment / "installed-for").is_file()


def test_what_a_lock_adds_is_installed_once_and_again_when_the_lock_changes(
    make, environment, folder
):
    (environment / "bin" / "python").unlink()
    program(
        environment / "bin" / "python",
        f'test "$1" = -m || exec {sys.executable} "$@"',
        f'echo "$@" >> "{folder}/installed"',
    )
    said = [make("jax", check=True).stdout for _ in range(2)]
    (folder / "locks" / "jax.lock").write_text("another==1\n")
    said.append(make("jax", check=True).stdout)
    assert [bool(each) for each in said] == [True, False, True]
    asked = (folder / "installed").read_text("utf-8").splitlines()
    assert len([each for each in asked if "--requirement locks/jax.lock" in each]) == 2


def with_pip(folder, *lines):
    """Write a Python whose virtual environments have a `python` of these lines."""
    python = program(folder / "environments-python", *lines)
    return program(
        folder / "some-python",
        f'test "$1" = -m || exec {sys.executable} "$@"',
        f'mkdir -p "$3/bin" && cp {python} "$3/bin/python"',
    )


def test_without_a_network_it_says_that_there_is_none(make, tmp_path):
    """The pip is a real one, which installs into a folder of the test's own."""
    python = with_pip(tmp_path, f'exec {sys.executable} "$@"')
    variables = {"INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "1", "IGNORE_INSTALLED": "1"}
    nowhere = {f"PIP_{name}": value for name, value in variables.items()}
    done = make("environment", f"PYTHON={python}", **nowhere, PIP_TARGET=str(tmp_path / "target"))
    assert "the package index cannot be reached" in error_of(done)


@pytest.mark.parametrize("change", ["python", "lock"])
def test_an_environment_is_made_anew(make, environment, folder, tmp_path, change):
    """Its Python may be gone, and what the lock names may have changed."""
    if change == "python":
        (environment / "bin" / "python").unlink()
    else:
        (folder / "locks" / "requirements.lock").write_text("another==1\n")
    python = with_pip(tmp_path, "echo asked for pip", "exit 1")
    assert error_of(make("environment", f"PYTHON={python}")) == "asked for pip"
    assert not (environment / "installed-for").exists()
