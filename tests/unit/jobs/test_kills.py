"""Tests that a training that is killed at any of its writes ends with the same bits."""

import pytest

from online_rnnlm.jobs.train import train
from online_rnnlm.storage.paths import RunDirectory
from tests import killing, outcome
from tests.unit.jobs.runs import run_of
from tests.unit.jobs.stub import use_stub


@pytest.mark.slow  # two trainings for each of their writes
def test_a_training_killed_at_any_write(documents_directory, tmp_path, monkeypatch):
    """A checkpoint is written after every call of the trainer, within documents, too."""
    use_stub(monkeypatch)
    monkeypatch.setattr("os.fsync", lambda _: None)  # no disk fails here
    stretches = {"unit_of_text": "document", "segment_tokens": 3}
    run = run_of(learning_rate=0.8, max_epochs=2, cooldown=0.5, **stretches)
    (tmp_path / "nothing").mkdir()

    def work(place):
        train(run, documents_directory, RunDirectory(place / "run"), checkpoint_seconds=0.0)

    def left(place):
        files = sorted(file.name for file in (place / "run").rglob("*"))
        return outcome.outcome(place / "run"), files

    work(tmp_path / "first")  # what it computes once, forks have from here
    writes = killing.killed_at_every_write(tmp_path / "nothing", tmp_path / "place", work, left)
    assert writes > 25
