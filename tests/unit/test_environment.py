"""Tests that pyproject.toml, the locks and the conda environments agree on packages."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from online_rnnlm.config.engines import ENGINES
from tests.project import ROOT

LOCKS = {
    name: (ROOT / "locks" / f"{name}.lock").read_text(encoding="utf-8")
    for name in ("requirements", "tool", "jax", "cuda", "docs", "theano")
}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
CONDA, THEANO, CUDA = (
    yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    for file in ("environment.yml", "workflow/envs/theano.yml", "workflow/envs/cuda.yml")
)


def pins(lines: str) -> dict[str, str]:
    """Return the version of every package that is pinned in these lines."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lines, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


LOCKED = {name: pins(lock) for name, lock in LOCKS.items()}


def by_pip(environment) -> str:
    """Return the packages that a conda environment installs with pip, one a line."""
    parts = environment["dependencies"]
    return "\n".join(next(part["pip"] for part in parts if isinstance(part, dict)))


def named(*lists: list[str]) -> dict[str, Requirement]:
    """Return requirements by the names of their packages."""
    every = [Requirement(text) for texts in lists for text in texts]
    return {canonicalize_name(requirement.name): requirement for requirement in every}


def test_the_locks_hold_versions_that_the_project_allows():
    everything = named(PROJECT["dependencies"], EXTRAS["pipeline"], EXTRAS["dev"])
    asked = {"requirements": everything, "tool": named(PROJECT["dependencies"])}
    asked |= {extra: named(EXTRAS[extra]) for extra in ("jax", "docs")}
    for lock, requirements in asked.items():
        for name, requirement in requirements.items():
            assert requirement.specifier.contains(LOCKED[lock][name]), name
    # It can be installed beside other packages.
    ranges = [*PROJECT["dependencies"], *EXTRAS["pipeline"], *EXTRAS["jax"]]
    assert not [one for one in ranges if "==" in one]
    assert PYPROJECT["build-system"]["requires"] == [
        f"setuptools=={LOCKED['requirements']['setuptools']}"
    ]


def test_the_locks_agree_with_each_other():
    assert LOCKED["tool"].items() <= LOCKED["requirements"].items()
    assert not LOCKED["tool"].keys() & named(EXTRAS["pipeline"]).keys()
    assert LOCKED["cuda"].items() >= LOCKED["jax"].items()
    assert not (LOCKED["cuda"].keys() | LOCKED["jax"].keys()) & LOCKED["requirements"].keys()
    for device in [device for engine in ENGINES.values() for device in engine.devices.values()]:
        assert {canonicalize_name(m) for m in device.modules} <= LOCKED[
            device.extra or "requirements"
        ].keys()


def test_the_conda_environments_are_the_locks():
    direct = named(PROJECT["dependencies"], EXTRAS["pipeline"], EXTRAS["dev"])
    assert pins(by_pip(CONDA)) == {name: LOCKED["requirements"][name] for name in direct}
    assert f"python {PROJECT['requires-python']}" in CONDA["dependencies"]
    assert (CUDA["name"], CUDA["channels"]) == (CONDA["name"], CONDA["channels"])
    assert by_pip(CUDA) == f"jax[cuda12]=={LOCKED['cuda']['jax']}"
    assert LOCKED["theano"].items() >= pins(by_pip(THEANO)).items() >= {("theano", "1.0.5")}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_index_is_named(name):
    blocks = re.split(r"\n(?=\S)", LOCKS[name].strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|index-url", LOCKS[name])
