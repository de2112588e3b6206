"""pyproject.toml, the lock and environment.yml name the same packages in the same versions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def _named() -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    return [Requirement(text) for text in texts]


def _locked() -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", LOCK, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("requirement", _named(), ids=lambda requirement: requirement.name)
def test_the_lock_holds_a_version_that_the_project_allows(requirement):
    assert requirement.specifier.contains(_locked()[canonicalize_name(requirement.name)])


def test_the_conda_environment_names_the_projects_packages_in_the_locks_versions():
    pip = next(part["pip"] for part in CONDA["dependencies"] if isinstance(part, dict))
    found = dict(text.split("==") for text in pip)
    locked = _locked()
    names = {canonicalize_name(requirement.name) for requirement in _named()}
    assert {canonicalize_name(n): v for n, v in found.items()} == {n: locked[n] for n in names}


def test_the_conda_environment_allows_the_same_pythons():
    assert f"python {PROJECT['requires-python']}" in CONDA["dependencies"]


def test_every_pin_has_a_hash_and_no_index_is_named():
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|index-url", LOCK)


def test_the_build_system_is_the_locks():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["build-system"]["requires"] == [
        f"setuptools=={_locked()['setuptools']}"
    ]
