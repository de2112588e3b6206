"""Tests that a row takes its searched settings from its best candidate."""

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.small_records import plan, run_divergence, run_record, run_result


@pytest.fixture
def described():
    rows = [{"hidden_size": [10, 20]}, {"hidden_size": 10, "document_size": 2}]
    search = {"learning_rate": [0.1, 0.2], "document_rate": [0.05, 0.1]}
    return plan(rows=rows, search=search, seeds=[1, 2])


def finish(directory, run, perplexity):
    files = directory.run(run.name)
    records.write(files.record, run_record(searched=run.searched))
    records.write(files.result, run_result(valid_perplexity=perplexity))


def diverge(directory, name):
    records.write(directory.run(name).result, run_divergence())


def test_the_best_on_valid_gives_its_settings_to_every_seed(described, tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for number, run in enumerate(described.search_runs()):
        finish(directory, run, 100.0 - (number == 6))
    runs = {
        run.name.rpartition("-")[0]: resolve(run, directory).settings for run in described.runs()
    }
    for seed in (1, 2):
        chosen = runs[f"vital-M10-D2-seed{seed}"]
        assert (chosen.learning_rate, chosen.document_rate, chosen.seed) == (0.2, 0.05, seed)
    assert runs["vital-M20-D0-seed1"].learning_rate == 0.1  # the first of two equal ones


def test_diverged_candidates_are_not_chosen_and_without_others_it_is_hopeless(described, tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for number, run in enumerate(described.search_runs()):
        finish(directory, run, 100.0 + number)
    other = described.runs()[0]
    row = described.runs()[-1]
    first, *more = row.candidates
    diverge(directory, first)
    found = resolve(row, directory)
    assert (found.settings.learning_rate, found.settings.document_rate) == (0.1, 0.1)
    assert not found.hopeless
    for name in more:
        diverge(directory, name)
    assert resolve(row, directory).hopeless and not resolve(other, directory).hopeless


def test_a_missing_candidate_is_named(described, tmp_path):
    with pytest.raises(UserError, match=r"vital-M10-D0-learning_rate0\.1-seed0"):
        resolve(described.runs()[0], ExperimentDirectory(tmp_path))
