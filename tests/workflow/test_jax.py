"""Tests of the workflow with `engine: jax`: on a CPU, and with a required GPU missing."""

import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.records import CompiledKernels, Evaluation, RunRecord

pytest.importorskip("jax", reason="JAX is not installed: `make jax`")

RUN = "own-M8-D4-jax-seed1"


def _configured(project, own_text, device):
    return project.configure(
        experiment=device,
        corpora={"own": own_text(project)},
        training={"engine": "jax", "device": device, "max_epochs": 1},
        rows=[{"hidden_size": 8, "document_size": 4}],
        tracking={"watch_seconds": 0},
    )


def test_it_trains_and_tests_a_row(project, own_text):
    file = _configured(project, own_text, "cpu")
    target = f"results/cpu/evaluations/{RUN}/document_vector.json"
    project.succeed("--cores", "1", "--configfile", file, "--", target)
    evaluation = records.read(Evaluation, project.path / target)
    assert 1 < evaluation.splits["test"].perplexity < 60  # of 52 words
    run = records.read(RunRecord, project.path / f"results/cpu/runs/{RUN}/run.json")
    assert run.settings.engine == "jax" and "jax" in run.packages
    kernels = records.read(CompiledKernels, project.path / "results/cpu/kernels.json")
    assert kernels.networks == ()  # none is needed and none was compiled


def test_without_a_gpu_its_job_fails_and_says_so(project, own_text, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    file = _configured(project, own_text, "gpu")
    done = project.snakemake("--cores", "1", "--configfile", file)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "`device: gpu`: no GPU" in said and "Traceback" not in said
    assert not (project.path / f"results/gpu/runs/{RUN}").exists()
