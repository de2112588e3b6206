"""Tests that a run gets the device it requires, or reports at once that it is missing."""

import ctypes
import os
import sys

import pytest

from online_rnnlm.config.plan import parse
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.process import devices
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.processes import output_of
from tests.unit.small_records import configuration

pytestmark = pytest.mark.slow  # processes of their own load libraries

SLOW = {"numpy", "pytensor", "numba", "jax"}


@pytest.fixture
def run_job(tmp_path):
    """A function that runs a verb for an experiment's only run, with given training settings."""

    def call(*verb, options=(), **training):
        planned = with_digits(parse(configuration(training=training)))
        results = ExperimentDirectory(tmp_path / "results")
        write_json(results.configuration, planned.model_dump(mode="json"))
        [name] = [run.name for run in planned.runs()]
        command = [sys.executable, *options, "-m", "online_rnnlm", *verb]
        # If there is a GPU, the setting hides it.
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
        command += [results.path, "--run", name]
        return output_of(command, env=environment, cwd=tmp_path)

    return call


def test_a_missing_gpu_is_one_line_before_anything_slow_is_loaded(run_job, tmp_path):
    done = run_job("train", options=["-X", "importtime"], engine="jax", device="gpu")
    assert done.returncode == 1
    assert done.stdout == ""
    times = []
    said = []
    for line in done.stderr.splitlines():
        (times if line.startswith("import time:") else said).append(line)
    [line] = said
    assert "`device: gpu`: no GPU" in line
    assert "CUDA_VISIBLE_DEVICES=''" in line
    loaded = {line.rpartition("|")[2].strip() for line in times}
    assert "online_rnnlm.process.devices" in loaded
    assert not loaded & SLOW
    assert [file.name for file in tmp_path.rglob("*.*")] == ["config.json"]


def test_a_missing_theano_is_one_line_that_says_how_to_get_it(run_job, monkeypatch):
    monkeypatch.setenv(devices.THEANO_PYTHON, sys.executable)
    done = run_job("train", engine="theano")
    [line] = done.stderr.splitlines()
    assert done.returncode == 1 and "`make theano` makes it" in line


class Driver:
    """The functions of NVIDIA's driver where there is one GPU."""

    def cuInit(self, flags):
        return 0

    def cuDeviceGetCount(self, count):
        count._obj.value = 1
        return 0

    def cuDeviceGet(self, device, number):
        device._obj.value = number

    def cuDeviceGetName(self, name, size, device):
        name.value = b"a GPU"


@pytest.mark.parametrize(
    ("engine", "device", "platform"),
    [("jax", "cpu", "cpu"), ("jax", "gpu", "cuda"), ("kernel", "cpu", "tpu")],
)
def test_jax_sees_only_the_device_that_is_asked_for(monkeypatch, engine, device, platform):
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver())
    monkeypatch.setattr(devices, "find_spec", lambda name: name)
    settings = RunSettings(corpus="c", engine=engine, device=device)
    devices.require(settings)
    assert os.environ["JAX_PLATFORMS"] == platform
    assert devices.gpu(settings) == ("a GPU" if device == "gpu" else None)


def test_a_jax_that_cannot_use_the_gpu_says_so_in_one_line():
    """JAX raises, as with a driver that is too old, and the run ends."""
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    code = """
import numpy as np
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import CannotCompute
from online_rnnlm.config.training import RunSettings
run = RunSettings(corpus="c", engine="jax", device="gpu")
try: load_engine("jax", run.network, run.rule, np.array([0, 1]))
except CannotCompute as error: print(error)
"""
    environment = os.environ | {"JAX_PLATFORMS": "cuda", "CUDA_VISIBLE_DEVICES": ""}
    done = output_of([sys.executable, "-c", code], env=environment, check=True)
    assert done.stdout.startswith("JAX cannot use cuda: ")
    assert done.stdout.count("\n") == 1
