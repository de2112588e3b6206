"""Test of the workflow with every engine side by side."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.runs import Epoch, RunRecord
from tests.processes import output_of
from tests.project import ROOT, own_text

ENGINES = ("graph", "theano", "jax", "kernel")
_PYTHONS_OF_THEANO = ("3.9", "3.8")


def _pythons() -> Iterator[str]:
    """Yield possible Pythons for Theano: commands on the path, then those of pyenv."""
    yield from (f"python{version}" for version in _PYTHONS_OF_THEANO)
    if pyenv := shutil.which("pyenv"):
        root = output_of([pyenv, "root"], check=True).stdout
        for version in _PYTHONS_OF_THEANO:
            found = Path(root.strip(), "versions").glob(f"{version}.*/bin/python")
            yield from map(str, sorted(found, reverse=True))


def _runs(python: str) -> bool:
    """Return True if the Python starts; some of pyenv's commands only report an error."""
    if not shutil.which(python):
        return False
    return not output_of([python, "-c", ""]).returncode


@pytest.fixture
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


def test_the_same_run_by_every_engine_is_the_same(project, monkeypatch, theano):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    monkeypatch.setenv("THEANO_PYTHON", theano)
    # Compiled code would take a minute a process to make.
    for flags in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
        monkeypatch.setenv(flags, "mode=FAST_COMPILE")
    file = project.configure(
        experiment="engines",
        corpora={"own": own_text(project)},
        training={"precision": "float64", "max_epochs": 2, "batch_sentences": 64},
        rows=[{"hidden_size": 5, "document_size": 2, "engine": list(ENGINES)}],
    )
    table = "results/engines/tables/perplexity.csv"
    project.succeed("--cores", "1", "--configfile", file, "--", table)
    folder = project.path / "results/engines"
    planned = project.experiment(file).runs()
    runs = {run.settings.engine: folder / "runs" / run.name for run in planned}
    packages = {e: records.read(RunRecord, run / "run.json").packages for e, run in runs.items()}
    assert packages["theano"]["theano"] == "1.0.5"
    assert "jax" in packages["jax"] and "jax" not in packages["kernel"]
    epochs = [records.read_lines(Epoch, runs[engine] / "metrics.jsonl") for engine in ENGINES]
    assert [len(found) for found in epochs] == [2] * len(ENGINES)
    for of_graph, *others in zip(*epochs, strict=True):
        for other in others:
            for kind in ("train_perplexity", "valid_perplexity"):
                assert getattr(other, kind) == pytest.approx(getattr(of_graph, kind), rel=1e-10)
    shown = pd.read_csv(project.path / table).set_index("model")["test_perplexity"].round(1)
    assert set(shown.index) == {"5/2 by graph", "5/2 by theano", "5/2 by jax", "5/2"}
    assert shown.nunique() == 1
