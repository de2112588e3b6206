"""The cross-check with a program in Theano's place that computes the same, or not quite."""

import json
import sys

import pytest

from online_rnnlm.configuration import Run
from online_rnnlm.cross_check.comparison import cross_check
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory
from online_rnnlm.settings import RunSettings

# The replay by PyTensor itself, in a process of its own; `off` is added to one weight.
IN_THEANOS_PLACE = """#!{python}
import sys
import numpy as np
from online_rnnlm.cross_check.replay import replay

module, problem, result = sys.argv[2:]
assert module == "online_rnnlm.cross_check.with_theano"
with np.load(problem) as arrays:
    found = replay(arrays)
found["weights.class_document"][1, 2] += {off}
np.savez(result, **found)
"""


@pytest.fixture
def run():
    values = {"hidden_size": 8, "document_size": 3, "document_layer": "both", "l2": 1e-4}
    return Run(settings=RunSettings.model_validate({"corpus": "topics", **values}))


@pytest.fixture
def directory(tmp_path, corpus_directory):
    (tmp_path / "corpora").symlink_to(corpus_directory.path.parent)
    return ExperimentDirectory(tmp_path)


@pytest.fixture
def program(tmp_path):
    def make(off: float) -> str:
        file = tmp_path / "python"
        file.write_text(IN_THEANOS_PLACE.format(python=sys.executable, off=off), encoding="utf-8")
        file.chmod(0o755)
        return str(file)

    return make


def test_equal_results_are_recorded(run, directory, program):
    cross_check(run, directory, program(0.0))
    record = json.loads(directory.cross_check(run.name).read_text(encoding="utf-8"))
    assert record["updates"] == 50
    found = record["largest_difference"]
    assert set(found["theano"].values()) == {0.0}
    # The kernels round in another order: the same, but not the same bits.
    assert 0 < max(found["kernel"].values()) < 1e-12


def test_one_weight_that_is_a_little_off_is_an_error(run, directory, program):
    with pytest.raises(UserError, match=r"theano .*weights"):
        cross_check(run, directory, program(1e-8))
    # What was found can be read all the same.
    record = json.loads(directory.cross_check(run.name).read_text(encoding="utf-8"))
    assert 1e-9 < record["largest_difference"]["theano"]["weights"] < 1e-7


@pytest.mark.parametrize(
    ("python", "says"),
    [("/nowhere/python", "/nowhere/python"), (sys.executable, "theano")],
    ids=["no Python", "a Python without Theano"],
)
def test_without_theano_it_says_so(run, directory, python, says):
    with pytest.raises(UserError, match=says):
        cross_check(run, directory, python)
    assert not directory.cross_check(run.name).exists()
