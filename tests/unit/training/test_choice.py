"""Tests that a row takes its searched settings from its best candidate."""

import pytest

from online_rnnlm.config import loading
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.training.choice import resolve
from tests.unit.small_records import run_divergence, run_record, run_result

VALUES = {
    "experiment": "test",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": [10, 20]}, {"hidden_size": 10, "document_size": 2}],
    "search": {"learning_rate": [0.1, 0.2], "document_rate": [0.05, 0.1]},
    "seeds": [1, 2],
}


@pytest.fixture
def described():
    return loading.parse(VALUES)


def finish(directory, run, perplexity):
    files = directory.run(run.name)
    records.write(files.record, run_record(searched=run.searched))
    records.write(files.result, run_result(valid_perplexity=perplexity))


def diverge(directory, name):
    records.write(directory.run(name).result, run_divergence())


def test_a_row_is_searched_by_what_concerns_it(described):
    runs = described.search_runs()
    # Two static rows have two rates each; the row with a vector has two times two.
    assert len(runs) == 2 + 2 + 4
    assert {run.settings.seed for run in runs} == {0}
    assert [run.searched for run in runs if run.settings.document_size == 0][:2] == [
        {"learning_rate": 0.1},
        {"learning_rate": 0.2},
    ]
    candidates = {run.name: run.candidates for run in described.runs()}
    assert len(candidates) == 3 * 2
    assert len(candidates["vital-M10-D2-seed1"]) == 4
    assert candidates["vital-M10-D2-seed1"] == candidates["vital-M10-D2-seed2"]
    assert {name for names in candidates.values() for name in names} == {r.name for r in runs}


def test_the_best_on_valid_gives_its_settings_to_every_seed(described, tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for number, run in enumerate(described.search_runs()):
        finish(directory, run, 100.0 - (number == 6))
    runs = {run.name: resolve(run, directory).settings for run in described.runs()}
    for seed in (1, 2):
        chosen = runs[f"vital-M10-D2-seed{seed}"]
        assert (chosen.learning_rate, chosen.document_rate, chosen.seed) == (0.2, 0.05, seed)
    assert runs["vital-M20-D0-seed1"].learning_rate == 0.1  # the first of two equal ones


def test_a_diverged_candidate_is_not_chosen(described, tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for number, run in enumerate(described.search_runs()):
        finish(directory, run, 100.0 + number)
    row = next(run for run in described.runs() if run.settings.document_size)
    diverge(directory, row.candidates[0])
    found = resolve(row, directory)
    assert (found.settings.learning_rate, found.settings.document_rate) == (0.1, 0.1)
    assert not found.hopeless


def test_a_run_whose_candidates_all_diverged_is_hopeless(described, tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for run in described.search_runs():
        finish(directory, run, 100.0)
    row, other = described.runs()[0], described.runs()[-1]
    for name in row.candidates:
        diverge(directory, name)
    assert resolve(row, directory).hopeless
    assert not resolve(other, directory).hopeless


def test_a_missing_candidate_is_named(described, tmp_path):
    with pytest.raises(UserError, match=r"vital-M10-D0-learning_rate0\.1-seed0"):
        resolve(described.runs()[0], ExperimentDirectory(tmp_path))


def test_without_a_search_a_run_is_what_it_says(tmp_path):
    described = loading.parse({**VALUES, "search": {}})
    assert described.search_runs() == []
    for run in described.runs():
        resolved = resolve(run, ExperimentDirectory(tmp_path))
        assert (resolved.name, resolved.settings) == (run.name, run.settings)


def test_the_search_has_a_seed_of_its_own():
    with pytest.raises(UserError, match="search_seed"):
        loading.parse({**VALUES, "search_seed": 2})
