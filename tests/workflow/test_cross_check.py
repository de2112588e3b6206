"""The original Theano, in the environment that `make theano` makes, computes the same updates."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import ROOT

RUN = "own-M8-D4-both-seed1"
RECORD = f"results/theano/cross_check/{RUN}.json"
VERSIONS = ("3.9", "3.8")


def _pythons() -> Iterator[str]:
    """Where a Python that Theano can run on may be: on the path, or one of pyenv's."""
    yield from (f"python{version}" for version in VERSIONS)
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        for version in VERSIONS:
            found = Path(root.strip(), "versions").glob(f"{version}.*/bin/python")
            yield from map(str, sorted(found, reverse=True))


def _runs(python: str) -> bool:
    """pyenv leaves commands on the path that only say that they are not active."""
    if not shutil.which(python):
        return False
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def theano(tmp_path_factory) -> str:
    """The Python of an environment with Theano 1.0.5."""
    if "THEANO_PYTHON" in os.environ:
        return os.environ["THEANO_PYTHON"]
    base = next(filter(_runs, _pythons()), None)
    if base is None or not shutil.which("g++"):
        pytest.skip("Theano 1.0.5 needs Python 3.8 or 3.9, and g++")
    folder = tmp_path_factory.mktemp("theano") / "environment"
    names = [f"THEANO={folder}", f"THEANO_BASE={base}"]
    subprocess.run(["make", "-C", ROOT, *names, "theano-environment"], check=True)
    return str(folder / "bin" / "python")


@pytest.fixture
def configuration(project, own_text) -> str:
    return project.configure(
        experiment="theano",
        corpora={"own": own_text(project)},
        rows=[
            {"hidden_size": [8, 9], "document_size": 4, "document_layer": "both"},
        ],
    )


def test_it_computes_the_same_updates_and_log_probabilities(
    project, configuration, theano, monkeypatch
):
    monkeypatch.setenv("THEANO_PYTHON", theano)
    arguments = ("--cores", "1", "--configfile", configuration, "--", "cross_check")
    project.succeed(*arguments)
    record = json.loads((project.path / RECORD).read_text(encoding="utf-8"))
    assert record["engines"]["theano"].startswith("1.0.5, Python 3.")
    assert (record["updates"], record["sentences"]) == (50, 200)
    for differences in record["largest_difference"].values():
        assert set(differences) == {
            "training",
            "log_probabilities",
            "document_vectors",
            "weights",
        }
        assert max(differences.values()) < 1e-12
    # The second row is of the same kind.
    assert [file.name for file in (project.path / RECORD).parent.iterdir()] == [f"{RUN}.json"]
    assert not project.planned(*arguments)


def test_without_its_environment_one_line_says_what_makes_it(project, configuration, monkeypatch):
    monkeypatch.delenv("THEANO_PYTHON", raising=False)
    done = project.snakemake("--cores", "1", "--configfile", configuration, "--", "cross_check")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "`make theano`" in said and "Traceback" not in said
    assert not (project.path / RECORD).exists()
