"""Tests of the line that shows the progress of a workflow."""

import logging
from types import SimpleNamespace

import pytest

from online_rnnlm.config.loading import parse
from online_rnnlm.pipeline import progress
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.pipeline.test_resources import EXPERIMENT

CORES = 2
OF_TWO_CORPORA = {
    "experiment": "two",
    "corpora": {name: {"source": {"kind": "wikipedia-excerpt"}} for name in ("first", "second")},
    "rows": [{"hidden_size": 100}],
}


def planned(number, evaluation="none"):
    return SimpleNamespace(
        number=number,
        rule=SimpleNamespace(name="evaluate"),
        params=SimpleNamespace(evaluation=evaluation),
        wildcards=SimpleNamespace(),
        threads=1,
    )


def training(number, run):
    return SimpleNamespace(
        number=number,
        rule=SimpleNamespace(name="train"),
        wildcards=SimpleNamespace(run=run.name),
        threads=1,
    )


def workflow_of(jobs):
    return SimpleNamespace(
        dag=SimpleNamespace(jobid=lambda job: job.number, needrun_jobs=lambda: jobs),
        resource_settings=SimpleNamespace(nodes=None, cores=CORES),
    )


def record(event, level=logging.INFO, **values):
    made = logging.LogRecord("snakemake.logging", level, __file__, 1, "said", (), None)
    vars(made).update(event=event, **values)
    return made


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def shown(tmp_path, capsys, clock):
    made = progress.Progress(EXPERIMENT, ExperimentDirectory(tmp_path))
    made.begin(workflow_of([planned(number) for number in range(3)]))
    return made


def run_job(shown, number, clock, seconds):
    shown.note(record("job_info", jobid=number, rule_msg=f"Test {number}", log=[]))
    clock.seconds += seconds
    shown.note(record("job_finished", job_id=number))


def test_each_job_that_ends_is_a_line_with_the_time_left_on_all_cores(shown, clock, capsys):
    for number in range(3):
        run_job(shown, number, clock, 600.0)
    assert capsys.readouterr().err.splitlines() == [
        "1 of 3 done, 10 min left: Test 0 (10 min)",  # two jobs of ten minutes on two cores
        "2 of 3 done, 5 min left: Test 1 (10 min)",
        "3 of 3 done: Test 2 (10 min)",
    ]


def test_the_first_training_that_ends_gives_the_pace_of_larger_ones(
    tmp_path, clock, capsys, monkeypatch
):
    rows = [{"corpora": ["first"], "hidden_size": [100, 200]}]
    experiment = parse(OF_TWO_CORPORA | {"rows": rows})
    small, large = experiment.trainings()
    costs = {small.name: 1e6, large.name: 2e6}
    monkeypatch.setattr(
        progress,
        "workload_of",
        lambda _, __, run: SimpleNamespace(tokens=1e6, training_cost=costs[run.name]),
    )
    shown = progress.Progress(experiment, ExperimentDirectory(tmp_path))
    shown.begin(workflow_of([training(0, small), training(1, large)]))
    run_job(shown, 0, clock, 600.0)
    assert "1 of 2 done, 10 min left" in capsys.readouterr().err  # twenty, shared by two cores


def test_a_job_that_was_stopped_for_days_hardly_changes_the_time_left(tmp_path, clock, capsys):
    shown = progress.Progress(EXPERIMENT, ExperimentDirectory(tmp_path))
    shown.begin(workflow_of([planned(number) for number in range(6)]))
    for number, seconds in enumerate((600.0, 600.0, 3e5, 600.0)):
        run_job(shown, number, clock, seconds)
    assert "4 of 6 done, 10 min left" in capsys.readouterr().err


def test_a_run_has_its_network_and_among_several_its_corpus(tmp_path, clock, capsys):
    parsed = parse(OF_TWO_CORPORA)
    shown = progress.Progress(parsed, ExperimentDirectory(tmp_path))
    shown.begin(workflow_of([planned(0)]))
    run = parsed.runs()[1]
    shown.note(record("job_info", jobid=0, rule_msg=f"Test {run.name}: none", log=[]))
    assert "Test 100/0, seed 1 on second: nothing learns" in shown.line(100)


def test_a_job_that_failed_and_begins_again_is_counted_once(shown, clock, capsys):
    shown.note(record("job_info", jobid=0, rule_msg="Test 0", log=[]))
    clock.seconds += 600.0
    shown.note(record("job_error", logging.ERROR, jobid=0))
    run_job(shown, 0, clock, 60.0)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("1 of 3 done") and line.endswith("(1 min)")


def test_the_line_has_all_that_runs_and_what_their_logs_say_last(shown, clock, tmp_path):
    run_job(shown, 0, clock, 60.0)
    for number in (1, 2):
        log = tmp_path / f"{number}.log"
        log.write_text(f"first\nlast of {number}: {'long ' * 99}\n", encoding="utf-8")
        shown.note(record("job_info", jobid=number, rule_msg=f"Test {number}", log=[str(log)]))
    line = shown.line(100)
    assert line.startswith("1 of 3 done, 1 min left; Test 1: last of 1")
    assert "; Test 2: last of 2" in line and len(line) <= 100
    assert len(shown.line(10)) <= 10


@pytest.mark.parametrize(
    ("level", "values", "shows"),
    [
        (logging.INFO, {"event": "job_info"}, False),
        (logging.ERROR, {"event": "job_error"}, False),
        (logging.ERROR, {"event": "error", "exception": "MissingOutputException"}, True),
        (logging.ERROR, {"event": "error", "exception": "RuleException"}, True),
        (logging.ERROR, {"event": None}, True),
    ],
)
def test_an_error_that_no_jobs_log_has_is_shown(level, values, shows):
    assert progress.is_error(record(level=level, **values)) is shows


def test_a_command_that_failed_has_said_so_in_its_log():
    said = record("error", logging.ERROR, exception="RuleException")
    said.msg = "RuleException:\nCalledProcessError in file ..."
    assert not progress.is_error(said)
