"""Tests that the original Theano, from `make theano`, computes the same updates.

Tests that do not need Theano use a program in its place that computes with PyTensor.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest

RUN = "own-M8-D4-both-seed1"
RECORD = f"results/theano/cross_check/{RUN}.json"

# Computes the answer to a problem once, and adds a number to one of its weights.
IN_THEANOS_PLACE = """#!{python}
import hashlib
import sys
from pathlib import Path
import numpy as np
from online_rnnlm.cross_check.replay import replay

module, problem, result = sys.argv[2:]
assert module == "online_rnnlm.cross_check.with_theano"
answer = Path({answers!r}, hashlib.sha256(Path(problem).read_bytes()).hexdigest() + ".npz")
if not answer.is_file():
    with np.load(problem) as arrays:
        np.savez(answer, **replay(arrays))
with np.load(answer) as arrays:
    found = dict(arrays)
found["weights.class_document"][1, 2] += {off}
np.savez(result, **found)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory, copy_of_project, own_text):
    """A project and its configuration, shared so that its corpus is prepared only once."""
    project = copy_of_project(tmp_path_factory.mktemp("theano") / "project")
    file = project.configure(
        experiment="theano",
        corpora={"own": own_text(project)},
        training={"l2": 1e-4},
        rows=[{"hidden_size": [8, 9], "document_size": 4, "document_layer": "both"}],
        tracking={"watch_seconds": 0},
    )
    return project, file


@pytest.fixture
def cross_check(shared, monkeypatch):
    """A function that runs the check with a Python; returns exit status, output and record."""
    project, file = shared
    record = project.path / RECORD
    record.unlink(missing_ok=True)
    if shutil.which("g++"):
        # PyTensor's C code is compiled once for this machine; numba needs a minute a process.
        monkeypatch.setenv("PYTENSOR_FLAGS", "linker=cvm")

    def run(python: str):
        monkeypatch.setenv("THEANO_PYTHON", python)
        done = project.snakemake("--cores", "1", "--configfile", file, "--", "cross_check")
        found = json.loads(record.read_text(encoding="utf-8")) if record.exists() else None
        return done.returncode, done.stdout + done.stderr, found

    return run


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Path:
    """The folder of the answers that PyTensor has computed in Theano's place."""
    return tmp_path_factory.mktemp("answers")


@pytest.fixture
def in_theanos_place(tmp_path, answers):
    """A function that makes a program in Theano's place with an error of the given size."""

    def make(off: float) -> str:
        file = tmp_path / "python"
        program = IN_THEANOS_PLACE.format(python=sys.executable, answers=str(answers), off=off)
        file.write_text(program, encoding="utf-8")
        file.chmod(0o755)
        return str(file)

    return make


def test_equal_results_are_recorded(cross_check, in_theanos_place, shared):
    status, said, record = cross_check(in_theanos_place(0.0))
    assert status == 0, said
    assert (record["updates"], record["sentences"]) == (50, 200)
    found = record["largest_difference"]
    assert set(found["theano"].values()) == {0.0}
    # The kernels round in another order, so their results are close but not bit-equal.
    assert 0 < max(found["kernel"].values()) < 1e-12
    # The second row is of the same kind and is not checked again.
    assert [file.name for file in (shared[0].path / RECORD).parent.iterdir()] == [f"{RUN}.json"]


def test_one_weight_that_is_a_little_off_is_an_error(cross_check, in_theanos_place):
    status, said, _ = cross_check(in_theanos_place(1e-8))
    assert status != 0
    [line] = {line for line in said.splitlines() if "error: " in line}
    assert RUN in line and "theano" in line and "weights" in line


def test_theano_computes_the_same_updates_and_log_probabilities(cross_check, theano):
    status, said, record = cross_check(theano)
    assert status == 0, said
    assert record["engines"]["theano"].startswith("1.0.5, Python 3.")
    for differences in record["largest_difference"].values():
        assert set(differences) == {
            "training",
            "log_probabilities",
            "document_vectors",
            "weights",
        }
        assert max(differences.values()) < 1e-12


@pytest.mark.parametrize(
    ("python", "says"),
    [("nowhere/python", "`make theano`"), (sys.executable, "No module named 'theano'")],
    ids=["no Python", "a Python without Theano"],
)
def test_without_theano_one_line_says_so(cross_check, python, says):
    status, said, record = cross_check(python)
    assert status != 0 and record is None
    assert says in said and "Traceback" not in said
