"""Tests of a cell and an engine that a user adds: each is one file and one name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit import extended_package
from tests.unit.model import leaky

pytestmark = pytest.mark.slow  # a copy of the package trains and tests a run

ENGINE = '''"""The plain graph under another name."""

from online_rnnlm.engines.graph_engine import OnlineScorer, Scorer, Trainer

__all__ = ["OnlineScorer", "Scorer", "Trainer"]
'''
ENTRY = '\n    "tiny": Engine("of a test.", {"cpu": OnDevice(7e6)}, packages=("pyyaml",)),'
RUN = "topics-M4-D2-leaky-tiny-seed1"
ABOUT = """
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.training import RunSettings
from online_rnnlm.model import cost, parameters
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.pipeline import resources
from online_rnnlm.training.identity import code_of
settings = RunSettings(corpus="c", cell="leaky", engine="tiny", device="cpu", max_epochs=1)
sizes = Sizes(10, 4, 6, 0, "output", "leaky")
model = resources.Workload(
    settings,
    sizes,
    weights=parameters.count(sizes),
    hidden_inputs=parameters.shapes(sizes).embeddings[1],
    tokens={"train": 10**9},
    class_size=5.0,
    longest=20,
    training_cost=cost.training_multiply_adds_per_word(sizes, 5.0),
    update_cost=0.0,
)
print(code_of(settings), PlannedRun(settings=settings).model, resources.training_minutes(model, 1))
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the package with an additional cell and engine."""
    folder = extended_package.copy_package(tmp_path_factory.mktemp("extended"))
    cell = Path(leaky.__file__).read_text(encoding="utf-8")
    extended_package.add_file(folder, "model/cells/leaky.py", cell)
    extended_package.add_name(folder, "config/training.py", 'cell: Literal["sigmoid"', ', "leaky"')
    extended_package.add_file(folder, "engines/tiny_engine.py", ENGINE)
    extended_package.add_name(folder, "config/engines.py", "Mapping[str, Engine] = {", ENTRY)
    return folder


@pytest.fixture
def python(extended, tmp_path):
    """A function that runs Python with the extended package, in an empty folder."""

    def python(*arguments):
        # PyTensor compiles faster, to slower code.
        flags = {"PYTHONPATH": str(extended), "PYTENSOR_FLAGS": "cxx=,mode=FAST_COMPILE"}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=os.environ | flags,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return python


@pytest.fixture
def configure(tmp_path):
    """A function that writes a configuration with the given training settings."""

    def configure(**training):
        values = {
            "experiment": "test",
            "corpora": {"topics": {"source": {"kind": "wikipedia-vital"}}},
            "training": {"max_epochs": 1, **training},
            "rows": [{"hidden_size": 4, "document_size": 2}],
        }
        path = tmp_path / "my.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    return configure


def test_a_run_with_both_is_trained_and_tested(python, configure, tmp_path, corpus_directory):
    file = configure(cell="leaky", engine="tiny")
    results = ExperimentDirectory(tmp_path / "results" / "test")
    shutil.copytree(corpus_directory.path, results.corpus("topics").path)
    run = ("--config", file, "--run", RUN)
    for verb in (("train", *run), ("evaluate", *run, "--evaluation", "document_vector")):
        done = python("-m", "online_rnnlm", *verb)
        assert done.returncode == 0, done.stderr
    record = json.loads(results.run(RUN).record.read_text(encoding="utf-8"))
    assert (record["settings"]["cell"], record["settings"]["engine"]) == ("leaky", "tiny")
    assert {"pyyaml", "pytensor"} <= set(record["packages"])
    with np.load(results.run(RUN).model) as weights:
        assert {"slow_embeddings", "from_slow", "bias"} <= set(weights)
        vocabulary = len(weights["word_output"])
        assert weights["embeddings"].shape == (vocabulary, 2 * 4)
        trained = sum(array.size for array in weights.values())
    result = json.loads(results.run(RUN).result.read_text(encoding="utf-8"))
    assert result["parameters"] == trained
    tested = json.loads(results.evaluation(RUN, "document_vector").read_text(encoding="utf-8"))
    assert 1 < tested["splits"]["test"]["perplexity"] < vocabulary
    again = python("-m", "online_rnnlm", "train", *run)
    assert "finished already" in again.stderr


def test_the_kernels_refuse_a_cell_that_they_lack_in_one_line(python, configure):
    done = python("-m", "online_rnnlm", "check", configure(cell="leaky"))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert (
        "`cell: leaky` needs `engine: tiny` or `engine: graph` or `engine: theano` or `engine: jax`"
        in line
    )
    assert "not `engine: kernel`" in line


def test_a_device_that_the_engine_lacks_is_refused_in_one_line(python, configure):
    done = python("-m", "online_rnnlm", "check", configure(engine="tiny", device="gpu"))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "`device: gpu` needs `engine: jax`, not `engine: tiny`" in line


def test_its_jobs_are_planned_and_its_code_is_part_of_its_runs_identity(python, extended):
    def about():
        done = python("-c", ABOUT)
        assert done.returncode == 0, done.stderr
        code, size, cell, _, engine, minutes = done.stdout.split()
        assert (size, cell, engine) == ("100/0", "LEAKY", "tiny")
        return code, int(minutes)

    code, minutes = about()
    products = 2 * 4 * 4 + leaky.SLOW * 4 + (6 + 5) * 4
    assert minutes == pytest.approx(10 + 10**9 * 3 * products / 7e6 / 60, abs=1)
    for file in ("model/cells/leaky.py", "engines/tiny_engine.py"):
        path = extended / "online_rnnlm" / file
        content = path.read_text(encoding="utf-8")
        path.write_text(content + "\n\nMORE = 1\n", encoding="utf-8")
        assert about()[0] != code
        path.write_text(content, encoding="utf-8")
    assert about()[0] == code
