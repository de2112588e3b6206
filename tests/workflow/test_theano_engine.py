"""Tests of the workflow with `engine: theano`, beside other engines and where it is missing."""

import sys

import pandas as pd
import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.records import Epoch, RunRecord

ENGINES = ("graph", "theano", "kernel")


@pytest.fixture
def configured(project, own_text, monkeypatch):
    """A function that sets Theano's Python; returns a configuration with a row by each engine."""

    def configure(python, engines=ENGINES):
        monkeypatch.setenv("THEANO_PYTHON", python)
        # Compiled code would take a minute a process to make.
        for flags in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
            monkeypatch.setenv(flags, "mode=FAST_COMPILE")
        return project.configure(
            experiment="engines",
            corpora={"own": own_text(project)},
            training={"precision": "float64", "max_epochs": 2, "batch_sentences": 64},
            rows=[{"hidden_size": 5, "document_size": 2, "engine": list(engines)}],
            tracking={"watch_seconds": 0},
        )

    return configure


def test_a_run_by_theano_stands_beside_the_same_runs_by_other_engines(project, configured, theano):
    project.succeed("--cores", "1", "--configfile", configured(theano))
    results = project.path / "results/engines"
    names = {e: f"own-M5-D2{'' if e == 'kernel' else f'-{e}'}-seed1" for e in ENGINES}
    of_theano = records.read(RunRecord, results / "runs" / names["theano"] / "run.json")
    assert of_theano.packages["theano"] == "1.0.5"
    epochs = {
        engine: records.read_lines(Epoch, results / "runs" / name / "metrics.jsonl")
        for engine, name in names.items()
    }
    assert [len(found) for found in epochs.values()] == [2, 2, 2]
    for of_graph, *others in zip(*epochs.values(), strict=True):
        for other in others:
            for kind in ("train_perplexity", "valid_perplexity"):
                assert getattr(other, kind) == pytest.approx(getattr(of_graph, kind), rel=1e-10)
    table = pd.read_csv(results / "tables/perplexity.csv")
    shown = table.set_index("model")["test_perplexity"].round(1)
    assert set(shown.index) == {"5/2 by graph", "5/2 by theano", "5/2"}
    assert shown.nunique() == 1


@pytest.mark.parametrize("python", ["nowhere/python", sys.executable], ids=["nothing", "another"])
def test_where_theano_is_missing_one_line_says_how_to_install_it(project, configured, python):
    done = project.snakemake("--cores", "1", "--configfile", configured(python, ["theano"]))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "`make theano` makes it" in said and "Traceback" not in said
    assert not (project.path / "results/engines/runs/own-M5-D2-theano-seed1").exists()
