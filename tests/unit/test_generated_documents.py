"""Tests that the documents that are made from the typed models agree with them."""

import difflib
from pathlib import Path

import pytest

from docs.generate import models

ROOT = Path(__file__).parents[2]


def read(file):
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [models.SCHEMA, *models.TABLES], ids=str)
def test_what_is_made_from_the_models_is_in_step_with_them(file):
    of_schema = file == models.SCHEMA
    made = models.schema_text() if of_schema else models.with_tables(read(file))
    diff = difflib.unified_diff(read(file).splitlines(), made.splitlines(), lineterm="")
    assert not list(diff), f"{file} is out of date; run: {models.COMMAND}"


def test_every_kind_of_settings_and_of_record_is_described_once():
    readme, formats = (models.described(read(file)) for file in models.TABLES)
    kinds = models.settings_described()
    sources = {name for name in kinds if name.endswith("Source")}
    assert sorted([*readme, *sources]) == sorted([*kinds, "sources"])
    assert sorted(formats) == sorted(models.record_kinds())
