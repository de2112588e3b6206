"""Tests that pyproject.toml, the locks and the conda environments agree on packages."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from online_rnnlm.config.engines import ENGINES

ROOT = Path(__file__).parents[2]
EXTRAS = ("jax", "cuda")
LOCKS = {
    name: (ROOT / f"requirements{name and '-'}{name}.lock").read_text(encoding="utf-8")
    for name in ("", "tool", *EXTRAS, "theano")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA_THEANO = yaml.safe_load((ROOT / "workflow/envs/theano.yml").read_text(encoding="utf-8"))
CONDA_CUDA = yaml.safe_load((ROOT / "workflow/envs/cuda.yml").read_text(encoding="utf-8"))


def _named() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *extras["pipeline"], *extras["dev"]]
    return [Requirement(text) for text in texts]


def _locked(name="") -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", LOCKS[name], flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("requirement", _named(), ids=lambda requirement: requirement.name)
def test_the_lock_holds_a_version_that_the_project_allows(requirement):
    assert requirement.specifier.contains(_locked()[canonicalize_name(requirement.name)])


def test_the_lock_of_the_tool_holds_its_packages_in_the_locks_versions():
    names = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert names <= _locked("tool").keys()
    assert _locked("tool").items() <= _locked().items()
    extras = (Requirement(text) for text in PROJECT["optional-dependencies"]["pipeline"])
    assert not _locked("tool").keys() & {canonicalize_name(one.name) for one in extras}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extras_lock_holds_what_it_adds_and_nothing_else(extra):
    requirement = Requirement(*PROJECT["optional-dependencies"][extra])
    assert requirement.specifier.contains(_locked(extra)[requirement.name])
    assert not _locked(extra).keys() & _locked().keys()


def test_what_a_gpu_needs_has_the_versions_of_what_a_cpu_needs():
    assert _locked("cuda").items() >= _locked("jax").items()
    for engine in ENGINES.values():
        for device in engine.devices.values():
            locked = _locked(device.extra) if device.extra else _locked()
            assert {canonicalize_name(module) for module in device.modules} <= locked.keys()


def _by_pip(environment) -> list[str]:
    return next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))


def test_the_conda_environment_names_the_projects_packages_in_the_locks_versions():
    found = dict(text.split("==") for text in _by_pip(CONDA))
    locked = _locked()
    names = {canonicalize_name(requirement.name) for requirement in _named()}
    assert {canonicalize_name(n): v for n, v in found.items()} == {n: locked[n] for n in names}


def test_the_conda_environment_for_a_gpu_adds_the_extra():
    assert CONDA_CUDA["name"] == CONDA["name"]
    assert CONDA_CUDA["channels"] == CONDA["channels"]
    assert _by_pip(CONDA_CUDA) == PROJECT["optional-dependencies"]["cuda"]


def test_the_conda_environment_of_theano_has_the_locks_versions():
    assert "theano==1.0.5" in _by_pip(CONDA_THEANO)
    found = dict(text.split("==") for text in _by_pip(CONDA_THEANO))
    assert _locked("theano").items() >= found.items()


def test_the_conda_environment_allows_the_same_pythons():
    assert f"python {PROJECT['requires-python']}" in CONDA["dependencies"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_index_is_named(name):
    blocks = re.split(r"\n(?=\S)", LOCKS[name].strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|index-url", LOCKS[name])


def test_the_build_system_is_the_locks():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["build-system"]["requires"] == [
        f"setuptools=={_locked()['setuptools']}"
    ]
