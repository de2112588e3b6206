"""Tests that MLflow shows what an experiment's files say, and each run once."""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import STORE, StoreError, mlflow, one_line_errors
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.experiments import Claims
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, read_epochs
from online_rnnlm.tracking import runs
from online_rnnlm.tracking.experiments import enter_all, enter_summary
from online_rnnlm.tracking.live_log import LiveLog
from online_rnnlm.tracking.runs import enter_run
from online_rnnlm.tracking.store import open_store
from tests.processes import free_port
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import diverge, diverge_evaluation
from tests.unit.tracking.two_networks import RUN, STATIC, experiment

pytestmark = [
    pytest.mark.slow,  # real stores and servers of MLflow
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


def shown(run_id: str) -> Any:
    """Return MLflow's run of that id from the store that was opened last."""
    return mlflow().get_run(run_id)


def trained(experiment_id: str) -> Any:
    """Return the only entry of a training, whose evaluations are children of it."""
    [run] = mlflow().search_runs([experiment_id], "tags.kind = 'online'", output_format="list")
    return run


def files_of(run_id: str, folder: str | None = None) -> list[str]:
    found = mlflow().artifacts.list_artifacts(run_id=run_id, artifact_path=folder)
    return sorted(file.path for file in found)


def history(run_id: str, key: str) -> list[Any]:
    return sorted(mlflow().MlflowClient().get_metric_history(run_id, key), key=lambda one: one.step)


def record_of(directory: ExperimentDirectory, name: str) -> RunRecord:
    return records.read(RunRecord, directory.run(name).record)


def test_a_run_is_entered_once_and_says_what_its_files_say(directory, named_store):
    experiment_id = open_store(directory)
    run_id = enter_run(directory, experiment_id, RUN)
    assert enter_run(directory, experiment_id, RUN) == run_id
    run = trained(experiment_id)
    record = record_of(directory, RUN)
    epochs = read_epochs(directory.run(RUN))
    assert (run.info.run_name, run.info.status) == ("100/20, seed 1", "FINISHED")
    assert run.info.start_time == 1000 * record.began.timestamp()
    assert run.info.end_time - run.info.start_time == 600_000
    told = {"kind": "online", "network": "100/20", "identity": record.identity}
    assert {key: run.data.tags[key] for key in told} == told
    assert run.data.params["learning_rate"] == "0.1" and run.data.params["cell"] == "sigmoid"
    for ending, evaluation in (("", "document_vector"), ("_frozen", "none")):
        test = records.read(Evaluation, directory.evaluation(RUN, evaluation))
        perplexity = round(test.splits["test"].perplexity, 2)
        assert run.data.metrics[f"perplexity/test{ending}"] == perplexity
    assert run.data.metrics["multiply_adds_per_word"] == 30_930
    curve = history(run_id, "perplexity/valid")
    assert [(one.step, one.value) for one in curve] == [
        (epoch.epoch, round(epoch.valid_perplexity, 2)) for epoch in epochs
    ]
    times = [one.timestamp for one in curve]
    assert times[0] == run.info.start_time + round(1000 * epochs[0].seconds)  # it says no time
    assert times[1] == round(1000 * epochs[1].ended.timestamp())
    written = ["evaluations", "metrics.jsonl", "result.json", "run.json", "train.log"]
    assert files_of(run_id) == written
    assert len(files_of(run_id, "evaluations")) == 2
    assert len(run.outputs.model_outputs) == 1
    assert f"runs:/{run_id}/model" in run.data.tags["mlflow.note.content"]
    assert run.data.tags["mlflow.user"] and Path(run.data.tags["mlflow.source.name"]).is_dir()
    [corpus] = run.inputs.dataset_inputs
    assert (corpus.dataset.name, corpus.dataset.digest) == ("invented", record.corpus_digest[:36])


def test_each_evaluation_says_what_was_updated_and_when_it_was_forgotten(directory):
    experiment_id = open_store(directory)
    for _ in range(2):  # once, however often the run is entered
        run_id = enter_run(directory, experiment_id, RUN)
    children = mlflow().search_runs(
        [experiment_id],
        f"tags.`mlflow.parentRunId` = '{run_id}'",
        order_by=["tags.updated"],
        output_format="list",
    )
    told = [(run.data.tags["updated"], run.data.tags["forgotten_at"]) for run in children]
    assert told == [("document_vector", "sentence"), ("none", "sentence")]
    for run in children:
        test = records.read(Evaluation, directory.evaluation(RUN, run.data.tags["updated"]))
        perplexity = round(test.splits["test"].perplexity, 2)
        assert run.data.metrics["perplexity/test"] == perplexity
        changed = round(test.costs.parameters_touched_per_word)
        assert run.data.metrics["numbers_changed_per_word"] == changed


def test_a_killed_entry_is_completed(directory, monkeypatch):
    class Killed(BaseException):
        """The end of a process."""

    def kill(run: object) -> None:
        raise Killed

    experiment_id = open_store(directory)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(runs, "log_model", kill)
        enter_run(directory, experiment_id, RUN)
    run_id = enter_run(directory, experiment_id, RUN)
    run = trained(experiment_id)
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert len(run.outputs.model_outputs) == 1


def test_a_diverged_run_is_failed_with_its_reason(directory):
    experiment_id = open_store(directory)
    diverge_evaluation(directory, RUN, "document_vector", "on test")
    diverge(directory, STATIC, "in epoch 3")
    for name, reason in ((RUN, "on test"), (STATIC, "in epoch 3")):
        run = shown(enter_run(directory, experiment_id, name))
        assert (run.info.status, run.data.tags["mlflow.note.content"]) == ("FAILED", reason)
        assert not run.outputs.model_outputs


def test_a_run_of_the_search_has_neither_tests_nor_a_model(tmp_path):
    """It may have been copied from evidence, without its log."""
    rows = [{"hidden_size": 100, "cell": "lstm", "document_size": 0}]
    searched = experiment(search={"learning_rate": [0.1, 0.4]}, rows=rows, seeds=[1])
    directory = fake_experiment.write(tmp_path / "searched", searched)
    name = searched.search_runs()[1].name
    directory.run(name).log.unlink()
    experiment_id = open_store(directory)
    run = shown(enter_run(directory, experiment_id, name))
    assert run.info.run_name == "LSTM 100/0, learning rate 0.4, seed 0"
    assert (run.data.tags["kind"], run.info.status) == ("search", "FINISHED")
    assert not run.outputs.model_outputs and "perplexity/valid_best" in run.data.metrics
    assert "perplexity/test" not in run.data.metrics


def test_the_summary_has_the_report_and_the_best_model(directory, server, monkeypatch):
    """In a store of the experiment's own, the browser sees it."""
    monkeypatch.setenv(STORE, server)
    experiment_id = open_store(directory)
    assert enter_all(directory, experiment_id) == 4
    first = enter_summary(directory, experiment_id)
    directory.report.write_text("<p>two</p>")
    run_id = enter_summary(directory, experiment_id)
    assert run_id == first and shown(run_id).info.status == "FINISHED"
    told = mlflow().get_experiment(experiment_id).tags["mlflow.note.content"]
    assert f"path=report.html&run_uuid={run_id}" in told and "100/20 is better" in told
    assert f"path=figures/test_perplexity.png&run_uuid={run_id}" in told
    report = mlflow().artifacts.download_artifacts(run_id=run_id, artifact_path="report.html")
    assert Path(report).read_text() == "<p>two</p>"
    assert files_of(run_id) == ["claims.json", "figures", "report.html", "tables"]
    claims = records.read(Claims, directory.claims)
    [verdict] = [claim.verdict for claim in claims.claims if claim.letter == "c"]
    assert shown(run_id).data.tags["claim.c.invented"] == f"{verdict} 1"
    counts = shown(run_id).data.metrics
    assert counts.pop("claims/not_tested") == len(claims.not_tested)
    assert counts["claims/supported"] >= 1 and sum(counts.values()) == len(claims.claims)
    best = (
        mlflow()
        .MlflowClient()
        .get_model_version_by_alias(f"{directory.path.name}-invented", "best")
    )
    assert str(best.version) == "1" and shown(best.run_id).data.tags["network"] == "100/20"


def test_epochs_are_shown_while_a_run_trains_and_the_rule_goes_on_there(
    directory, server, monkeypatch
):
    """The job is resumed once; epochs that a server missed are entered with the next one."""
    monkeypatch.setenv(STORE, server)
    epochs = read_epochs(directory.run(RUN))
    log = LiveLog(directory, RUN)
    log(epochs[:1])
    log(epochs[:2])
    LiveLog(directory, RUN)(epochs[:4])
    experiment_id = open_store(directory)
    run = trained(experiment_id)
    assert run.info.status == "RUNNING"
    steps = [one.step for one in history(run.info.run_id, "perplexity/valid")]
    assert steps == [1, 2, 3, 4]
    assert enter_run(directory, experiment_id, RUN) == run.info.run_id
    steps = [one.step for one in history(run.info.run_id, "perplexity/valid")]
    assert steps == [epoch.epoch for epoch in epochs]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_server_that_is_away_or_a_damaged_record_is_one_warning_and_no_error(
    directory, monkeypatch, caplog, damaged
):
    uri = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv(STORE, uri)
    epochs = read_epochs(directory.run(RUN))
    if damaged:
        directory.run(RUN).record.write_text("{", encoding="utf-8")
    log = LiveLog(directory, RUN)
    with caplog.at_level(logging.WARNING):
        for number in (1, 2):
            log(epochs[:number])
    [said] = caplog.messages
    assert ("run.json" if damaged else f"MLflow at {uri}") in said and "the run goes on" in said


def test_without_a_server_training_logs_nothing(directory):
    directory.store.unlink()
    LiveLog(directory, RUN)(read_epochs(directory.run(RUN)))
    assert not directory.store.exists()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mysql://host/database", "MLflow at {uri}: "),
        ("http://me:open-sesame@127.0.0.1:{port}", "MLflow at http://***@127.0.0.1"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(directory, monkeypatch, uri, message):
    uri = uri.format(port=free_port())
    monkeypatch.setenv(STORE, uri)
    with pytest.raises(UserError) as error, one_line_errors():
        open_store(directory)
    assert message.format(uri=uri) in str(error.value)
    assert "\n" not in str(error.value) and "open-sesame" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "kind", "tries"), [("hangs up", "http", 2), ("never", "postgresql", 1)]
)
def test_a_store_that_is_away_is_given_up_after_few_tries(
    directory, monkeypatch, answer, kind, tries
):
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):  # it is closed at the end
                while True:
                    held.append(server.accept()[0])
                    if answer == "hangs up":
                        held[-1].close()

        threading.Thread(target=accept, daemon=True).start()
        for variable in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "PGCONNECT_TIMEOUT"):
            monkeypatch.setenv(variable, "2")  # a user's own value
        monkeypatch.setenv(STORE, f"{kind}://me@127.0.0.1:{server.getsockname()[1]}/store")
        with pytest.raises(StoreError), one_line_errors():
            open_store(directory)
        server.shutdown(socket.SHUT_RDWR)
    assert len(held) == tries
    for connection in held:
        connection.close()


def test_a_store_that_is_read_only_is_one_line(directory, monkeypatch, refused, tmp_path):
    """The workflow takes this status for that of a store that is away."""
    monkeypatch.chdir(tmp_path)  # MLflow makes a folder of the address's name
    open_store(directory)
    monkeypatch.setenv(STORE, f"sqlite:///file:{directory.store}?mode=ro&uri=true")
    line = refused("track", directory.path, status=os.EX_TEMPFAIL)
    assert "attempt to write a readonly database" in line and "SQL:" not in line


def test_the_verb_enters_a_run_or_all(directory, run):
    """It prints MLflow's id of a run, which the workflow keeps."""

    def track(*options: str) -> str:
        found = run("track", directory.path, *options)
        assert found.status == 0, found.err
        return str(found.out)

    directory.store.unlink()
    assert track("--store") == "1\n" and directory.store.is_file()
    directory.evaluation(STATIC, "none").unlink()  # it has not been tested yet
    assert track() == "3 runs entered\n"
    assert shown(track("--run", RUN).strip()).data.tags["network"] == "100/20"
    assert shown(track("--summary").strip()).data.tags["kind"] == "summary"
