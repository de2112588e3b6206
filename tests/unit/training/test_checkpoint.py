"""Tests that a checkpoint is only used if it is whole and of the same run."""

import errno

import numpy as np
import pytest

from online_rnnlm.engines.lanes import Carried
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.training import checkpoint
from online_rnnlm.training.checkpoint import Progress, Unfinished
from online_rnnlm.training.schedule import Schedule
from tests.unit.small_records import epoch

SIZES = Sizes(7, 3, 2, 2)


def progress(seed=1, epochs=2):
    schedule = Schedule(0.2, 2.0, 1.003)
    for done in range(epochs):
        schedule = schedule.after(5.1 - 0.001 * done)
    return Progress(
        schedule,
        parameters.initialise(SIZES, 0.1, seed, "float32"),
        parameters.initialise(SIZES, 0.3, seed, "float32"),
        [epoch(done + 1, valid_perplexity=0.1 + 0.2 * done) for done in range(epochs)],
    )


def same(found, expected):
    for arrays in ("weights", "accumulators"):
        pairs = zip(getattr(found, arrays), getattr(expected, arrays), strict=True)
        assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    return (found.schedule, found.epochs) == (expected.schedule, expected.epochs)


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_what_is_saved_is_loaded_bit_by_bit(tmp_path, epochs):
    saved = progress(epochs=epochs)
    checkpoint.save(saved, RunDirectory(tmp_path), "this run")
    loaded = checkpoint.load(RunDirectory(tmp_path), "this run")
    assert loaded is not None
    assert same(loaded, saved)
    assert loaded.epoch == epochs


def test_within_an_epoch_it_has_four_times_the_size_of_the_model(tmp_path):
    weights = parameters.initialise(Sizes(2000, 20, 40, 5), 0.1, 1, "float32")
    weight_files.save(weights, tmp_path / "model.npz")
    carried = Carried((np.ones((64, 20), "float32"),), np.ones((64, 5), "float32"))
    halfway = Unfinished(weights, weights, carried, 8, 9000, -1234.5, 1.5, 1.25)
    saved = Progress(Schedule(0.2, 2.0, 1.003), weights, weights, [epoch(1)], halfway)
    run = RunDirectory(tmp_path)
    checkpoint.save(saved, run, "this run")
    model = (tmp_path / "model.npz").stat().st_size
    assert run.state.stat().st_size == pytest.approx(4 * model, rel=0.05)


def test_there_may_be_none(tmp_path):
    assert checkpoint.load(RunDirectory(tmp_path), "this run") is None


def test_another_runs_is_none(tmp_path):
    checkpoint.save(progress(), RunDirectory(tmp_path), "this run")
    assert checkpoint.load(RunDirectory(tmp_path), "another run") is None
    assert checkpoint.load(RunDirectory(tmp_path), "this run") is not None


def test_a_failed_save_leaves_the_last_one(tmp_path, monkeypatch):
    checkpoint.save(progress(seed=1), RunDirectory(tmp_path), "this run")

    def full(file, **_):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "as the system says it")

    with monkeypatch.context() as broken:
        broken.setattr(np, "savez", full)
        with pytest.raises(UserError, match=r"state\.npz: cannot be written: No space left"):
            checkpoint.save(progress(seed=2), RunDirectory(tmp_path), "this run")
    loaded = checkpoint.load(RunDirectory(tmp_path), "this run")
    assert loaded is not None
    assert same(loaded, progress(seed=1))
