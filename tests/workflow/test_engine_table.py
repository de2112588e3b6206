"""Tests of `snakemake engines` on a small network, with the original Theano and without it."""

import shutil

import pandas as pd
import pytest

from online_rnnlm.storage.files import read_json, write_json

ENGINES = ("pytensor-numba", "kernel", "theano")
ALL = [(engine, precision) for engine in ENGINES for precision in ("float64", "float32")]


@pytest.fixture(scope="module", autouse=True)
def _in_python():
    """Compiled code would take a minute a process to make."""
    with pytest.MonkeyPatch.context() as environment:
        for flags in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
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
    shutil.copytree(finished.path, tmp_path / "project", symlinks=True)
    return type(finished)(tmp_path / "project")


def test_the_engines_that_are_there_are_compared(finished):
    table = _table(finished)
    assert list(table.index) == ALL
    # The second row is of the same kind and is not measured.
    assert set(table["model"]) == {"8/4 both"}
    found = table.filter(like="_difference").loc[["pytensor-numba", "kernel"]]
    assert {"hidden_document_difference", "document_vectors_difference"} <= set(found)
    assert found.notna().all(axis=None)
    exact, rounded = (found.xs(p, level="precision").max(axis=1) for p in ("float64", "float32"))
    # The kernels round in another order, so their results are close but not bit-equal.
    assert 0 < exact["kernel"] < 1e-12
    assert (rounded > 1e-10).all() and (rounded < 1e-3).all()
    assert (table["words_per_second"].loc[["pytensor-numba", "kernel"]] > 0).all()
    assert (table["updates"] == 20).all()
    assert list(table["compiled"]) == [False, False, True, True, False, False]
    assert set(table.loc["pytensor-numba", "why_not"]) == {"PYTENSOR_FLAGS has `mode=FAST_COMPILE`"}


def test_an_engine_that_is_not_installed_says_how_to_install_it(finished):
    rows = _table(finished).loc["theano"]
    assert rows["why_not"].str.contains("nowhere/python.*`make theano` makes it").all()
    assert rows["words_per_second"].isna().all()
    page = (finished.path / "results/test/tables/engines.md").read_text(encoding="utf-8")
    assert "make theano" in page


def test_theano_is_measured_once_it_is_there(project, theano, monkeypatch):
    before = _table(project)
    monkeypatch.setenv("THEANO_PYTHON", theano)
    status, said = _make(project)
    assert status == 0, said
    after = _table(project)
    others = ["pytensor-numba", "kernel"]
    pd.testing.assert_frame_equal(after.loc[others], before.loc[others])
    rows = after.loc["theano"]
    assert set(rows["packages"]) == {"theano=1.0.5"}
    differences = rows.filter(like="_difference").max(axis=1)
    assert differences["float64"] < 1e-12
    assert 1e-8 < differences["float32"] < 1e-3


def test_a_difference_that_rounding_does_not_explain_fails_after_the_table(project, monkeypatch):
    monkeypatch.setenv("THEANO_PYTHON", "nowhere/python")
    path = project.path / "results/test/engines/own-M8-D4-both-B4-float64-kernel.json"
    record = read_json(path)
    record["measured"]["differences"]["parameters"]["word_output"] = 1e-8
    write_json(path, record)
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
