"""Tests that a changed module changes the digest of its part of the code, and no other.

A run's name has the digest of `core`, a corpus's name that of `corpora`, and Snakemake makes an
evaluation again when the digest of `jobs` and `rivals` changes. All else that trainings and
evaluations import is in no digest; it is listed here, with what a change of it can do.
"""

import ast
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.storage.code import digest_of_package

PACKAGE = Path(online_rnnlm.__file__).parent
JOBS = (
    *("jobs/train.py", "jobs/evaluate.py", "jobs/choice.py", "corpora/encoding.py"),
    *(f"rivals/{file.name}" for file in (PACKAGE / "rivals").glob("*.py")),
)
DIGESTS = {"core": ["core"], "corpora": ["corpora"], "jobs": ["jobs", "rivals"]}
"""The folders of each digest."""
IN_IDENTITY = {folder: name for name, folders in DIGESTS.items() for folder in folders}
"""The digest that a folder's modules are in."""
REASONS = {
    "config": "its values are in the digits: settings of a run or corpus with all defaults, and "
    "those of `testing` that an evaluation depends on are in its record; which engine scores where "
    "the run's own cannot (`engines`) changes numbers by rounding only. Not in the digits are "
    "`context_units`, the number of slow units, and `unused`, the settings that change nothing",
    "errors": "what a user reads",
    "process": "when a process ends, what it runs on, and how many threads it has; a "
    "GPU's precision (`environment`), which changes numbers by rounding only",
    "storage": "names, formats and checksums of files; what they hold is computed elsewhere",
}


def imported(start: str) -> set[str]:
    """Return all modules that one imports, directly or by others, at any time."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or not (PACKAGE / name).is_file():
            continue
        seen.add(name)
        for node in ast.walk(ast.parse((PACKAGE / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("online_rnnlm"):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                parts = ["/".join(found.split(".")[1:]) for found in names if found]
                waiting += [f"{part}{end}" for part in parts for end in (".py", "/__init__.py")]
    return seen


MODULES = sorted(set().union(*map(imported, JOBS)))


def digest(package: Path, name: str) -> str:
    return digest_of_package(package, *DIGESTS[name])


@cache
def now(name: str) -> str:
    """Return a digest of the package as it is."""
    return digest(PACKAGE, name)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose digests are computed."""
    copy = tmp_path_factory.mktemp("src") / "online_rnnlm"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def changed_by(modules: Iterable[str], package: Path, *names: str) -> set[str]:
    """Return those of the digests that other code in some modules changes, for a while."""
    for module in modules:
        with (package / module).open("a", encoding="utf-8") as file:
            file.write("\n_ADDED = 1\n")
    changed = {name for name in names if digest(package, name) != now(name)}
    for module in modules:
        shutil.copyfile(PACKAGE / module, package / module)
    return changed


def folder_of(module: str) -> str:
    return module.partition("/")[0].removesuffix(".py")


def test_each_part_that_jobs_import_is_in_a_digest_or_has_a_reason():
    assert {folder_of(module) for module in MODULES} == {*IN_IDENTITY, *REASONS}


@pytest.mark.parametrize("module", [one for one in MODULES if folder_of(one) in IN_IDENTITY])
def test_the_identity_follows_where_a_number_does(package, module):
    name = IN_IDENTITY[folder_of(module)]
    assert changed_by([module], package, name) == {name}


@pytest.mark.parametrize("folder", [*IN_IDENTITY, *REASONS])
def test_no_other_digest_follows(package, folder):
    modules = [module for module in MODULES if folder_of(module) == folder]
    expected = {IN_IDENTITY[folder]} if folder in IN_IDENTITY else set()
    assert changed_by(modules, package, *DIGESTS) == expected
