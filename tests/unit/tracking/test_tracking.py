import os
import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from online_rnnlm import tracking
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, read_json

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own

GENERATOR = Path(__file__).parents[1] / "analysis" / "fake_experiment.py"
RUN = "invented-M100-D20-seed1"


@pytest.fixture(scope="module")
def fake() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(GENERATOR)))


@pytest.fixture(scope="module")
def directory(
    fake: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> ExperimentDirectory:
    """An experiment with a store that was made before any run: the tests share it."""
    path = tmp_path_factory.mktemp("tracking") / "invented"
    tracking.create_store(ExperimentDirectory(path))
    made: ExperimentDirectory = fake.write(path, fake.experiment())
    return made


def _entries(directory: ExperimentDirectory) -> list[Any]:
    with tracking._client(directory.store) as client:
        experiment = client.get_experiment_by_name("invented").experiment_id
        return list(client.search_runs([experiment], order_by=["attributes.run_name"]))


def _of(directory: ExperimentDirectory, name: str) -> list[Any]:
    return [entry for entry in _entries(directory) if entry.data.tags["run"] == name]


def _view(directory: ExperimentDirectory) -> list[tuple[Any, ...]]:
    """All that a store says, but for MLflow's own ids."""
    return [
        (
            *(entry.info.run_name, entry.info.status, entry.info.start_time, entry.info.end_time),
            entry.data.params,
            entry.data.metrics,
            {key: value for key, value in entry.data.tags.items() if not key.startswith("mlflow.")},
            sorted(path.name for path in (directory.artifacts / entry.info.run_id).rglob("*.*")),
        )
        for entry in _entries(directory)
    ]


def test_an_entry_has_all_there_is_to_compare(directory: ExperimentDirectory) -> None:
    run_id = tracking.track(directory, RUN)
    [entry] = _of(directory, RUN)
    assert entry.info.run_id == run_id
    assert entry.data.params["learning_rate"] == "0.1"
    assert entry.data.tags["model"] == "100/20"
    assert entry.data.tags["kind"] == "online"
    assert (directory.path / entry.data.tags["weights"]).is_file()
    still = read_json(directory.evaluation(RUN, "none"))["splits"]["test"]["perplexity"]
    online = read_json(directory.evaluation(RUN, "document_vector"))["splits"]["test"]["perplexity"]
    assert entry.data.metrics["test_perplexity"] == online
    assert entry.data.metrics["test_perplexity_vector_still"] == still
    epochs = directory.run(RUN).metrics.read_text().count("\n")
    with tracking._client(directory.store) as client:
        history = client.get_metric_history(run_id, "epoch/valid_perplexity")
    assert [metric.step for metric in history] == list(range(1, epochs + 1))
    stored = {path.name for path in (directory.artifacts / run_id).rglob("*.*")}
    assert {"run.json", "metrics.jsonl", "result.json", "train.log", "epochs.json"} <= stored
    assert {"none.json", "none.parquet", "document_vector.parquet"} <= stored
    assert "model.npz" not in stored


def test_what_else_learns_during_testing_is_entered_too(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    old, evaluation = tracking.track(directory, RUN), "document_vector+output.word.stream"
    fake.write_evaluation(directory, RUN, evaluation, 99.0)
    new = tracking.track(directory, RUN)
    assert new != old
    [entry] = _of(directory, RUN)
    metrics = entry.data.metrics
    ending = "document_vector_and_output.word.stream"
    assert metrics[f"test_perplexity_{ending}"] == pytest.approx(99.0)
    assert f"train_perplexity_{ending}" not in metrics
    stored = {path.name for path in (directory.artifacts / new).rglob("*.*")}
    assert {f"{evaluation}.json", f"{evaluation}.parquet"} <= stored
    for path in directory.evaluation(RUN, "none").parent.glob(f"{evaluation}.*"):
        path.unlink()  # the directory is shared


def test_twice_makes_one_entry(directory: ExperimentDirectory) -> None:
    assert tracking.track(directory, RUN) == tracking.track(directory, RUN)
    assert len(_of(directory, RUN)) == 1
    identity = read_json(directory.run(RUN).run)["identity"]
    assert read_json(directory.tracked(RUN))["identity"] == identity


def test_a_renamed_entry_is_still_found(directory: ExperimentDirectory) -> None:
    run_id = tracking.track(directory, RUN)
    with tracking._client(directory.store) as client:
        client.update_run(run_id, name="my favourite")
    assert tracking.track(directory, RUN) == run_id
    with tracking._client(directory.store) as client:
        client.update_run(run_id, name=RUN)


def test_another_training_under_the_same_name_takes_its_place(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    [run] = [run for run in fake.experiment().runs() if run.name == "invented-M120-D0-seed1"]
    old = tracking.track(directory, run)
    fake.write_run(directory, run, {}, salt="again")
    new = tracking.track(directory, run)
    assert new != old
    assert [entry.info.run_id for entry in _of(directory, run.name)] == [new]
    assert not (directory.artifacts / old).exists()


def test_a_kill_half_way_is_mended(directory: ExperimentDirectory) -> None:
    name = "invented-M100-D35-seed1"
    code = f"""
        import os, signal
        from pathlib import Path
        from online_rnnlm import tracking
        from online_rnnlm.runs import ExperimentDirectory
        tracking._end = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        tracking.track(ExperimentDirectory(Path({str(directory.path)!r})), {name!r})
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not directory.tracked(name).exists()
    [half] = _of(directory, name)
    run_id = tracking.track(directory, name)
    assert half.info.run_id != run_id
    [entry] = _of(directory, name)
    assert entry.info.status == "FINISHED"


def test_four_processes_lose_nothing_even_on_a_fresh_store(
    fake: SimpleNamespace, tmp_path: Path
) -> None:
    directory = fake.write(tmp_path / "invented", fake.experiment())
    names = [run.name for run in fake.experiment().runs()][:4]
    code = """
        import sys
        from pathlib import Path
        from online_rnnlm import tracking
        from online_rnnlm.runs import ExperimentDirectory
        tracking.track(ExperimentDirectory(Path(sys.argv[1])), sys.argv[2])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(directory.path)]
    processes = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in names
    ]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert said == [(b"", b"")] * 4  # MLflow's chatter is silenced
    assert len(_entries(directory)) == 5
    for name in names:
        [entry] = _of(directory, name)
        assert read_json(directory.tracked(name))["mlflow_run_id"] == entry.info.run_id


def test_a_rebuilt_and_a_moved_store_say_the_same(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    tracking.create_store(directory)
    before = _view(directory)
    assert len(before) == 5
    directory.store.unlink()
    tracking.create_store(directory)
    assert _view(directory) == before
    moved = ExperimentDirectory(tmp_path / "invented")
    shutil.copytree(directory.path, moved.path)
    tracking.create_store(moved)
    assert _view(moved) == before
    with tracking._client(moved.store) as client:
        experiment = client.get_experiment_by_name("invented")
    assert experiment.artifact_location == moved.artifacts.as_uri()


def test_the_report_is_replaced_when_it_changes(directory: ExperimentDirectory) -> None:
    directory.report.write_text("<p>one</p>")
    first = tracking.track_report(directory)
    assert tracking.track_report(directory) == first
    directory.report.write_text("<p>two</p>")
    second = tracking.track_report(directory)
    [entry] = _of(directory, "report")
    assert entry.info.run_id == second != first
    assert entry.data.tags["kind"] == "report"
    assert (directory.artifacts / second / "artifacts" / "report.html").read_text() == "<p>two</p>"
    directory.report.unlink()
    with tracking._client(directory.store) as client:
        client.delete_run(second)


def test_an_unfinished_run_is_named(directory: ExperimentDirectory) -> None:
    with pytest.raises(UserError, match="`nothing` is not finished"):
        tracking.track(directory, "nothing")


def test_a_broken_store_is_named(tmp_path: Path) -> None:
    directory = ExperimentDirectory(tmp_path)
    directory.store.write_bytes(b"this is no database, " * 99)
    with pytest.raises(UserError, match=f"{directory.store}: .*delete it"):
        tracking.create_store(directory)


def test_a_locked_database_is_waited_for(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    exception = tracking._mlflow().exceptions.MlflowException
    answers: Iterator[Any] = iter([exception("database is locked"), "entered"])

    def action() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert tracking._retrying(action) == "entered"
    with pytest.raises(UserError, match="stayed locked"):
        tracking._retrying(lambda: (_ for _ in ()).throw(exception("database is locked")))
    with pytest.raises(UserError, match="MLflow: out of luck"):
        tracking._retrying(lambda: (_ for _ in ()).throw(exception("out of luck")))


def test_the_interface_is_for_this_machine_only(directory: ExperimentDirectory) -> None:
    command = tracking.ui_command(directory, 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--workers") + 1] == "1"
    uri = command[command.index("--backend-store-uri") + 1]
    assert uri == f"sqlite:///{directory.store.resolve()}"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
