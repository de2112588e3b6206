"""Tests of the trainings that are kept when others take their place."""

import os
from pathlib import Path

import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.earlier_runs import exchange, finished_identity, kept_runs
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import RunDivergence, RunResult
from tests.unit.small_records import epoch, run_divergence, run_record, run_result

FIRST, SECOND = "a" * 64, "b" * 64


def finish(run, identity):
    """Put a finished run with this identity into a folder."""
    run.path.mkdir(parents=True, exist_ok=True)
    records.write_lines(run.metrics, [epoch(1)])
    run.model.unlink(missing_ok=True)
    run.model.write_text(f"weights of {identity}")
    records.write(run.record, run_record(identity=identity))
    files = {file.name: sha256_of(file) for file in (run.model, run.metrics)}
    records.write(run.result, run_result(identity=identity, files=files))


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "runs" / "one")


def test_a_training_is_kept_and_taken_back(run, tmp_path):
    finish(run, FIRST)
    assert not exchange(run, SECOND, tmp_path / "earlier")
    finish(run, SECOND)
    assert exchange(run, FIRST, tmp_path / "earlier")
    assert finished_identity(run) == FIRST
    assert run.model.read_text() == f"weights of {FIRST}"
    kept = {
        finished_identity(kept) for kept, unchanged in kept_runs(tmp_path / "earlier") if unchanged
    }
    assert kept == {FIRST, SECOND}


def test_a_training_is_taken_from_a_run_of_another_name(run, tmp_path):
    other = RunDirectory(tmp_path / "runs" / "one-rate0.2")
    finish(other, FIRST)
    run.path.mkdir()
    assert not exchange(run, SECOND, tmp_path / "earlier")
    assert exchange(run, FIRST, tmp_path / "earlier")
    assert run.model.read_text() == f"weights of {FIRST}"
    assert finished_identity(run) == finished_identity(other) == FIRST


def test_a_damaged_run_of_another_name_is_not_taken(run, tmp_path):
    other = RunDirectory(tmp_path / "runs" / "one-rate0.2")
    finish(other, FIRST)
    other.model.write_text("damaged")
    run.path.mkdir()
    assert not exchange(run, FIRST, tmp_path / "earlier")


def test_a_run_of_another_name_that_begins_anew_meanwhile_is_not_taken(run, tmp_path, monkeypatch):
    other = RunDirectory(tmp_path / "runs" / "one-rate0.2")
    finish(other, FIRST)
    run.path.mkdir()
    read = Path.read_bytes

    def vanished(path):
        if path == other.result:
            path.unlink(missing_ok=True)  # as another job does when it begins to train
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", vanished)
    assert not exchange(run, FIRST, tmp_path / "earlier")
    assert finished_identity(run) is None


def test_a_training_that_diverged_is_kept_too(run, tmp_path):
    finish(run, FIRST)
    files = records.read(RunResult, run.result).files
    records.write(run.result, run_divergence(identity=FIRST, files=files))
    exchange(run, SECOND, tmp_path / "earlier")
    finish(run, SECOND)
    assert exchange(run, FIRST, tmp_path / "earlier")
    assert records.read(RunDivergence, run.result).identity == FIRST


def test_what_is_kept_does_not_change_with_the_run(run, tmp_path):
    finish(run, FIRST)
    exchange(run, SECOND, tmp_path / "earlier")
    finish(run, SECOND)
    [(kept, unchanged)] = kept_runs(tmp_path / "earlier")
    assert unchanged
    assert kept.model.read_text() == f"weights of {FIRST}"


def test_the_training_that_is_asked_for_stays(run, tmp_path):
    finish(run, FIRST)
    assert not exchange(run, FIRST, tmp_path / "earlier")
    assert not (tmp_path / "earlier").exists()


@pytest.mark.parametrize("name", ["model.npz", "metrics.jsonl", "result.json", "run.json"])
def test_damaged_trainings_are_neither_kept_nor_taken(run, tmp_path, name):
    finish(run, FIRST)
    (run.path / name).write_bytes(b"damaged")
    exchange(run, SECOND, tmp_path / "earlier")
    assert list(kept_runs(tmp_path / "earlier")) == []
    finish(run, FIRST)
    exchange(run, SECOND, tmp_path / "earlier")
    kept = tmp_path / "earlier" / FIRST / name
    kept.unlink()
    kept.write_bytes(b"damaged")
    finish(run, SECOND)
    assert [unchanged for _, unchanged in kept_runs(tmp_path / "earlier")] == [False]
    assert not exchange(run, FIRST, tmp_path / "earlier")


def test_a_file_system_without_links_gets_copies(run, tmp_path, monkeypatch):
    def refuse(*_: Path) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    test_a_training_is_kept_and_taken_back(run, tmp_path)


@pytest.mark.parametrize("kept", [True, False])
def test_an_edited_training_is_not_taken(run, tmp_path, kept):
    finish(run, FIRST)
    exchange(run, SECOND, tmp_path / "earlier")
    if kept:
        edited = tmp_path / "earlier" / FIRST / "result.json"
    else:  # the run's own result, after it was taken back, and before it is looked for again
        run.result.unlink()
        exchange(run, FIRST, tmp_path / "earlier")
        edited = run.result
    right = edited.read_text()
    edited.write_text(right.replace("90.0", "5.0"))
    run.result.unlink(missing_ok=True)
    taken = exchange(run, FIRST, tmp_path / "earlier")
    assert taken is not kept
    assert "5.0" not in (run.result.read_text() if run.result.exists() else "")


def test_a_log_goes_with_its_training(run, tmp_path):
    for identity in (FIRST, SECOND):
        exchange(run, identity, tmp_path / "earlier")
        finish(run, identity)
        run.log.write_text(identity)
    exchange(run, FIRST, tmp_path / "earlier")
    assert run.log.read_text() == FIRST
