"""Tests that MLflow's entries agree with an experiment's files, whatever goes wrong meanwhile."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory, RunDirectory
from online_rnnlm.storage.records import (
    Accounting,
    Epoch,
    Evaluation,
    RunRecord,
    Tracked,
)
from online_rnnlm.tracking import current, entries, reading
from online_rnnlm.tracking.best import BEST
from online_rnnlm.tracking.folder import identify
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.tracking.server import address
from online_rnnlm.tracking.stores import store_for
from online_rnnlm.tracking.synchronisation import synchronise
from tests.forking import Forks
from tests.unit.analysis.changes import diverge_evaluation
from tests.unit.small_records import job, run_divergence
from tests.unit.tracking.gate import Gate
from tests.unit.tracking.stored import assert_right, name_of, view
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,  # real MLflow servers and a real PostgreSQL
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

RUN = "invented-M100-D20-seed1"
SUMMARY = "summary of invented"


def break_off(directory: ExperimentDirectory, epochs: int) -> Callable[[], None]:
    """Make a run look unfinished; return a function that finishes it."""
    files = directory.run(RUN)
    kept = {path: path.read_bytes() for path in (files.metrics, files.result)}
    files.result.unlink()
    lines = kept[files.metrics].splitlines(keepends=True)
    files.metrics.write_bytes(b"".join(lines[:epochs]))

    def finish() -> None:
        for path, content in kept.items():
            path.write_bytes(content)

    return finish


def test_a_store_says_what_the_files_say(directory: ExperimentDirectory, store: str | None) -> None:
    directory.store.unlink()
    first = synchronise(directory, store)
    assert_right(directory, store)
    assert first.unfinished == []
    assert synchronise(directory, store).runs == first.runs
    assert_right(directory, store)
    assert records.read(Tracked, directory.tracked).runs == first.runs


def test_what_is_there_to_compare(directory: ExperimentDirectory) -> None:
    """The entries are not empty, so the other tests do not compare nothing with nothing."""
    synchronise(directory)
    entry = view(directory, None)[RUN]
    assert entry["label"] == "M100 D20 · seed 1"
    assert entry["parameters"]["learning_rate"] == "0.1"
    tags = entry["tags"]
    assert (tags["kind"], tags["model"], tags["host"]) == ("online", "100/20", "node1")
    assert tags["slurm_job"] == "7"
    assert (directory.path / tags["weights"]).is_file()
    metrics = {key: value for key, value, _, _ in entry["metrics"]}
    for ending, evaluation in (("", "document_vector"), ("_vector_still", "none")):
        splits = records.read(Evaluation, directory.evaluation(RUN, evaluation)).splits
        assert metrics[f"test_perplexity{ending}"] == splits["test"].perplexity
    lines = directory.run(RUN).metrics.read_text().splitlines()
    steps = [step for key, _, _, step in entry["metrics"] if key == "epoch/valid_perplexity"]
    assert sorted(steps) == list(range(1, len(lines) + 1))
    assert metrics["system/peak_memory_megabytes"] == 400 + len(lines)
    assert 90 < metrics["system/cpu_utilization_percentage"] < 100
    assert {"run.json", "metrics.jsonl", "train.log", "evaluations/none.parquet"} <= {
        *entry["files"]
    }
    assert view(directory, None)["summary"]["files"]["report.html"] == b"<p>one</p>"


def test_epochs_appear_while_a_run_trains(
    directory: ExperimentDirectory, store: str | None
) -> None:
    finish = break_off(directory, 2)
    ids = {synchronise(directory, store).runs[RUN]}
    assert_right(directory, store)
    assert view(directory, store)[RUN]["status"] == "RUNNING"
    finish()
    break_off(directory, 4)
    found = synchronise(directory, store)
    assert found.unfinished == [RUN]
    ids.add(found.runs[RUN])
    assert_right(directory, store)
    finish()
    ids.add(synchronise(directory, store).runs[RUN])
    assert_right(directory, store)
    assert len(ids) == 1


def test_epochs_that_were_trained_again_take_the_places_of_those_lost(
    directory: ExperimentDirectory,
) -> None:
    """A killed run goes on from its checkpoint, and a repeated epoch may take another time."""
    break_off(directory, 3)
    synchronise(directory)
    path = directory.run(RUN).metrics
    first, second, third = records.read_lines(Epoch, path)
    third = third.model_copy(update={"seconds": third.seconds + 1})
    records.write_lines(path, [first, second, third])
    synchronise(directory)
    assert_right(directory)


def test_a_run_whose_files_change_while_they_are_read_is_read_once_more(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training starts again between the reading of its result and of its metrics."""
    files, real = directory.run(RUN), entries.read_epochs

    def beginning_anew(run: RunDirectory) -> list[Epoch]:
        if run == files and files.result.is_file():
            files.result.unlink()
            records.write_lines(files.metrics, [])
            raise UserError("the checksum is not the one in result.json")
        return real(run)

    monkeypatch.setattr(entries, "read_epochs", beginning_anew)
    read = current.Reader(directory).entries(Asked(directory))
    [found] = [entry for entry in read if entry.run == RUN]
    assert (found.status, found.epochs) == ("RUNNING", [])


def test_further_evaluations_are_added_and_changed_ones_replaced(
    directory: ExperimentDirectory, fake: SimpleNamespace, store: str | None
) -> None:
    before = synchronise(directory, store).runs[RUN]
    evaluation = "document_vector+output.word.stream"
    fake.write_evaluation(directory, RUN, evaluation, 99.0)
    assert synchronise(directory, store).runs[RUN] == before
    assert_right(directory, store)
    fake.write_evaluation(directory, RUN, evaluation, 98.0)
    synchronise(directory, store)
    assert_right(directory, store)
    directory.report.write_text("<p>two</p>")
    synchronise(directory, store)
    assert_right(directory, store)


def diverge(directory: ExperimentDirectory, reason: str) -> None:
    """Make a run that trains diverge."""
    identity = records.read(RunRecord, directory.run(RUN).record).identity
    records.write(directory.run(RUN).result, run_divergence(identity=identity, reason=reason))


def test_a_diverged_run_has_failed_and_says_why_until_it_is_trained_again(
    directory: ExperimentDirectory, store: str | None
) -> None:
    finish = break_off(directory, 2)
    first = synchronise(directory, store).runs[RUN]
    diverge(directory, "diverged in epoch 3")
    found = synchronise(directory, store)
    assert (found.runs[RUN], found.unfinished) == (first, [])
    entry = view(directory, store)[RUN]
    assert (entry["status"], entry["tags"]["failure"]) == ("FAILED", "diverged in epoch 3")
    assert "result.json" in entry["files"]
    assert_right(directory, store)
    directory.run(RUN).result.unlink()
    synchronise(directory, store)
    assert view(directory, store)[RUN]["status"] == "RUNNING"
    assert_right(directory, store)
    finish()
    synchronise(directory, store)
    assert_right(directory, store)


def test_a_run_whose_main_evaluation_diverged_has_failed(directory: ExperimentDirectory) -> None:
    diverge_evaluation(directory, RUN, "document_vector", "diverged on test")
    synchronise(directory)
    entry = view(directory, None)[RUN]
    assert (entry["status"], entry["tags"]["failure"]) == ("FAILED", "diverged on test")
    assert_right(directory, None)


def test_what_slurm_says_of_a_run_is_entered_when_it_is_known(
    directory: ExperimentDirectory,
) -> None:
    synchronise(directory)
    jobs = (job(), job(memory_mb=700.0))
    records.write(directory.run(RUN).accounting, Accounting(jobs=jobs))
    synchronise(directory)
    assert_right(directory, None)
    told = {key: value for key, value, _, _ in view(directory, None)[RUN]["metrics"]}
    assert (told["slurm/jobs"], told["slurm/seconds"], told["slurm/memory_mb"]) == (2, 40, 700)


def test_an_entry_stays_while_its_run_is_tested_again(directory: ExperimentDirectory) -> None:
    before = synchronise(directory).runs
    path = directory.evaluation(RUN, "none")
    content = path.read_bytes()
    path.unlink()
    assert synchronise(directory).runs == before
    path.write_bytes(content)
    assert synchronise(directory).runs == before
    assert_right(directory)


def test_another_training_under_the_same_name_takes_its_place(
    directory: ExperimentDirectory, fake: SimpleNamespace, store: str | None
) -> None:
    old = synchronise(directory, store).runs[RUN]
    [run] = [run for run in fake.experiment().runs() if run.name == RUN]
    fake.write_run(directory, run, {}, salt="again")
    assert synchronise(directory, store).runs[RUN] != old
    assert_right(directory, store)


def test_a_renamed_entry_is_still_found(directory: ExperimentDirectory) -> None:
    run_id = synchronise(directory).runs[RUN]
    with store_for(directory, None).client() as client:
        client.update_run(run_id, name="my favourite")
    assert synchronise(directory).runs[RUN] == run_id


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE params SET value = '0.7' WHERE key = 'learning_rate'",
        "DELETE FROM params WHERE key = 'learning_rate'",
        "UPDATE tags SET value = '9' WHERE key = 'seed'",
        "UPDATE latest_metrics SET value = 9 WHERE key = 'test_perplexity'",
    ],
)
def test_what_was_changed_in_the_database_is_entered_again(
    directory: ExperimentDirectory, change: str
) -> None:
    synchronise(directory)
    with closing(sqlite3.connect(directory.store)) as database, database:
        assert database.execute(change).rowcount
    synchronise(directory)
    assert_right(directory)


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("{")])
def test_a_folder_that_lost_its_id_has_one_entry_of_everything(
    directory: ExperimentDirectory, change: Callable[[Path], Any]
) -> None:
    before = synchronise(directory).runs
    change(directory.folder)
    after = synchronise(directory).runs
    # A summary has no identity but its folder's, so it is entered again.
    assert {name for name in before if after[name] != before[name]} == {SUMMARY}
    assert_right(directory)


def test_a_run_that_a_user_logs_beside_them_is_left_alone(directory: ExperimentDirectory) -> None:
    found = synchronise(directory)
    with store_for(directory, None).client() as client:
        theirs = client.create_run(found.experiments["invented"], tags={"note": "mine"})
        assert synchronise(directory).runs == found.runs
        there = client.get_run(theirs.info.run_id)
    assert there.info.lifecycle_stage == "active"
    assert "kind" not in there.data.tags


def test_a_deleted_experiment_comes_back(directory: ExperimentDirectory, store: str | None) -> None:
    found = synchronise(directory, store)
    with store_for(directory, store).client() as client:
        client.delete_experiment(found.experiments["invented"])
    synchronise(directory, store)
    assert_right(directory, store)


def test_others_runs_of_the_same_names_are_left_alone(
    directory: ExperimentDirectory, fake: SimpleNamespace, sqlite_server: Any, tmp_path: Path
) -> None:
    """Two people enter experiments of the same name into one server."""
    uri = sqlite_server.uri
    ours = synchronise(directory, uri)
    path = tmp_path / "elsewhere" / directory.path.name
    other = fake.write(path, fake.experiment())
    for run in fake.experiment().runs():
        fake.write_run(other, run, {}, salt="theirs")
    theirs = synchronise(other, uri)
    assert not set(ours.runs.values()) & set(theirs.runs.values()) - {
        run
        for name, run in ours.runs.items()
        if "seed0" in name  # the runs of the search are equal
    }
    assert synchronise(directory, uri).runs == ours.runs
    assert synchronise(other, uri).runs == theirs.runs


def test_of_two_that_train_the_same_the_one_to_finish_first_is_shown(
    directory: ExperimentDirectory, fake: SimpleNamespace, sqlite_server: Any, tmp_path: Path
) -> None:
    """Two folders train the same run; until one finishes, the one that began last is shown."""
    uri = sqlite_server.uri
    other: ExperimentDirectory = fake.write(
        tmp_path / "elsewhere" / directory.path.name, fake.experiment()
    )
    other.report.write_text("<p>two</p>")
    record = records.read(RunRecord, other.run(RUN).record)
    later = record.model_copy(update={"began": record.began + timedelta(hours=1)})
    records.write(other.run(RUN).record, later)
    finish_ours, finish_theirs = break_off(directory, 2), break_off(other, 1)
    ours = synchronise(directory, uri).runs[RUN]
    theirs = synchronise(other, uri).runs[RUN]
    assert theirs != ours
    assert synchronise(directory, uri).runs[RUN] == theirs
    finish_ours()
    ours = synchronise(directory, uri).runs[RUN]
    assert ours != theirs
    finish_theirs()
    assert synchronise(other, uri).runs[RUN] == ours
    with store_for(directory, uri).client() as client:
        assert client.get_run(theirs).info.lifecycle_stage == "deleted"
        assert client.get_run(ours).info.start_time == 1767268800000


def test_a_copy_replaces_no_entry_of_its_original_on_a_server(
    directory: ExperimentDirectory, fake: SimpleNamespace, sqlite_server: Any, tmp_path: Path
) -> None:
    """The copy has the same name and is trained again with other settings."""
    uri = sqlite_server.uri
    ours = synchronise(directory, uri)
    copy = ExperimentDirectory(tmp_path / "elsewhere" / directory.path.name)
    shutil.copytree(directory.path, copy.path)
    for run in fake.experiment().runs():
        fake.write_run(copy, run, {}, salt="changed")
    copy.report.write_text("<p>the copy's</p>")
    theirs = synchronise(copy, uri)
    assert not {*ours.runs.values()} & {*theirs.runs.values()}
    assert synchronise(directory, uri).runs == ours.runs


def test_two_folders_of_one_name_have_a_registered_model_each_on_a_server(
    directory: ExperimentDirectory,
    fake: SimpleNamespace,
    sqlite_server: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = name_of(directory).replace("/", "-")
    other = fake.write(tmp_path / "elsewhere" / directory.path.name, fake.experiment())
    other.report.write_text("<p>the other's</p>")
    ids: dict[str, set[str]] = {}
    for place in (directory, other, directory):
        runs = synchronise(place, sqlite_server.uri).runs
        ids[identify(place)] = set(runs.values())
    with store_for(directory, sqlite_server.uri).client() as client:
        for owner, model in ((directory, name), (other, f"{name}-{identify(other)[:8]}")):
            best = client.get_model_version_by_alias(model, BEST)
            assert best.run_id in ids[identify(owner)]
    assert f"`{name}-{identify(other)[:8]}`" in caplog.text
    assert identify(directory)[:8] not in caplog.text


def test_a_moved_folder_keeps_its_entries_on_a_server(
    directory: ExperimentDirectory, sqlite_server: Any, tmp_path: Path
) -> None:
    ours = synchronise(directory, sqlite_server.uri)
    moved = ExperimentDirectory(tmp_path / "moved" / directory.path.name)
    shutil.move(directory.path, moved.path)
    assert synchronise(moved, sqlite_server.uri).runs == ours.runs


def test_on_a_server_a_run_that_has_left_the_configuration_is_not_the_best(
    directory: ExperimentDirectory, fake: SimpleNamespace, sqlite_server: Any
) -> None:
    def best() -> str | None:
        with store_for(directory, sqlite_server.uri).client() as client:
            model = name_of(directory).replace("/", "-")
            [registered] = client.search_registered_models(f"name = '{model}'")
            if BEST not in registered.aliases:
                return None
            return str(client.get_model_version_by_alias(model, BEST).run_id)

    first = synchronise(directory, sqlite_server.uri)
    [left] = [name for name, run_id in first.runs.items() if run_id == best()]
    rows = [{"hidden_size": 7}]
    described = fake.experiment(rows=rows).model_dump(mode="json")
    write_json(directory.configuration, described)
    assert left in synchronise(directory, sqlite_server.uri).earlier
    assert best() is None
    assert view(directory, sqlite_server.uri)[left]["tags"]["kind"] == "earlier"


def test_what_has_not_changed_is_not_read_again(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, read = current.Reader(directory), []
    whole = current.run_entry
    monkeypatch.setattr(
        current, "run_entry", lambda d, name, *more: read.append(name) or whole(d, name, *more)
    )
    synchronise(directory, None, reader)
    assert read == reading.run_names(directory)
    break_off(directory, 3)
    read.clear()
    synchronise(directory, None, reader)
    assert read == [RUN]


@pytest.mark.parametrize(
    ("moment", "store"),
    [
        ("_log_dataset", "own"),
        ("_log_files", "postgresql_server"),
        ("_log", "sqlite_server"),
        ("_enter", "own"),
    ],
    indirect=["store"],
)
def test_a_kill_half_way_is_mended(
    directory: ExperimentDirectory, store: str | None, moment: str, forks: Forks
) -> None:
    killed = forks.start("tests.unit.tracking.in_forks:enter", str(directory.path), store, moment)
    assert killed.wait() == -signal.SIGKILL
    synchronise(directory, store)
    assert_right(directory, store)


def test_eight_processes_at_once_lose_nothing_and_double_nothing(
    directory: ExperimentDirectory, store: str | None, forks: Forks, tmp_path: Path
) -> None:
    directory.store.unlink()  # so that the processes compete to make it
    said = [tmp_path / f"said{number}" for number in range(8)]
    arguments = "tests.unit.tracking.in_forks:enter", str(directory.path), store
    processes = [forks.start(*arguments, said=path) for path in said]
    assert [process.wait() for process in processes] == [0] * 8
    assert [path.read_bytes() for path in said] == [b""] * 8  # MLflow prints nothing either
    assert_right(directory, store)


def test_a_rebuilt_and_a_moved_store_say_the_same(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    synchronise(directory)
    before = view(directory, None)
    directory.store.unlink()
    synchronise(directory)
    assert view(directory, None) == before
    moved = ExperimentDirectory(tmp_path / "moved" / directory.path.name)
    shutil.move(directory.path, moved.path)
    synchronise(moved)
    assert view(moved, None) == before
    with store_for(moved, None).client() as client:
        experiment = client.get_experiment_by_name(name_of(moved))
    assert experiment.artifact_location.startswith(moved.artifacts.as_uri())


def version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_an_older_store_of_ones_own_is_brought_up_to_date_and_anothers_is_not(
    directory: ExperimentDirectory, tmp_path: Path, forks: Forks
) -> None:
    another = tmp_path / "team.db"
    arguments = "tests.unit.tracking.in_forks:make_old_database", str(another)
    assert forks.start(*arguments).wait() == 0
    shutil.copy(another, directory.store)
    assert version(directory.store) == "7d34483879f0"
    synchronise(directory)
    assert_right(directory)
    [copy] = directory.path.glob("mlflow.db.*.old")
    assert version(copy) == "7d34483879f0" != version(directory.store)

    with pytest.raises(UserError, match=r"team\.db: made by another version.*db upgrade"):
        synchronise(directory, f"sqlite:///{another}")
    assert version(another) == "7d34483879f0"


@pytest.fixture
def away(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> str:
    """The gate's address; MLflow retries it only once, and without waiting."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    return address(gate.port)


def test_an_unreachable_server_is_named_and_the_next_time_completes_it(
    directory: ExperimentDirectory, away: str, gate: Gate
) -> None:
    finish = break_off(directory, 2)
    synchronise(directory, away)
    gate.shut()
    finish()
    with pytest.raises(UserError, match=f"MLflow at {away}: the server does not answer"):
        synchronise(directory, away)
    gate.open()
    synchronise(directory, away)
    assert_right(directory, away)


def test_a_watcher_outlives_the_server_and_ends_with_its_parent(
    directory: ExperimentDirectory, away: str, gate: Gate, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    finish = break_off(directory, 2)
    runs, later = directory.path / "runs", tmp_path / "later"
    runs.rename(later)  # the watcher begins before the first run
    command = [sys.executable, "-m", "online_rnnlm", "track", "--store", away, "--watch", "0.2"]
    line = f"import subprocess, sys; subprocess.run({[*command, str(directory.path)]!r})"
    with log.open("w") as file:
        parent = subprocess.Popen([sys.executable, "-c", line], stdout=file, stderr=file)
    wait_until(directory.tracked.is_file, "the watcher has begun")
    later.rename(runs)
    wait_until(lambda: records.read(Tracked, directory.tracked).runs, "the runs are entered")
    assert_right(directory, away)
    gate.shut()
    finish()
    missed = f"MLflow at {away}: the server does not answer"
    wait_until(lambda: missed in log.read_text(), "the server is missed")
    gate.open()
    wait_until(lambda: "entered into MLflow again" in log.read_text(), "the server is back")
    assert_right(directory, away)
    assert "Traceback" not in log.read_text()
    assert log.read_text().count("does not answer") == 1
    parent.kill()
    parent.wait()
    # The watcher's parent is dead now, so the watcher can only be found by its command.
    pgrep = ["pgrep", "-f", f"track --store {away}"]
    wait_until(lambda: subprocess.run(pgrep, check=False).returncode == 1, "the watcher ends")


def test_a_password_is_nowhere(
    directory: ExperimentDirectory,
    postgresql_uri: str,
    sqlite_server: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Passwords are in the environment; nothing that is written or said has one."""
    secret, password = "hunter2", os.environ["PGPASSWORD"]
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", secret)
    for uri in (postgresql_uri, sqlite_server.uri, None):
        synchronise(directory, uri)
        assert_right(directory, uri)
        said = json.dumps(view(directory, uri), default=repr)
        assert password not in said and secret not in said
    with pytest.raises(UserError, match=r"postgresql://nobody@") as error:
        synchronise(directory, postgresql_uri.replace("runner@", "nobody@"))
    files = [path.read_bytes() for path in directory.path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for text in (*files, str(error.value).encode(), caplog.text.encode()):
        assert password.encode() not in text and secret.encode() not in text


def test_a_hundred_runs_need_few_requests(directory: ExperimentDirectory) -> None:
    """Metrics are sent in batches and never one by one."""
    sent: list[int] = []
    client = mlflow().MlflowClient
    whole = client.log_batch

    def counted(self: Any, run_id: str, *arguments: Any, **named: Any) -> Any:
        sent.append(len(named.get("metrics", ())) + len(named.get("params", ())))
        return whole(self, run_id, *arguments, **named)

    client.log_batch = counted
    try:
        found = synchronise(directory)
    finally:
        client.log_batch = whole
    assert len(sent) <= 3 * len(found.runs)


@pytest.mark.parametrize("moment", ["read_bytes", "log_artifact", "run_entry"])
def test_a_file_that_is_just_being_made_is_no_fault_of_mlflows(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Snakemake deletes what a job makes anew before the job begins."""
    figure = directory.figure("learning_curves", "svg")
    figure.parent.mkdir(exist_ok=True)
    figure.write_text("a figure")
    file = directory.run(RUN).record if moment == "run_entry" else figure
    kept = file.with_suffix(".kept")
    owners: dict[str, Any] = {
        "read_bytes": Path,
        "log_artifact": mlflow().MlflowClient,
        "run_entry": current,
    }
    whole = getattr(owners[moment], moment)

    def delete_first(*arguments: Any) -> Any:
        if file.is_file():
            file.rename(kept)
        return whole(*arguments)

    monkeypatch.setattr(owners[moment], moment, delete_first)
    assert (RUN in synchronise(directory).runs) == (file == figure)
    monkeypatch.undo()
    kept.rename(file)
    assert RUN in synchronise(directory).runs
    assert_right(directory)


def test_a_file_that_cannot_be_read_is_no_fault_of_mlflows(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=rf"^{directory.path}/.*: cannot be read: Permission"):
        synchronise(directory)
