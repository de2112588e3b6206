"""Tests of the comparison of all engines."""

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.cross_check import engines as cross_check
from online_rnnlm.cross_check.engines import Measured, compare, differences
from online_rnnlm.errors import UserError

VALUES = {"losses": np.array([-250.0, 3.0]), "recurrent": np.array([[0.5, -0.25]])}


def measured(**changes):
    return Measured(VALUES | changes, 12345.6, 7.89)


@pytest.fixture
def engines(monkeypatch):
    """A function that gives the comparison engines with these results, by their names."""

    def give(**found):
        monkeypatch.setattr(cross_check, "_in_own_process", lambda name, _: found[name])
        missing = {name: "install it" for name, one in found.items() if one is None}
        monkeypatch.setattr(cross_check, "why_not", missing.get)
        return tuple(found)

    return give


def test_a_difference_is_relative_above_one_and_infinite_for_no_number():
    found = {"losses": np.array([-250.5, 3.0]), "recurrent": np.array([[0.5, np.nan]])}
    assert differences(found, VALUES) == {"losses": 0.002, "recurrent": np.inf}


def test_the_table_has_every_engine_and_says_what_is_missing(engines, tmp_path, capsys):
    two = measured(recurrent=VALUES["recurrent"] + 1e-12)
    compare(tmp_path / "new", engines(gone=None, one=measured(), two=two))
    table = pd.read_csv(tmp_path / "new" / "engines.csv").set_index("engine")
    assert list(table.index) == ["gone", "one", "two"]
    assert table.loc["gone", "not installed"] == "install it"
    assert table.loc["one", ["losses", "recurrent"]].tolist() == [0, 0]
    assert table.loc["two", "recurrent"] == pytest.approx(1e-12, rel=0.01)
    assert table.loc["two", "words/s"] == 12346
    assert capsys.readouterr().out == (tmp_path / "new" / "engines.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [1e-9, np.nan])
def test_a_difference_that_rounding_does_not_explain_fails_after_the_table(
    engines, tmp_path, wrong
):
    names = engines(one=measured(), two=measured(recurrent=VALUES["recurrent"] + wrong))
    with pytest.raises(UserError, match="`recurrent` by two differs from the first engine"):
        compare(tmp_path, names)
    assert (tmp_path / "engines.csv").is_file()


def test_what_is_missing_for_an_engine_is_said(monkeypatch):
    monkeypatch.setattr(cross_check, "COMPILER", "no-such-compiler")
    assert cross_check.why_not("pytensor-c") == "no-such-compiler is not installed"
    assert cross_check.why_not("kernel") is None
    monkeypatch.setattr(cross_check, "COMPILER", "sh")
    monkeypatch.setenv("THEANO_PYTHON", "nowhere/python")
    assert "`make theano` makes it" in str(cross_check.why_not("theano"))


@pytest.mark.slow  # engines compile
def test_engines_make_the_same_updates(monkeypatch, tmp_path):
    """In this process, with what was compiled before; `make engines` begins with empty folders."""
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    monkeypatch.setattr(
        cross_check,
        "_in_own_process",
        lambda name, updates: cross_check.measure(cross_check.settings_of(name), updates),
    )
    compare(tmp_path, ("kernel", "jax"), updates=3)
    table = pd.read_csv(tmp_path / "engines.csv").set_index("engine")
    found = table.drop(columns=["not installed", "words/s", "seconds to compile"])
    assert {"losses", "word_document", "document_vectors"} <= set(found)
    assert (found.loc["kernel"] == 0).all()
    assert 0 < found.loc["jax"].max() < 1e-12
