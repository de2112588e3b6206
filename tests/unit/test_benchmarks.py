"""Tests of the benchmark's arithmetic, and that it yields values, but not of their size."""

import json
import sys

import pytest

from benchmarks.cli import SECTIONS, USUAL, main
from benchmarks.measure import Sample, Target, Workload, measured, row
from benchmarks.workloads import scoring_flops, training_flops
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from tests.processes import output_of
from tests.project import ROOT


@pytest.mark.parametrize(
    ("values", "at_least", "ratio"),
    [([1, 110, 999], True, 1.1), ([90], True, 0.9), ([50], False, 2.0), ([200], False, 0.5)],
)
def test_the_median_is_compared_with_its_target(values, at_least, ratio):
    result = row("title", "unit", values, Target(100, at_least))
    assert result["ratio_to_target"] == pytest.approx(ratio)
    assert (result["min"], result["max"]) == (min(values), max(values))


def test_workloads_are_timed_in_turn_in_changing_orders_after_an_untimed_call():
    calls = []
    one = Workload("one", lambda: lambda: calls.append("one") or 6.0, flops=2.0)
    other = Workload("other", lambda: lambda: calls.append("other") or 3.0, against="one")
    rows = measured([one, other, one._replace(title="hidden", shown=False)], 8)
    untimed, *rounds = (calls[at : at + 3] for at in range(0, 27, 3))
    assert untimed == ["one", "other", "one"] and len(calls) == 27
    assert all(sorted(one) == ["one", "one", "other"] for one in rounds)
    assert {one.index("other") for one in rounds} == {0, 1, 2}
    assert [line["title"] for line in rows] == ["one", "other"]
    assert rows[0]["share_of_bound"] > 0 and "share_of_bound" not in rows[1]
    assert Sample(work=6.0, wall=3.0, cpu=2.0).per_cpu_second == 3.0


def test_flops_are_those_counted_by_hand(corpus_directory):
    corpus = load_corpus(corpus_directory)
    settings = RunSettings(corpus="topics", hidden_size=10, document_size=4)
    scores = corpus.classes + corpus.mean_class_size(corpus.splits["train"])
    products = 10 * 10 + scores * (10 + 4)
    assert training_flops(settings, corpus) == pytest.approx(2 * (3 * products + 4))
    scores = corpus.classes + corpus.mean_class_size(corpus.splits["test"])
    forward = 10 * 10 + scores * (10 + 2 * 4) + 4
    assert scoring_flops(settings, corpus) == pytest.approx(2 * forward)


@pytest.mark.slow  # real measurements, if short ones
def test_the_whole_command_makes_values_a_table_and_the_document(corpus_directory, tmp_path):
    document = tmp_path / "docs" / "performance.md"
    text = ("--corpus", corpus_directory.path, "--out", tmp_path)
    sections = [name for name in SECTIONS if name != "jax"]
    options = ("--quick", "--only", *sections, "--old", ".", "--document", document)
    command = [sys.executable, "-m", "benchmarks", *text, *options]
    done = output_of(command, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert list(results["sections"]) == sections and {*USUAL} <= {*sections}
    for name, section in results["sections"].items():
        for line in section.get("rows", []):
            assert line.get("median", 0) > 0 or name in ("torch", "toolkits", "convergence"), line
            assert "median" not in line or line["title"] in done.stdout
    written = document.read_text(encoding="utf-8")
    assert "Quick measurement" in written
    commit = output_of(["git", "log", "-1", "--format=%H", "--", "src/online_rnnlm/core"], cwd=ROOT)
    assert commit.stdout.startswith(results["setup"]["commit"])
    assert f"| commit of the measured code | {results['setup']['commit']} |" in written
    figures = {file.stem for file in (document.parent / "performance").glob("*.svg")}
    assert figures == {*results["sections"]["scaling"]["axes"]}


def test_a_missing_corpus_is_one_line_and_nothing_is_written(tmp_path, caplog):
    with pytest.raises(SystemExit, match="1"):
        main(["--quick", "--corpus", str(tmp_path / "none"), "--out", str(tmp_path)])
    [line] = caplog.messages
    assert str(tmp_path / "none") in line and not list(tmp_path.iterdir())
