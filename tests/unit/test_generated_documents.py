"""Tests that the documents that are made from the code agree with it."""

import difflib

import pytest

from docs.generate import models, notebook, pages, picture
from online_rnnlm import __all__ as public_names
from online_rnnlm.commands._main import VERBS
from online_rnnlm.storage import paths
from tests.project import ROOT


def read(file):
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [models.SCHEMA, *pages.PAGES], ids=str)
def test_generated_parts_agree_with_code_and_evidence(file):
    made = models.schema_text() if file == models.SCHEMA else pages.with_parts(read(file))
    diff = difflib.unified_diff(read(file).splitlines(), made.splitlines(), lineterm="")
    assert not list(diff), f"{file} is out of date; run: {models.COMMAND}"


def test_the_notebooks_outputs_are_those_of_its_cells(monkeypatch):
    monkeypatch.chdir(ROOT)
    made = notebook.with_outputs(notebook.TOUR)
    diff = difflib.unified_diff(read(notebook.TOUR).splitlines(), made.splitlines(), lineterm="")
    assert not list(diff), f"{notebook.TOUR} is out of date; run: {models.COMMAND}"


def test_the_picture_is_what_show_prints(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert read(picture.PICTURE) == picture.picture(), f"out of date; run: {models.COMMAND}"


def test_everything_that_can_be_described_is_described_once():
    parts = [part for file in pages.PAGES for part in pages.parts_of(read(file))]
    described = {kind: sorted(name for one, name in parts if one == kind) for kind in pages.MAKERS}
    settings = {name for name in models.settings_described() if not name.endswith("Source")}
    settings -= {"RowSettings", "Search"}  # their keys are those of `TrainingSettings`
    assert described["settings"] == sorted({*settings, "sources"})
    assert described["record"] == sorted(models.record_kinds())
    folders = [name for name in vars(paths) if name.endswith("Directory")]
    assert described["files"] == sorted(folders)
    assert {*described["python"], "ModelDescription", "UserError"} == {*public_names}
    shown = [line.removeprefix("### ") for line in read("docs/command-line.md").splitlines()]
    assert [verb for verb in VERBS if shown.count(verb) != 1] == []
