"""Tests of the workflow with every engine side by side, and where an engine or a GPU is missing."""

import sys

import pandas as pd
import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.runs import Epoch, RunRecord

ENGINES = ("graph", "theano", "jax", "kernel")


@pytest.fixture
def configure(project, own_text, monkeypatch):
    """A function that sets Theano's Python; returns a configuration and its runs by engine."""

    def configure(python, engines=ENGINES, **training):
        monkeypatch.setenv("THEANO_PYTHON", python)
        # Compiled code would take a minute a process to make.
        for flags in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
            monkeypatch.setenv(flags, "mode=FAST_COMPILE")
        file = project.configure(
            experiment="engines",
            corpora={"own": own_text(project)},
            training={"precision": "float64", "max_epochs": 2, "batch_sentences": 64} | training,
            rows=[{"hidden_size": 5, "document_size": 2, "engine": list(engines)}],
        )
        runs = project.experiment(file).runs()
        folder = project.path / "results/engines/runs"
        return file, {run.settings.engine: folder / run.name for run in runs}

    return configure


def test_the_same_run_by_every_engine_is_the_same(project, configure, theano):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    file, runs = configure(theano)
    project.succeed("--cores", "1", "--configfile", file)
    packages = {e: records.read(RunRecord, run / "run.json").packages for e, run in runs.items()}
    assert packages["theano"]["theano"] == "1.0.5"
    assert "jax" in packages["jax"] and "jax" not in packages["kernel"]
    epochs = [records.read_lines(Epoch, runs[engine] / "metrics.jsonl") for engine in ENGINES]
    assert [len(found) for found in epochs] == [2] * len(ENGINES)
    for of_graph, *others in zip(*epochs, strict=True):
        for other in others:
            for kind in ("train_perplexity", "valid_perplexity"):
                assert getattr(other, kind) == pytest.approx(getattr(of_graph, kind), rel=1e-10)
    table = pd.read_csv(project.path / "results/engines/tables/perplexity.csv")
    shown = table.set_index("model")["test_perplexity"].round(1)
    assert set(shown.index) == {"5/2 by graph", "5/2 by theano", "5/2 by jax", "5/2"}
    assert shown.nunique() == 1


@pytest.mark.parametrize(
    ("python", "changes", "said"),
    [
        (sys.executable, {"engines": ["theano"]}, "`make theano` makes it"),
        ("", {"engines": ["jax"], "device": "gpu"}, "`device: gpu`: no GPU"),
    ],
    ids=["a python without Theano", "no GPU"],
)
def test_what_is_missing_is_said_in_one_line(
    project, configure, monkeypatch, python, changes, said
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    file, runs = configure(python, **changes)
    done = project.snakemake("--cores", "1", "--configfile", file)
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert said in printed and "Traceback" not in printed
    assert not any(run.exists() for run in runs.values())
