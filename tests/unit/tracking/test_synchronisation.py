"""Tests that MLflow shows what an experiment's files say, whatever happens meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from online_rnnlm.config.loading import load
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult
from online_rnnlm.tracking import synchronisation
from online_rnnlm.tracking.entries import entries_of
from online_rnnlm.tracking.models import BEST
from online_rnnlm.tracking.stores import mlflow, one_line_errors, own_store, store_at
from online_rnnlm.tracking.summaries import summaries
from online_rnnlm.tracking.synchronisation import Entered, Tracked, synchronise, watch
from tests.unit.analysis import fake_experiment
from tests.unit.small_records import run_divergence
from tests.unit.tracking import invented
from tests.unit.tracking.invented import RUN, SECOND
from tests.waiting import free_port

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own warnings
slow = pytest.mark.slow  # real servers, processes, and many stores, each of which takes seconds

ROOT = Path(__file__).parents[3]


class Shown:
    """The content of a store, read by MLflow's client."""

    def __init__(self, directory: ExperimentDirectory, uri: str | None) -> None:
        store = own_store(directory) if uri is None else store_at(directory, uri)
        with store.client() as client:
            experiment = client.get_experiment_by_name(f"{directory.path.name}/invented")
            runs = client.search_runs([experiment.experiment_id])
            entered = records.read(Tracked, directory.tracked).runs
            now = [run for run in runs if run.info.run_id in entered.values()]
            self.runs = {run.data.tags["run"]: run for run in now}
            self.replaced = [run for run in runs if run not in now]
            self.steps, self.files, self.report = {}, {}, ""
            for name, run in self.runs.items():
                history = client.get_metric_history(run.info.run_id, "epoch/seconds")
                self.steps[name] = sorted(metric.step for metric in history)
                self.files[name] = _artifacts(client, run.info.run_id, None)
            if "summary of invented" in self.runs:
                run_id = self.runs["summary of invented"].info.run_id
                report = Path(client.download_artifacts(run_id, "report.html"))
                self.report = report.read_text()
            models = client.search_logged_models([experiment.experiment_id])
            self.models = sorted(model.source_run_id for model in models)
            self.tied = {
                (model.source_run_id, metric.key): metric.dataset_name
                for model in models
                for metric in model.metrics
            }
            name = re.sub("['\":]", "-", directory.path.name)
            registered = client.search_registered_models(f"name = '{name}-invented'")
            self.best = None
            if registered and BEST in registered[0].aliases:
                self.best = client.get_model_version_by_alias(registered[0].name, BEST)

    def assert_right(self, directory: ExperimentDirectory) -> None:
        """Compare all with the files."""
        experiment = load(directory.configuration)
        found, _ = entries_of(directory, experiment)
        found += summaries(directory, experiment, found, "")
        assert {entry.name for entry in found} == self.runs.keys()
        for entry in found:
            run = self.runs[entry.name]
            assert run.info.run_name == entry.label
            assert (run.info.status, run.info.end_time) == (entry.status, entry.ended)
            assert run.info.start_time == entry.began or entry.kind == "summary"
            assert run.data.params == entry.parameters
            assert entry.tags.items() <= run.data.tags.items()
            passing = {tag for tag in run.data.tags if tag == "failure" or tag[:6] == "claim."}
            assert passing <= entry.tags.keys()
            final = {key: round(value, 2) for key, value, _, _ in entry.final}
            assert final.items() <= run.data.metrics.items()
            note = entry.description.replace("RUN_ID", run.info.run_id)
            assert run.data.tags["mlflow.note.content"] == note
            assert self.steps[entry.name] == sorted({step for *_, step in entry.epochs})
            used = {one.tags[0].value: one.dataset.name for one in run.inputs.dataset_inputs}
            assert used == {split: one["name"] for split, one in entry.datasets.items()}
            if entry.ended is not None:
                files = {f"{folder}/{path.name}".removeprefix("/") for folder, path in entry.files}
                assert files <= {*self.files[entry.name]}
            assert self.models.count(run.info.run_id) == entry.has_model
            tied = self.tied.get((run.info.run_id, "test_perplexity"))
            assert tied == (f"{entry.corpus} test" if entry.has_model else None)
        reports = directory.report.read_text() if directory.report.exists() else ""
        assert self.report == reports


def _artifacts(client: Any, run_id: str, folder: str | None) -> list[str]:
    found = []
    for item in client.list_artifacts(run_id, folder):
        found += _artifacts(client, run_id, item.path) if item.is_dir else [item.path]
    return found


def right(directory: ExperimentDirectory, uri: str | None = None) -> Entered:
    """Enter an experiment, and see that the store is right; returns what was entered."""
    found = synchronise(directory, uri)
    shown = Shown(directory, uri)
    shown.assert_right(directory)
    assert {run.data.tags["kind"] for run in shown.replaced} <= {"earlier"}
    assert {run.info.run_id for run in shown.runs.values()} == {*found.runs.values()}
    assert records.read(Tracked, directory.tracked).runs == found.runs
    return found


WRITES = (
    *("create_experiment", "create_run", "log_batch", "log_inputs", "log_artifact"),
    *("create_logged_model", "log_model_artifacts", "log_outputs", "finalize_logged_model"),
    *("set_terminated", "set_tag", "delete_tag", "create_registered_model"),
    *("create_model_version", "set_registered_model_alias", "delete_experiment"),
)


def before_each_write(monkeypatch: pytest.MonkeyPatch, action: Callable[[str], object]) -> None:
    """Call `action` with the name of each method by which MLflow's client writes, before it."""
    client = mlflow().MlflowClient

    def preceded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def both(*arguments: Any, **more: Any) -> Any:
            action(name)
            return method(*arguments, **more)

        return both

    for name in WRITES:
        monkeypatch.setattr(client, name, preceded(name, getattr(client, name)))


def break_off(directory: ExperimentDirectory, epochs: int) -> Callable[[], None]:
    """Make a run look unfinished; return a function that finishes it."""
    run = directory.run(RUN)
    metrics, result = run.metrics.read_bytes(), run.result.read_bytes()
    run.result.unlink()
    run.metrics.write_bytes(b"".join(metrics.splitlines(keepends=True)[:epochs]))

    def finish() -> None:
        run.metrics.write_bytes(metrics)
        run.result.write_bytes(result)

    return finish


def keep_one_run(directory: ExperimentDirectory) -> None:
    for place in (*directory.runs.iterdir(), *(directory.path / "evaluations").iterdir()):
        if place.name != RUN:
            shutil.rmtree(place)


def configure(directory: ExperimentDirectory, **changes: Any) -> None:
    described = invented.experiment(**changes)
    write_json(directory.configuration, described.model_dump(mode="json"))


@slow
def test_a_store_follows_the_files(directory, uri, caplog, monkeypatch):
    """One experiment from its first epochs to its report, and changes after it."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")

    # It trains.
    finish, report = break_off(directory, 2), directory.report.read_text()
    directory.report.unlink()
    first = right(directory, uri).runs
    shown = Shown(directory, uri)
    assert shown.runs[RUN].info.status == "RUNNING" and shown.steps[RUN] == [1, 2]
    assert shown.best is None
    finish()
    finish = break_off(directory, 4)
    assert right(directory, uri).runs == first

    # It diverges, then it does not.
    identity = records.read(RunRecord, directory.run(RUN).record).identity
    diverged = run_divergence(identity=identity, reason="diverged in epoch 5")
    records.write(directory.run(RUN).result, diverged)
    assert right(directory, uri).runs == first
    assert Shown(directory, uri).runs[RUN].info.status == "FAILED"
    finish()
    directory.report.write_text(report)
    whole = right(directory, uri).runs
    assert first.items() <= whole.items()
    assert whole.keys() - first.keys() == {"summary of invented"}
    shown = Shown(directory, uri)
    assert shown.best.run_id in (whole[RUN], whole[SECOND])  # both seeds are equally good
    assert "@best" in shown.best.description and "test perplexity" in shown.best.description

    # Nothing has changed.
    writes: list[str] = []
    with monkeypatch.context() as patch:
        before_each_write(patch, writes.append)
        assert synchronise(directory, uri).runs == whole
    assert writes == []
    follow_changes(directory, uri, whole)
    files = [path.read_bytes() for path in directory.path.rglob("*") if path.is_file()]
    for secret in ("hunter2", os.environ.get("PGPASSWORD", "hunter2")):
        assert not any(secret.encode() in text for text in (*files, caplog.text.encode()))


def follow_changes(directory: ExperimentDirectory, uri: str | None, whole: dict[str, str]) -> None:
    """Change the results of an experiment that has been entered with the ids `whole`."""
    # Another test is added, and made again with another result.
    test = "document_vector+output.word.stream"
    asked = {"updates": [["document_vector", "output"]], "unit_of_text": ["stream"]}
    configure(directory, testing=asked)
    for perplexity in (99.0, 98.0):
        fake_experiment.write_evaluation(directory, RUN, test, perplexity)
        assert right(directory, uri).runs[RUN] == whole[RUN]
        metrics = Shown(directory, uri).runs[RUN].data.metrics
        key = f"test_perplexity_{test.replace('+', '_and_')}"
        assert metrics[key] == pytest.approx(perplexity)

    # The report is written again, and what was deleted in MLflow comes back.
    directory.report.write_text("<p>two</p>")
    os.utime(directory.report, (2e9, 2e9))
    with (own_store(directory) if uri is None else store_at(directory, uri)).client() as client:
        client.delete_run(whole[SECOND])
    again = right(directory, uri).runs
    assert again[SECOND] != whole[SECOND] and again[RUN] == whole[RUN]
    assert again["summary of invented"] == whole["summary of invented"]

    # The best row leaves the configuration.
    configure(directory, rows=invented.ROWS[:1])
    left = right(directory, uri)
    assert {entry.name for entry in left.entries if entry.kind == "earlier"} == {RUN, SECOND}
    assert Shown(directory, uri).best.run_id in [
        id for name, id in left.runs.items() if "D0" in name
    ]

    # Another training, by other code, takes a run's place.
    run = next(run for run in invented.experiment().runs() if run.name == RUN)
    fake_experiment.write_run(directory, fake_experiment.resolve(run, directory), {}, salt="again")
    last = right(directory, uri).runs
    assert last[RUN] != left.runs[RUN]
    [old] = Shown(directory, uri).replaced
    assert (old.info.run_id, old.data.tags["kind"]) == (left.runs[RUN], "earlier")


class Killed(BaseException):
    """The end of a process."""


def test_it_goes_on_after_a_kill_at_any_write(directory, monkeypatch):
    keep_one_run(directory)
    left = killed = 0

    def count(name: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    while True:
        left = killed
        with monkeypatch.context() as patch:
            before_each_write(patch, count)
            try:
                synchronise(directory)
            except Killed:
                killed += 1
            else:
                break
    assert killed >= 10
    right(directory)


def update_mlflow(directory: ExperimentDirectory) -> None:
    directory.store.write_bytes(b"another version's")
    [folder] = directory.artifacts.iterdir()
    folder.rename(folder.with_name("own-another"))


SPOILT = {
    "deleted": lambda directory: directory.store.unlink(),
    "without artifacts": lambda directory: shutil.rmtree(directory.artifacts),
    "moved": lambda directory: directory.path.rename(directory.path.with_name('it\'s "m": yes')),
    "of another MLflow": update_mlflow,
}


@slow
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_store_that_does_not_fit_is_made_again(directory, spoilt):
    keep_one_run(directory)
    before = synchronise(directory).runs
    folder = directory.path.parent
    SPOILT[spoilt](directory)
    # MLflow looks at a database once in a process.
    service = import_module("mlflow.tracking._tracking_service.utils")
    service._tracking_store_registry._get_store_with_resolved_uri.cache_clear()
    [place] = folder.iterdir()
    found = right(ExperimentDirectory(place))
    assert not {*found.runs.values()} & {*before.values()}
    [artifacts] = (place / "mlartifacts").iterdir()
    assert Shown(ExperimentDirectory(place), None).best.source.startswith(artifacts.as_uri())


@slow
def test_a_run_that_is_deleted_with_its_row_is_an_earlier_one(directory):
    right(directory)
    configure(directory, rows=invented.ROWS[:1])
    for name in (RUN, SECOND):
        shutil.rmtree(directory.run(name).path)
    right(directory)
    replaced = Shown(directory, None).replaced
    assert {run.data.tags["run"] for run in replaced} == {RUN, SECOND}


def test_a_training_in_two_folders_is_entered_once(directory):
    experiment = load(directory.configuration)
    before, _ = entries_of(directory, experiment)
    first = min(before, key=lambda entry: entry.name)
    shutil.copytree(directory.run(first.name).path, directory.runs / f"0-{first.name}")
    after, errors = entries_of(directory, experiment)
    assert {entry.name for entry in after} == {entry.name for entry in before} and errors == []


@slow
def test_another_store_leaves_the_record_of_the_configured_one(directory, tmp_path):
    keep_one_run(directory)
    configure(directory, tracking={"store": f"sqlite:///{tmp_path / 'configured.db'}"})
    synchronise(directory)
    assert not directory.tracked.exists()
    synchronise(directory, f"sqlite:///{tmp_path / 'configured.db'}")
    assert directory.tracked.exists()


@slow
def test_two_processes_make_one_store(directory):
    command = [sys.executable, "-m", "online_rnnlm", "track", str(directory.path)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    said = [process.communicate() for process in processes]
    assert said == [("5 entries, 0 of them of runs not finished yet\n", "")] * 2
    right(directory)


@slow
def test_who_watches_goes_on_until_the_parent_ends(directory, monkeypatch, caplog):
    """In the pauses, a damaged file is mended, the run ends, and a job begins to make it anew."""
    keep_one_run(directory)
    finish, run, epochs = break_off(directory, 2), directory.run(RUN), list[int]()
    whole = run.metrics.read_bytes()
    run.metrics.write_bytes(b"z")
    changes = iter([None, lambda: run.metrics.write_bytes(whole), finish, run.record.unlink, None])

    def pause(seconds: float) -> None:
        if run.metrics.read_bytes() != b"z":
            with own_store(directory).client() as client:
                experiment = client.get_experiment_by_name(f"{directory.path.name}/invented")
                runs = client.search_runs([experiment.experiment_id], f"tags.run = '{RUN}'")
                history = client.get_metric_history(runs[0].info.run_id, "epoch/seconds")
            epochs.append(len(history))
        if (change := next(changes)) is not None:
            change()

    parents = iter([7] * 6 + [1])
    monkeypatch.setattr(synchronisation.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(synchronisation.os, "nice", lambda _: 0)
    monkeypatch.setattr(synchronisation.time, "sleep", pause)
    watch(directory, None, 5.0)
    assert epochs[0] == 2 < epochs[1] == epochs[2]
    [said] = caplog.messages
    assert said.startswith(f"{run.metrics}, line 1: damaged") and "runs go on" in said


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://me:open-sesame@host", "--store: not an address of a store; allowed: http://HOST"),
        *(("sqlite:///{folder}", "MLflow at {uri}: "), ("sqlite:///{text}", "MLflow at {uri}: ")),
        ("mysql://host/database", "MLflow at {uri}: the driver of this kind"),
        ("http://127.0.0.1:{port}", "MLflow at {uri}: the server does not answer"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(directory, monkeypatch, uri, message):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    text = directory.path / "some.txt"
    text.write_text("no database, " * 99)
    uri = uri.format(folder=directory.path, port=free_port(), text=text)
    with pytest.raises(UserError) as error:
        synchronise(directory, uri)
    assert message.format(uri=uri) in str(error.value)
    assert "\n" not in str(error.value) and "open-sesame" not in str(error.value)


def test_a_password_in_another_programs_message_is_left_out():
    said = r"here: proxy http://\*\*\*@proxy: refused"
    with pytest.raises(UserError, match=said), one_line_errors("here"):
        raise OSError("proxy http://me:open-sesame@proxy:\nrefused")


@slow
def test_others_entries_on_a_server_are_left_alone(directory, server, tmp_path):
    """Another folder has the same name, and one run of the same training."""
    keep_one_run(directory)
    ours = synchronise(directory, server).runs
    other = ExperimentDirectory(tmp_path / "elsewhere" / directory.path.name)
    shutil.copytree(directory.path, other.path)
    other.folder.unlink()
    result = records.read(RunResult, other.run(RUN).result)
    records.write(other.run(RUN).result, result.model_copy(update={"words_per_second": 1.0}))
    theirs = synchronise(other, server).runs
    assert theirs[RUN] == ours[RUN]
    assert theirs["summary of invented"] != ours["summary of invented"]
    assert synchronise(directory, server).runs == ours
    with store_at(directory, server).client() as client:
        assert client.get_run(ours[RUN]).data.metrics["training/words_per_second"] > 1
