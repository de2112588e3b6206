"""Tests that the documents that are made from the code agree with it."""

import difflib
import json
import re

import pytest

from docs.generate import interfaces, models, notebook, pages, picture
from online_rnnlm.commands._main import VERBS
from online_rnnlm.errors import UserError
from online_rnnlm.storage import paths
from online_rnnlm.storage.records import Record
from tests.project import ROOT
from tests.rounding import same_but_for_rounding


def read(file):
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [models.SCHEMA, *pages.PAGES], ids=str)
def test_generated_parts_agree_with_code_and_evidence(file):
    made = models.schema_text() if file == models.SCHEMA else pages.with_parts(ROOT / file)
    diff = difflib.unified_diff(read(file).splitlines(), made.splitlines(), lineterm="")
    assert not list(diff), f"{file} is out of date; run: {models.COMMAND}"


def test_the_notebooks_outputs_are_those_of_its_cells(monkeypatch):
    monkeypatch.chdir(ROOT)
    made = notebook.with_outputs(notebook.TOUR)
    assert same_but_for_rounding(made, read(notebook.TOUR)), (
        f"{notebook.TOUR} is out of date; run: {models.COMMAND}"
    )


def test_the_picture_is_what_show_prints(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert same_but_for_rounding(picture.picture(), read(picture.PICTURE)), (
        f"{picture.PICTURE} is out of date; run: {models.COMMAND}"
    )


def test_everything_that_can_be_described_is_described_once():
    parts = [part for file in pages.PAGES for part in pages.parts_of(ROOT / file)]
    of_code = pages.makers().keys() - {"evidence"}
    described = {kind: sorted(name for one, name in parts if one == kind) for kind in of_code}
    there = {kind: {*pages.makers()[kind]} for kind in of_code}
    there["settings"] -= {"RowSettings", "Search"}  # their keys are those of `TrainingSettings`
    there["settings"] -= {name for name in there["settings"] if name.endswith("Source")}
    there["python"] -= {"ModelDescription", "UserError"}
    assert described == {kind: sorted(names) for kind, names in there.items()}
    shown = [line.removeprefix("### ") for line in read("docs/command-line.md").splitlines()]
    assert [verb for verb in VERBS if shown.count(verb) != 1] == []


def test_every_record_and_folder_can_be_described():
    kinds = [Record]
    for kind in kinds:  # it grows by the classes that derive from those it has
        kinds += kind.__subclasses__()
    ours = {kind for kind in kinds if kind.__module__.startswith("online_rnnlm.")}
    assert {*models.RECORDS} == {kind for kind in ours if not kind.__subclasses__()}
    folders = {name for name in vars(paths) if name.endswith("Directory")}
    assert {folder.__name__ for folder in interfaces.DIRECTORIES} == folders


@pytest.mark.parametrize("file", pages.PAGES, ids=str)
def test_a_value_within_a_sentence_does_not_begin_a_line(file):
    """Markdown would show that line as it is, with its links and stars."""
    assert re.findall(r"^[ *-]*<!-- .*-->[^\n]+", read(file), re.MULTILINE) == []


def test_a_value_is_put_into_its_sentence(tmp_path):
    test = "<!-- evidence demo test 100/20 -->"
    change = "<!-- evidence demo 100/20 against 110/0 -->"
    page = tmp_path / "page.md"
    page.write_text(f"It has {test}1<!-- end -->, {change}a\nb<!-- end -->.\n")
    [row] = [line for line in read("docs/tutorial.md").splitlines() if line[:11] == "    100/20 "]
    value = row.split()[1]
    made = f"It has {test}{value}<!-- end -->, {change}15 % better<!-- end -->.\n"
    assert pages.with_parts(page) == made


@pytest.mark.parametrize(
    ("mark", "wrong", "allowed"),
    [(f"{kind} Nothing", "Nothing", of_kind) for kind, of_kind in pages.makers().items()]
    + [("recrod Claims", "recrod", pages.makers())],
)
def test_a_name_that_does_not_exist_is_one_line_with_those_that_do(tmp_path, mark, wrong, allowed):
    page = tmp_path / "page.md"
    page.write_text(f"A page.\n\n<!-- {mark} -->\nold\n<!-- end -->\n")
    with pytest.raises(UserError) as raised:
        pages.with_parts(page)
    assert str(raised.value) == f"{page}:3: no `{wrong}`; allowed: {', '.join(sorted(allowed))}"


def test_a_cell_of_comments_alone_shows_nothing(tmp_path):
    cells = [{"cell_type": "code", "source": ["# later"]}, {"cell_type": "code", "source": ["2"]}]
    file = tmp_path / "tour.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    comment, value = json.loads(notebook.with_outputs(file))["cells"]
    assert comment["outputs"] == []
    assert [output["data"] for output in value["outputs"]] == [{"text/plain": ["2"]}]
