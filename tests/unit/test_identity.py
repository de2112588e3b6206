"""Tests that results are made again when code changes that decides them.

The names of runs and corpora have digests of `core` and of the code that prepares text, and so
follow all results that are made from them. Snakemake makes evaluations, audits, and tables with all
that follows again when a further digest changes. All else that these jobs import is listed here,
with what it decides.
"""

import ast
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.storage.code import (
    CODE,
    digest_of_package,
)

PACKAGE = Path(online_rnnlm.__file__).parent
NAMES = {"run": ("core",), "corpus": CODE["corpora"]}
"""The folders and files whose digests the names have."""
FURTHER = {
    "run": (),
    "evaluation": CODE["evaluations"],
    "audits": CODE["audits"],
    "report": CODE["report"],
}
"""The folders and files of the further digest, by what is made."""
STARTS = {
    "run": ("jobs/train.py", "jobs/choice.py", "corpora/stages.py", "corpora/sources/*.py"),
    "evaluation": ("rivals/*.py", "jobs/timing.py"),
    "audits": ("auditing/networks.py",),
    "report": ("analysis/*.py", "analysis/figures/*.py", "analysis/tables/*.py"),
}
"""The modules that its jobs begin in."""
EVERYWHERE = {
    "errors.py": "what a user reads",
    "corpora/records.py": "the formats of a corpus's records",
    "process/": "when a process ends, what it runs on, and how many threads it has",
    "storage/": "names, formats and checksums of files; what they hold is computed elsewhere",
}
SETTINGS = {
    "config/base.py": "what is allowed as a value",
    "config/corpora.py": "values that are in a corpus's name",
    "config/experiment.py": "what goes together",
    "config/mistakes.py": "the words of errors",
    "config/networks.py": "the settings of runs, which are in their names",
    "config/plan.py": "the settings of runs, which are in their names",
    "config/reading.py": "how a file is read",
    "config/rivals.py": "what files and tables call a rival, and what a mixture has as its parts, "
    "which are in the record of its evaluation",
    "config/rows.py": "what is allowed as a value",
    "config/runs.py": "the names themselves",
    "config/sources.py": "values that are in a corpus's name",
    "config/testing.py": "values that are in the records of the evaluations that depend on them",
    "config/training.py": "values that are in a run's name",
}
NOT_FOLLOWED = {
    "run": {
        **EVERYWHERE,
        "config/": "values that are in a name; one that changes nothing has its default",
        "corpora/downloads.py": "files that have the checksums of their source",
        "corpora/parallel.py": "the processes that prepare a text, whose results are in order",
        "jobs/": "files and moments, and that the lowest perplexity of a search is the best",
    },
    "evaluation": {**EVERYWHERE, **SETTINGS},
    "audits": {
        **EVERYWHERE,
        **SETTINGS,
        "corpora/__init__.py": "nothing",
        "use/__init__.py": "nothing",
    },
    "report": {"errors.py": EVERYWHERE["errors.py"]},
}
"""Beginnings of modules in no digest of what is made, each with what the module decides in it."""


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


def modules_of(made: str) -> set[str]:
    """Return all modules that the jobs import that make it."""
    files = [file for pattern in STARTS[made] for file in PACKAGE.glob(pattern)]
    return set().union(*(imported(str(file.relative_to(PACKAGE))) for file in files))


MODULES = {made: modules_of(made) for made in STARTS}


@cache
def now(parts: tuple[str, ...]) -> str:
    """Return a digest of the package as it is."""
    return digest_of_package(PACKAGE, *parts)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose digests are computed."""
    copy = tmp_path_factory.mktemp("src") / "online_rnnlm"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def changed_by(module: str, package: Path, digests: Iterable[tuple[str, ...]]) -> bool:
    """Return whether other code in a module changes one of the digests."""
    with (package / module).open("a", encoding="utf-8") as file:
        file.write("\n_ADDED = 1\n")
    changed = any(digest_of_package(package, *parts) != now(parts) for parts in digests)
    shutil.copyfile(PACKAGE / module, package / module)
    return changed


@pytest.mark.parametrize(
    ("made", "module"), [(made, module) for made in MODULES for module in sorted(MODULES[made])]
)
def test_what_is_made_follows_each_module_that_decides_it(package, made, module):
    followed = not module.startswith((*NOT_FOLLOWED[made],))
    assert changed_by(module, package, [*NAMES.values(), FURTHER[made]]) == followed


@pytest.mark.parametrize("made", MODULES)
def test_what_is_said_of_a_module_is_of_one_that_is_imported(made):
    for beginning in NOT_FOLLOWED[made]:
        assert any(module.startswith(beginning) for module in MODULES[made]), beginning


@pytest.mark.parametrize("module", sorted(set().union(*MODULES.values())))
def test_a_name_follows_its_own_code_only(package, module):
    for parts in NAMES.values():
        assert changed_by(module, package, [parts]) == module.startswith(parts)
