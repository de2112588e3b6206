"""Tests of `snakemake engines` on a small network, with the original Theano and without it."""

import pandas as pd
import pytest

from online_rnnlm.storage.files import read_json, write_json

ENGINES = ("kernel", "theano")
ALL = [(engine, precision) for engine in ENGINES for precision in ("float64", "float32")]
IN_PYTHON = ("THEANO_FLAGS", "PYTENSOR_FLAGS")
"""The variables by which the libraries compute in Python: compiled code takes long to make."""


@pytest.fixture(scope="module", autouse=True)
def _in_python():
    with pytest.MonkeyPatch.context() as environment:
        for flags in IN_PYTHON:
            environment.setenv(flags, "mode=FAST_COMPILE")
        yield


def _make(project):
    """Run the workflow; return its exit status and its output."""
    done = project.snakemake("--cores", "1", "--configfile", "config/test.yaml", "--", "engines")
    return done.returncode, done.stdout + done.stderr


def _table(project):
    found = pd.read_csv(project.path / "results/test/tables/engines.csv")
    return found.set_index(["engine", "precision"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory, copy_of_project, own_text):
    """A project whose table of engines was made where Theano is not installed."""
    project = copy_of_project(tmp_path_factory.mktemp("engines") / "project")
    project.configure(
        experiment="test",
        corpora={"own": own_text(project)},
        training={"l2": 1e-4},
        rows=[{"hidden_size": [8, 9], "document_size": 3, "document_layer": "both"}],
        engine_table={
            "engines": list(ENGINES),
            "precisions": ["float64", "float32"],
            "batch_sentences": [4],
            "document_sizes": [4],
            "updates": 20,  # in Python, 50 take half a minute
            "empty_caches": False,
        },
        tracking={"watch_seconds": 0},
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("THEANO_PYTHON", "nowhere/python")
        status, said = _make(project)
    assert status == 0, said
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return finished.copied(tmp_path / "project")


def test_the_engines_that_are_there_are_compared(finished):
    table = _table(finished)
    assert list(table.index) == ALL
    # The second row is of the same kind and is not measured.
    assert set(table["model"]) == {"8/4 both"}
    found = table.loc["kernel"].filter(like="_difference")
    assert {"hidden_document_difference", "document_vectors_difference"} <= set(found)
    assert found.notna().all(axis=None)
    differences = found.max(axis=1)
    # The kernels round in another order, so their results are close but not bit-equal.
    assert 0 < differences["float64"] < 1e-12
    assert 1e-10 < differences["float32"] < 1e-3
    assert (table.loc["kernel", "words_per_second"] > 0).all()
    assert set(table["updates"]) == {20}
    assert list(table["compiled"]) == [True, True, False, False]


def test_an_engine_that_is_not_installed_says_how_to_install_it(finished):
    rows = _table(finished).loc["theano"]
    assert rows["why_not"].str.contains("nowhere/python.*`make theano` makes it").all()
    assert rows["words_per_second"].isna().all()
    page = (finished.path / "results/test/tables/engines.md").read_text(encoding="utf-8")
    assert "make theano" in page


def test_theano_and_pytensor_compute_the_same_by_compiled_code(project, theano, monkeypatch):
    """Theano, which was not there before, is measured now."""
    # A job with flags of its own is a process of its own, in which no library is loaded yet.
    for flags in IN_PYTHON:
        monkeypatch.setenv(flags, "exception_verbosity=high")
    monkeypatch.setenv("THEANO_PYTHON", theano)
    for old, new in (
        ("- kernel", "- pytensor-c\n  - kernel"),
        ("  - float32\n", ""),
        ("updates: 20", "updates: 50"),
    ):
        project.replace("config/test.yaml", old, new)
    status, said = _make(project)
    assert status == 0, said
    table = _table(project)
    assert list(table.index.get_level_values("engine")) == ["pytensor-c", *ENGINES]
    assert table["compiled"].all() and set(table["updates"]) == {50}
    rows = table.droplevel("precision")
    assert set(rows["reference"]) == {"pytensor-c"}
    assert rows.loc["theano", "packages"] == "theano=1.0.5"
    differences = rows.filter(like="_difference").max(axis=1)
    assert differences["pytensor-c"] == 0
    assert 0 < differences["kernel"] < 1e-12
    assert 0 < differences["theano"] < 1e-12


def _edit(project):
    """Edit a measurement, as if an engine computed something else; return its file."""
    path = project.path / "results/test/engines/own-M8-D4-both-B4-float64-kernel.json"
    record = read_json(path)
    record["measured"]["differences"]["parameters"]["word_output"] = 1e-8
    write_json(path, record)
    return path


def test_a_difference_that_rounding_does_not_explain_fails_after_the_table(project, monkeypatch):
    monkeypatch.setenv("THEANO_PYTHON", "nowhere/python")
    path = _edit(project)
    # Whoever edits a measurement is told; one that was made so has no other receipt.
    status, said = _make(project)
    assert status != 0 and "Traceback" not in said
    [line] = {line for line in said.splitlines() if "error: " in line}
    assert f"{path.name}: changed since it was made: delete it" in line
    (project.path / "results/test/receipts/measure_engine" / path.name).unlink()
    status, said = _make(project)
    assert status != 0 and "Traceback" not in said
    [line] = {line for line in said.splitlines() if "error: " in line}
    assert "`word_output` by kernel" in line and "1.0e-08" in line
    assert _table(project).loc[("kernel", "float64"), "word_output_difference"] == 1e-8


def test_another_table_trains_no_run_again(project):
    assert "measure_engine" not in project.planned("--configfile", "config/test.yaml")
    before = project.planned("--configfile", "config/test.yaml")
    project.replace("config/test.yaml", "- 4", "- 5")
    assert project.planned("--configfile", "config/test.yaml") == before
