"""Tests that the documents that are made from the code agree with it."""

import difflib
import inspect
import re
import sys

import pytest

import online_rnnlm
from docs.generate import models, notebook, pages, picture
from online_rnnlm.storage import paths
from online_rnnlm.storage.records import Record
from tests.project import ROOT
from tests.rounding import same_but_for_rounding


def read(file):
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [models.SCHEMA, *pages.PAGES], ids=str)
def test_generated_parts_agree_with_code_and_evidence(file):
    if file.name == "command-line.md" and sys.version_info < (3, 13):
        pytest.skip("argparse lays out its help as it did before Python 3.13")
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


def test_all_settings_are_described():
    marked = "".join(map(read, pages.PAGES))
    # The first two have the keys of `TrainingSettings`; `settings sources` describes all kinds.
    described_elsewhere = ("RowSettings", "Search", "Source")
    names = [name for name in models.settings() if not name.endswith(described_elsewhere)]
    assert [name for name in names if f"<!-- settings {name} -->" not in marked] == []


def test_every_file_of_an_experiment_is_named():
    code = inspect.getsource(paths).partition("class Folder:")[2]
    names = re.findall(r'(?:File\(\s*| / f?)"([^"]+)"', code)
    named = [re.sub(r"\{(\w+)\}", r"<\1>", name) for name in names]
    assert len(named) > 30
    assert [name for name in named if name not in read("docs/data-formats.md")] == []


def test_every_record_and_public_name_is_described():
    page = read("docs/data-formats.md")
    kinds = [Record]
    for kind in kinds:  # it grows by the classes that derive from those it has
        kinds += kind.__subclasses__()
    ours = {kind for kind in kinds if kind.__module__.startswith("online_rnnlm.")}
    full = {f"{kind.__module__}.{kind.__name__}" for kind in ours if not kind.__subclasses__()}
    assert [name for name in full if f"\n::: {name}\n" not in page] == []
    table = read("docs/python.md")
    assert [name for name in online_rnnlm.__all__ if f"| `{name}` |" not in table] == []


def test_a_value_within_a_sentence_does_not_begin_a_line():
    """Markdown would show that line as it is, with its links and stars."""
    begun = re.compile(r"^[ *-]*<!-- .*-->[^\n]+", re.MULTILINE)
    assert [file for file in pages.PAGES if begun.search(read(file))] == []
