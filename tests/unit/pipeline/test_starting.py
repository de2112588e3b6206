"""Tests of the start and the end of Snakemake's main process."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake import cli
from snakemake.settings.types import MaxJobsPerTimespan, SchedulingSettings
from snakemake_interface_logger_plugins.common import LogEvent

from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.pipeline import starting
from online_rnnlm.process import stop_signals
from online_rnnlm.process.stop_signals import FORCED
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.pipeline.test_resources import EXPERIMENT


@pytest.fixture
def directory(tmp_path):
    return ExperimentDirectory(tmp_path / "results" / "some")


@pytest.fixture
def begin(directory, monkeypatch):
    """A function that begins a start with options of Snakemake."""
    monkeypatch.setattr(stop_signals.signal, "signal", lambda *_: None)
    monkeypatch.setattr(logging.getLogger("snakemake.logging"), "filters", [])
    monkeypatch.delenv(FORCED, raising=False)
    begun = []

    def begin(executor="local", **options):
        usual = {"forceall": False, "forcetargets": False, "forcerun": set(), "targets": set()}
        settings = SimpleNamespace(**(usual | options))
        start = starting.Start(EXPERIMENT, directory)
        begun.append(start)
        start.begin(
            SimpleNamespace(
                executor_plugin=SimpleNamespace(name=executor),
                dag_settings=settings,
                dag=SimpleNamespace(needrun_jobs=list),
                resource_settings=SimpleNamespace(nodes=None, cores=1),
            )
        )
        return start

    yield begin
    for start in begun:
        if start._lock:
            start._lock.close()
    os.environ.pop(FORCED, None)


def _fail(rule, *logs):
    """Log what Snakemake logs of a failed job."""
    more = {"event": LogEvent.JOB_ERROR, "rule_name": rule, "log": [str(log) for log in logs]}
    logging.getLogger("snakemake.logging").error("Error in rule", extra=more)


def test_the_errors_of_the_jobs_that_failed_are_repeated(begin, directory, caplog):
    caplog.set_level(logging.INFO, "snakemake.logging")
    start = begin()
    for name, text in (
        ("again", "epoch 1\n"),
        ("bad", f"reading\n{ERROR_MARK}no text\n{ERROR_MARK}no title\n"),
        ("told", "epoch 1\nstopped by SIGTERM: the next attempt goes on from there\n"),
        ("killed", "epoch 1\n"),
        ("broken", "Traceback (most recent call last):\nKeyError: 'word'\n"),
        ("good", f"{ERROR_MARK}of an earlier start\n"),
    ):
        directory.log(name).parent.mkdir(parents=True, exist_ok=True)
        directory.log(name).write_text(text, encoding="utf-8")
    for name in ("again", "bad", "told", "killed", "broken"):
        _fail("train", directory.log(name))
    for name in ("again", "good"):  # the next attempt of the first does not fail
        more = {"event": LogEvent.JOB_INFO, "rule_name": name, "log": [str(directory.log(name))]}
        logging.getLogger("snakemake.logging").info("A job", extra=more)
    *known, told, killed, broken = start.errors()
    assert known == [f"{ERROR_MARK}no text", f"{ERROR_MARK}no title"]
    assert told == "train: stopped by SIGTERM: the next attempt goes on from there"
    assert "memory" in killed and "train" in killed and "logs/killed.log" in killed
    assert "a fault of this program: KeyError: 'word'" in broken and "logs/broken.log" in broken


def test_after_ctrl_c_one_line_is_said(begin, directory, caplog):
    start = begin()
    start._interrupts.received = 1
    _fail("train", directory.log("killed"))
    logging.getLogger("snakemake.logging").error("Terminating processes")
    assert start.errors() == ["Stopped: the same command goes on from here."]
    assert not any(start.shows(record) for record in caplog.records)


@pytest.mark.parametrize(
    ("options", "forced"),
    [
        ({}, False),
        ({"forcerun": {"encode"}}, False),
        ({"forcerun": {"train"}}, True),
        ({"forceall": True}, True),
        ({"forcetargets": True, "targets": {"all", "train"}}, True),
        ({"forcetargets": True, "targets": {"results/some/tables/perplexity.csv"}}, False),
    ],
)
def test_what_snakemake_forces_is_trained(begin, options, forced):
    begin(**options)
    assert (FORCED in os.environ) == forced
    assert not forced or float(os.environ[FORCED]) == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("where", ["forcerun", "targets"])
def test_a_forced_file_of_a_run_is_trained(begin, directory, where):
    begin(forcetargets=where == "targets", **{where: {str(directory.run("r").model)}})
    assert FORCED in os.environ


def test_a_second_start_is_refused_while_the_first_is_there(begin):
    first = begin()
    with pytest.raises(UserError, match=rf"another Snakemake \(process {os.getpid()}\)"):
        begin()
    first._lock.close()
    begin()


def test_without_slurm_its_profile_is_refused(begin, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="no Slurm on this machine"):
        begin(executor="slurm")


def _runs(prefix: str, command: str, path: str | None = None) -> list[str]:
    """Run a command after a shell prefix, formatted once as by Snakemake; return its words."""
    done = subprocess.run(
        ["bash", "-c", prefix.format() + command],
        env=os.environ | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_jobs_find_this_environment_and_this_code_in_spite_of_odd_names(tmp_path):
    source = tmp_path / "a {project}'s code"
    source.mkdir()
    (source / "marker.py").write_text("print('found')", encoding="utf-8")
    command = "exec python3 -c 'import marker, sys; print(sys.executable)'"
    found, python = _runs(starting.shell_prefix(source, conda=False), command)
    assert found == "found"
    assert Path(python).parent == Path(sys.executable).parent


def test_where_snakemake_makes_the_environment_jobs_use_that_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "python3").write_text("#!/bin/sh\necho conda\n", encoding="utf-8")
    (tmp_path / "python3").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert _runs(starting.shell_prefix(None, conda=True), "exec python3", path) == ["conda"]


@pytest.mark.parametrize(
    ("given", "stays"), [([], False), (["--max-jobs-per-timespan=1/10s"], True)]
)
def test_a_limit_of_jobs_in_a_time_is_only_the_users(given, stays):
    limit = cli.get_argument_parser().parse_args(["--cores=1", *given]).max_jobs_per_timespan
    settings = SchedulingSettings(max_jobs_per_timespan=limit)
    starting.lift_default_limit(settings)
    assert isinstance(settings.max_jobs_per_timespan, MaxJobsPerTimespan) is stays
