"""Tests that a changed module changes the digest of its part of the code, and no other.

A run's name has the digest of `core`, a corpus's name that of `corpora`, and Snakemake makes an
evaluation again when the digest of `jobs` and `rivals` changes. All else that trainings and
evaluations import is in no digest; it is listed here, with what a change of it can do.
"""

import ast
import shutil
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
IN_IDENTITY = {"core": "core", "corpora": "corpora", "jobs": "jobs", "rivals": "jobs"}
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


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose digests are computed."""
    copy = tmp_path_factory.mktemp("src") / "online_rnnlm"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@cache
def now():
    """Return the digests of the package as it is."""
    return digests(PACKAGE)


def digests(package):
    """Return the digests that are parts of identities, by name."""
    parts = {"core": ["core"], "corpora": ["corpora"], "jobs": ["jobs", "rivals"]}
    return {name: digest_of_package(package, *folders) for name, folders in parts.items()}


def test_jobs_import_something_of_every_listed_part():
    assert {module.partition("/")[0].removesuffix(".py") for module in MODULES} >= {
        *IN_IDENTITY,
        *REASONS,
    }


@pytest.mark.parametrize("module", MODULES)
def test_the_identity_follows_where_a_number_does(package, module):
    folder = module.partition("/")[0].removesuffix(".py")
    assert folder in IN_IDENTITY or folder in REASONS, f"{module}: no reason says why it may change"
    file = package / module
    content = file.read_text(encoding="utf-8")
    file.write_text(f"{content}\n_ADDED = 1\n", encoding="utf-8")
    after = digests(package)
    file.write_text(content, encoding="utf-8")
    changed = {name for name, digest in now().items() if digest != after[name]}
    assert changed == {IN_IDENTITY[folder]} if folder in IN_IDENTITY else not changed
