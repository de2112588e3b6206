"""Whoever starts trainings as jobs is told of each epoch once."""

import queue

from online_rnnlm.jobs.progress import follow_trainings
from online_rnnlm.storage.paths import RunDirectory


def test_each_line_that_a_training_adds_is_told_once_without_its_time(tmp_path):
    old, new = RunDirectory(tmp_path / "old"), RunDirectory(tmp_path / "new")
    old.path.mkdir()
    old.log.write_text("2026-12-01 10:00:00,000 epoch 1: of an earlier start\n")
    told = queue.Queue()
    follow_trainings([old, new], told.put, seconds=0.01)

    with old.log.open("a") as log:
        log.write("2026-12-01 10:05:00,000 epoch 2: perplexity")
        log.flush()
        new.path.mkdir()
        new.log.write_text("2026-12-01 10:05:00,000 goes on after epoch 4\n")
        assert told.get(timeout=60) == "new: goes on after epoch 4"
        log.write(" 85.30 on valid\n")
    assert told.get(timeout=60) == "old: epoch 2: perplexity 85.30 on valid"

    old.log.write_text("2026-12-01 11:00:00,000 epoch 1\n")
    assert told.get(timeout=60) == "old: epoch 1"
    assert told.empty()
