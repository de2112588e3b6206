"""Tests of what the tests of kills and of other runs do not hold of a checkpoint."""

import errno

import numpy as np
import pytest

from online_rnnlm.core import parameters
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.base import TrainingState
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.core.training import Progress
from online_rnnlm.errors import UserError
from online_rnnlm.jobs import checkpoint
from online_rnnlm.jobs.checkpoint import RunState
from online_rnnlm.storage import weight_files
from online_rnnlm.storage.paths import RunDirectory
from tests.unit.small_models import assert_same
from tests.unit.small_records import epoch, run_record

RECORD = run_record()
WEIGHTS = parameters.initialise(Sizes(2000, 20, 40, 5), 0.1, 1, "float32")
FEW = parameters.initialise(Sizes(20, 4, 3, 2), 0.1, 1, "float32")


def begun(run, weights=FEW):
    """A run within its second epoch."""
    carried = Carried.nothing(weights, "lstm", 64)._replace(since_step=np.arange(64))
    deferred = (np.arange(3), np.ones((2, 2), "float32"))
    state = TrainingState(weights, weights, carried, deferred)
    nothing = parameters.without_rows(weights)
    reached = [epoch(1).valid_perplexity]
    progress = Progress(state, weights, nothing, reached, 8, 9000, -1234.5)
    return RunState(run, RECORD, progress, [epoch(1)], seconds=1.5, cpu_seconds=1.25)


def test_it_has_three_times_the_size_of_the_model(tmp_path):
    weight_files.save(WEIGHTS, tmp_path / "model.npz")
    run = RunDirectory(tmp_path)
    begun(run, WEIGHTS).save()
    model = (tmp_path / "model.npz").stat().st_size
    assert run.state.stat().st_size == pytest.approx(3 * model, rel=0.2)


def test_a_failed_save_leaves_the_last_one(tmp_path, monkeypatch):
    """Every value is as it was saved, to the last bit."""
    run = RunDirectory(tmp_path)
    saved = begun(run)
    saved.save()

    def full(file, **_):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "as the system says it")

    with monkeypatch.context() as broken:
        broken.setattr(np, "savez", full)
        with pytest.raises(UserError, match=r"checkpoint\.npz: cannot be written: No space left"):
            saved.save()
    loaded = checkpoint.load(run, RECORD)
    assert loaded.record == RECORD
    assert loaded.epochs == saved.epochs
    assert (loaded.seconds, loaded.cpu_seconds) == (1.5, 1.25)
    found, expected = vars(loaded.progress), vars(saved.progress)
    for name in ("valid_perplexities", "batches", "tokens", "log_probability"):
        assert found[name] == expected[name]
    for name in ("best", "best_accumulators"):
        assert_same(found[name], expected[name])
    for arrays, others in zip(found["state"], expected["state"], strict=True):
        assert_same(arrays, others)
    assert checkpoint.load(run, RECORD.model_copy(update={"identity": "1" * 64})) is None


def test_no_bit_that_has_changed_ends_a_training(tmp_path, caplog):
    """The bits are those of the list of files at the end, where no checksum is."""
    run = RunDirectory(tmp_path)
    begun(run).save()
    content = run.state.read_bytes()
    for place in range(content.index(b"PK\1\2"), len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        run.state.write_bytes(damaged)
        checkpoint.load(run, RECORD)
    assert "damaged" in caplog.text


@pytest.mark.parametrize("damage", ["edited", "cut", "empty"])
def test_a_damaged_one_is_not_used(tmp_path, caplog, damage):
    run = RunDirectory(tmp_path)
    begun(run).save()
    content = bytearray(run.state.read_bytes())
    content[content.index("run".encode("utf-32-le"))] ^= 1  # a letter of the record
    cut = {"edited": len(content), "cut": len(content) // 2, "empty": 0}[damage]
    run.state.write_bytes(content[:cut])
    assert checkpoint.load(run, RECORD) is None
    assert "checkpoint.npz: damaged" in caplog.text
