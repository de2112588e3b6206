"""Test of the workflow with every engine side by side, but for kernels, which all others have."""

import pytest

from online_rnnlm.core.adaptation import DOCUMENT_VECTOR
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, read_epochs
from tests.packages import python_of_theano
from tests.project import own_text

ENGINES = ("graph", "theano", "jax")


def test_the_same_run_by_every_engine_is_the_same(project, monkeypatch):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    monkeypatch.setenv("THEANO_PYTHON", python_of_theano())
    # Compiled code would take a minute a process to make.
    for flags in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
        monkeypatch.setenv(flags, "mode=FAST_COMPILE")
    file = project.configure(
        experiment="engines",
        corpora={"own": own_text(project)},
        training={"precision": "float64", "max_epochs": 2, "batch_sentences": 64},
        testing={"document_rates": [0.1]},
        rows=[{"hidden_size": 5, "document_size": 2, "engine": list(ENGINES)}],
    )
    folder = ExperimentDirectory(project.path / "results/engines")
    runs = {run.settings.engine: run.name for run in project.experiment(file).runs()}
    tested = {engine: folder.evaluation(run, DOCUMENT_VECTOR) for engine, run in runs.items()}
    targets = [str(record.relative_to(project.path)) for record in tested.values()]
    project.succeed("--cores", "1", "--configfile", file, "--", *targets)
    found = {}
    packages = {}
    for engine, run in runs.items():
        packages[engine] = records.read(RunRecord, folder.run(run).record).packages
        epochs = read_epochs(folder.run(run))
        found[engine] = [
            *(epoch.train_perplexity for epoch in epochs),
            *(epoch.valid_perplexity for epoch in epochs),
            records.read(Evaluation, tested[engine]).splits["test"].perplexity,
        ]
    assert packages["theano"]["theano"] == "1.0.5"
    assert "jax" in packages["jax"] and "jax" not in packages["graph"]
    assert len(found["graph"]) == 2 * 2 + 1
    for perplexities in found.values():
        assert perplexities == pytest.approx(found["graph"], rel=1e-10)
