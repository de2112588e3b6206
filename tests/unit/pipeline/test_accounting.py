"""Tests of reading Slurm's accounting from recorded output of `sacct`.

tests/cluster runs the real `sacct`.
"""

import pytest

from online_rnnlm.pipeline import accounting
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Accounting
from tests.unit.small_records import run_record, run_result

SAID = """\
12|COMPLETED|node1|work|20|11|00:09.540|408M||cpu=1,mem=408M,node=1
12.batch|COMPLETED|node1||20||00:03.398||186496K|cpu=1,mem=408M,node=1
12.0|COMPLETED|node1||14||00:06.142||403012K|cpu=1,mem=408M,node=1
15|CANCELLED by 0|node2|gpu|86400|UNLIMITED|1-02:03:04|2G||billing=1,cpu=1,gres/gpu=1,mem=2G
16|RUNNING|node2|gpu|5|60|00:00:00|2G||cpu=1
"""


@pytest.fixture
def directory(tmp_path):
    """An experiment with a finished run of two Slurm jobs, and a run trained without Slurm."""
    directory = ExperimentDirectory(tmp_path)
    for name, jobs in (("a", ("12", "15")), ("b", ())):
        records.write(directory.run(name).record, run_record(name=name, slurm_jobs=jobs))
        records.write(directory.run(name).result, run_result())
    return directory


@pytest.fixture
def sacct(tmp_path, monkeypatch):
    """A function that makes the command `sacct` print a text and exit with a status."""

    def make(said: str, status: int = 0) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "said").write_text(said, encoding="utf-8")
        script = f'#!/bin/sh\ncat "{folder}/said"\necho no accounting here >&2\nexit {status}\n'
        (folder / "sacct").write_text(script, encoding="utf-8")
        (folder / "sacct").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return make


def test_jobs_are_read_with_their_steps_memory_and_those_that_run_are_left_out():
    jobs = accounting.parse(SAID)
    assert sorted(jobs) == ["12", "15"]
    assert jobs["12"].memory_mb == pytest.approx((186496 + 403012) * 1024 / 1e6)
    assert jobs["12"].requested_memory_mb == pytest.approx(408 * 1024**2 / 1e6)
    assert (jobs["12"].seconds, jobs["12"].requested_minutes) == (20, 11)
    assert jobs["12"].cpu_seconds == pytest.approx(9.54)
    assert (jobs["15"].state, jobs["15"].requested_minutes) == ("CANCELLED", None)
    assert jobs["15"].cpu_seconds == 26 * 3600 + 3 * 60 + 4


def test_a_runs_jobs_stand_beside_it_in_their_order(directory, sacct):
    sacct(SAID)
    accounting.enter(directory)
    found = records.read(Accounting, directory.run("a").accounting)
    assert [job.job for job in found.jobs] == ["12", "15"]
    assert not directory.run("b").accounting.exists()


def test_jobs_of_which_not_all_is_told_are_asked_for_again(directory, sacct):
    sacct(SAID.replace("15|CANCELLED by 0", "15|RUNNING"))
    accounting.enter(directory)
    assert not directory.run("a").accounting.exists()
    sacct(SAID)
    accounting.enter(directory)
    assert directory.run("a").accounting.exists()


@pytest.mark.parametrize("missing", [True, False], ids=["no sacct", "sacct fails"])
def test_without_accounting_a_warning_says_so(directory, sacct, monkeypatch, caplog, missing):
    sacct("", status=1)
    if missing:
        monkeypatch.setenv("PATH", "/nowhere")
    accounting.enter(directory)
    assert not directory.run("a").accounting.exists()
    [record] = caplog.records
    assert ("sacct" if missing else "no accounting here") in record.getMessage()
