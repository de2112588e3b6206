"""Tests that a run gets the device it requires, or reports at once that it is missing."""

import os
import subprocess
import sys

import pytest
import yaml

from online_rnnlm.config import loading
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import devices
from online_rnnlm.errors import UserError

pytestmark = pytest.mark.slow  # processes of their own load libraries

SLOW = {"numpy", "pytensor", "numba", "jax"}


@pytest.fixture
def run(tmp_path):
    """A function that runs a verb for an experiment's only run, with given training settings."""

    def run(verb, *, options=(), **training):
        values = {
            "experiment": "test",
            "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
            "training": training,
            "rows": [{"hidden_size": 10}],
        }
        path = tmp_path / "my.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        [name] = [run.name for run in loading.load(path).runs()]
        command = [sys.executable, *options, "-m", "online_rnnlm", verb]
        # If there is a GPU, the setting hides it.
        return subprocess.run(
            [*command, "--config", path, "--run", name],
            env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_without_a_gpu_a_run_that_asks_for_one_fails_in_one_line(run, verb, tmp_path):
    done = run(verb, engine="jax", device="gpu")
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "`device: gpu`: no GPU" in line
    assert "CUDA_VISIBLE_DEVICES=''" in line
    assert [file.name for file in tmp_path.iterdir()] == ["my.yaml"]


def test_it_fails_before_anything_is_loaded_that_takes_long(run):
    done = run("train", options=["-X", "importtime"], engine="jax", device="gpu")
    assert done.returncode == 1
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "online_rnnlm.engines.devices" in loaded
    assert not loaded & SLOW


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_without_jax_the_extra_to_install_is_named(monkeypatch, device):
    monkeypatch.setattr(devices, "gpu_name", lambda: "a GPU")
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"`make {'cuda' if device == 'gpu' else 'jax'}`"):
        devices.require(RunSettings(corpus="c", engine="jax", device=device))


def test_without_its_cuda_plugin_jax_is_not_let_loose_on_the_cpu(monkeypatch):
    monkeypatch.setattr(devices, "gpu_name", lambda: "a GPU")
    monkeypatch.setattr(devices, "find_spec", lambda name: None if "cuda" in name else name)
    with pytest.raises(UserError, match="`jax_cuda12_plugin` is not installed: `make cuda`"):
        devices.require(RunSettings(corpus="c", engine="jax", device="gpu"))


@pytest.mark.parametrize(("device", "platform"), [("cpu", "cpu"), ("gpu", "cuda")])
def test_jax_is_let_see_the_asked_device_only(monkeypatch, device, platform):
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    monkeypatch.setattr(devices, "gpu_name", lambda: "a GPU")
    monkeypatch.setattr(devices, "find_spec", lambda name: name)
    devices.require(RunSettings(corpus="c", engine="jax", device=device))
    assert os.environ["JAX_PLATFORMS"] == platform


def test_other_engines_need_nothing_of_it(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    devices.require(RunSettings(corpus="c"))
    assert os.environ["JAX_PLATFORMS"] == "tpu"
    assert devices.gpu(RunSettings(corpus="c")) is None


@pytest.mark.parametrize("engine", ["kernel", "graph"])
def test_a_gpu_is_for_jax_only(engine):
    with pytest.raises(
        ValueError, match=f"`device: gpu` needs `engine: jax`, not `engine: {engine}`"
    ):
        RunSettings(corpus="c", engine=engine, device="gpu")


def test_a_jax_that_cannot_use_the_gpu_says_so_in_one_line():
    """JAX raises, as with a driver that is too old, and the run ends."""
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    code = (
        "from online_rnnlm.errors import UserError\n"
        "from online_rnnlm.engines import jax_engine\n"
        "from online_rnnlm.config.training import RunSettings\n"
        "settings = RunSettings(corpus='c', engine='jax', device='gpu')\n"
        "try: jax_engine.Scorer(settings, None, settings.reading)\n"
        "except UserError as error: print(error)\n"
    )
    environment = os.environ | {"JAX_PLATFORMS": "cuda", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("`device: gpu`: JAX cannot use it: ")
    assert done.stdout.count("\n") == 1
