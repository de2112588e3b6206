"""Contracts of what a user may add with one file and one name: each name is a module, and no more.

That each computes the right thing is tested where it belongs; here is what all of a kind offer.
"""

import re
from collections.abc import Collection
from importlib import import_module
from importlib.util import find_spec
from typing import get_args

import pytest

from online_rnnlm.config import testing as typed
from online_rnnlm.config.catalogue import TABLES
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.sources import SourceSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.rivals import load_test, rivals_of
from tests.project import ROOT

PACKAGE = ROOT / "src" / "online_rnnlm"


def names_of(setting: str) -> tuple[str, ...]:
    """Return the names that a setting of a run may have."""
    return get_args(RunSettings.model_fields[setting].annotation)


SOURCES = get_args(get_args(SourceSettings)[0])
RIVAL_TABLE = rivals_of(typed.TestingSettings())
RIVALS = (*get_args(typed.RunRivalName), *get_args(typed.CorpusRivalName))
CONTRACTS: dict[str, tuple[Collection[str], tuple[str, ...]]] = {
    "core.cells.": (
        names_of("cell"),
        ("shapes", "states", "step"),
    ),
    "core.engines.": ([f"{name}_engine" for name in ENGINES], ("Trainer", "Scorer")),
    "rivals.": (
        dict.fromkeys(one.test.partition(".")[0] for one in RIVAL_TABLE.values()),
        ("evaluate",),
    ),
    "corpora.sources.": (
        [get_args(s.model_fields["kind"].annotation)[0].replace("-", "_") for s in SOURCES],
        ("Source",),
    ),
    "analysis.tables.": ([entry.name for entry in TABLES], ("make",)),
}
"""By folder: the names, and what each module offers; the last one marks a module of the kind."""
MEMBERS = [
    (folder + name, offers) for folder, (names, offers) in CONTRACTS.items() for name in names
]


@pytest.mark.parametrize(("module", "offers"), MEMBERS, ids=[name for name, _ in MEMBERS])
def test_every_name_is_a_module_that_offers_what_its_kind_must(module, offers):
    if module == "core.engines.jax_engine":  # its own tests load JAX, which takes seconds
        assert find_spec(f"online_rnnlm.{module}")
        return
    found = import_module(f"online_rnnlm.{module}")
    assert [name for name in offers if not hasattr(found, name)] == []
    assert found.__doc__


@pytest.mark.parametrize("folder", CONTRACTS)
def test_every_module_of_a_kind_has_a_name(folder):
    names, offers = CONTRACTS[folder]
    mark = re.compile(rf"^(def|class) {offers[-1]}\b", re.MULTILINE)
    files = (PACKAGE / folder.replace(".", "/")).glob("[!_]*.py")
    marked = {file.stem for file in files if mark.search(file.read_text(encoding="utf-8"))}
    assert marked - {"base"} <= set(names)


def test_the_names_of_engines_are_those_with_properties():
    assert {*names_of("engine")} == {*ENGINES}
    for engine in ENGINES.values():
        assert engine.devices and (engine.cells or set()) <= {*names_of("cell")}


def test_rivals_have_names():
    assert tuple(RIVAL_TABLE) == RIVALS
    for rival in RIVAL_TABLE.values():
        assert callable(load_test(rival))
        assert rival.label and rival.phrase and rival.title and rival.note
