"""Tests that Snakemake's own features do here what its manual says, with quick jobs."""

import fcntl
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.workflow.stub_project import RESULTS, StubProject


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project that has made all results."""
    project = StubProject.made(tmp_path_factory.mktemp("features") / "project")
    project.choose("first")
    project.succeed()
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    copy = finished.copied(tmp_path / "project")
    for log in ("jobs.log", "trained.log"):
        (copy.path / log).unlink(missing_ok=True)
    return copy


MOVED = {"store", "track", "summary", "all"}
"""The rules that run in a copy, because MLflow's store has absolute paths."""


def _jobs(project):
    log = project.path / "jobs.log"
    return [line.split()[0] for line in log.read_text().splitlines()] if log.is_file() else []


@pytest.mark.parametrize(
    "option", [["--forcerun", "train"], ["-R", "train"], ["--forceall"]], ids=str
)
def test_forced_trainings_train(project, option):
    before = project.outcome()
    project.succeed(*option)
    assert len(project.trained()) == 2
    assert project.outcome() == before
    project.succeed()
    assert len(project.trained()) == 2


def test_what_is_made_again_upstream_trains_nothing(project):
    project.succeed("--forcerun", "encode")
    assert project.trained() == []
    assert {"evaluate", "tables", "report"} <= {*_jobs(project)}


def test_until_stops_there(project):
    project.choose("another rate")
    project.succeed("--until", "train")
    assert len(project.trained()) == 1 and _jobs(project) == []
    project.succeed()
    assert len(project.trained()) == 1 and "report" in _jobs(project)


def test_a_dry_run_names_what_will_run_and_writes_nothing(project):
    project.choose("another rate")
    before = {file: (project.path / file).stat().st_mtime_ns for file in project.results()}
    planned = project.planned()
    assert planned["train"] == 1 and "encode" not in planned
    assert {file: (project.path / file).stat().st_mtime_ns for file in project.results()} == before
    project.succeed()
    assert len(project.trained()) == planned["train"]
    assert project.planned() == {}


def test_touch_makes_files_current_and_runs_nothing(project):
    project.edit("src/online_rnnlm/analysis/results.py")
    assert "tables" in project.planned()
    project.succeed("--touch")
    assert _jobs(project) == []
    assert "tables" not in project.planned("--rerun-triggers", "mtime")


def test_rerun_triggers_choose_what_counts(project):
    project.edit("src/online_rnnlm/analysis/results.py")
    assert project.planned("--rerun-triggers", "mtime") == {}
    assert {"tables", "figures"} <= {*project.planned("--rerun-triggers", "params")}


def test_all_outputs_can_be_deleted_and_no_shared_file_is(project):
    shared = project.path / "results/downloads/some.whl"
    shared.parent.mkdir()
    shared.touch()
    project.succeed("--delete-all-output")
    assert shared.exists() and (project.path / "train.txt").exists()
    left = {Path(file).name for file in project.results()}
    assert left <= {"config.json"}
    project.succeed()
    assert project.trained() == []  # what a run's folder keeps is no output


@pytest.mark.parametrize(
    ("file", "again", "not_again"),
    [
        ("analysis/report.py", {"report", "tables"}, {"train", "evaluate", "encode"}),
        ("analysis/templates/style.css", {"report", "tables"}, {"train", "evaluate", "encode"}),
        ("jobs/evaluate.py", {"evaluate", "evaluate_vector", "tables"}, {"train", "encode"}),
        ("core/training.py", {"train", "evaluate", "track"}, {"encode"}),
        ("core/engines/kernels/forward.py", {"train", "evaluate"}, {"encode"}),
        ("corpora/splitting.py", {"fetch", "encode", "train", "track"}, set()),
    ],
)
def test_an_edit_of_the_code_makes_its_stage_and_what_follows(project, file, again, not_again):
    path = f"src/online_rnnlm/{file}"
    if file.endswith(".py"):
        project.edit(path, comment=True)
        project.replace(path, '"""', '"""Well. ')
        assert {*project.planned()} == MOVED
    project.edit(path)
    planned = {*project.planned()}
    assert again <= planned and not not_again & planned


@pytest.mark.parametrize(
    ("name", "planned"),
    [
        ("another rate", {"train": 1, "evaluate": 2, "evaluate_vector": 1, "time": 1, "audits": 1}),
        ("a row less", {"time": 1, "audits": 1}),
        (
            "other words",
            {"encode": 1, "train": 2, "evaluate": 4, "evaluate_vector": 1, "time": 1, "audits": 1},
        ),
        ("more tests", {"evaluate": 2}),
    ],
)
def test_a_changed_setting_makes_what_depends_on_it(project, name, planned):
    project.choose(name)
    found = project.planned()
    of_results = {"all", "tables", "figures", "claims", "report", "complete", *MOVED}
    assert {rule: jobs for rule, jobs in found.items() if rule not in of_results} == planned
    assert of_results <= {*found}


def test_a_missing_file_of_any_kind_is_made_again(project, tmp_path):
    files = [file for file in project.results() if Path(file).name != "config.json"]
    by_kind = {"/".join([*Path(file).parts[2:3], Path(file).name]): file for file in files}
    assert len(by_kind) > 30
    for file in by_kind.values():
        (project.path / file).unlink()
    before = project.outcome
    project.succeed()
    assert all((project.path / file).is_file() for file in by_kind.values())
    assert before() == project.outcome()
    for file in files[:: len(files) // 5]:
        aside = (project.path / file).rename(tmp_path / "aside")
        assert {*project.planned()} > {"all"}, file
        aside.rename(project.path / file)


def test_summaries_unlocking_and_reports_work(project, tmp_path):
    project.succeed()  # enters the copy into MLflow
    assert f"{RESULTS}/report.html" in project.succeed("--summary")
    project.succeed("--unlock")
    assert "Nothing to be done" in project.succeed()
    project.succeed("--report", str(tmp_path / "report.html"))
    assert "report.html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "digraph" in project.succeed("--dag")


def test_an_archive_has_code_configuration_and_texts(project, tmp_path):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (
        ["init", "-q"],
        ["add", "Snakefile", "workflow", "config", "src"],
        ["commit", "-qm", "x"],
    ):
        subprocess.run(["git", *who, *command], cwd=project.path, check=True)
    project.succeed("--archive", str(tmp_path / "all.tar.gz"))
    with tarfile.open(tmp_path / "all.tar.gz") as archive:
        names = archive.getnames()
    assert {"Snakefile", "config/test.yaml", "train.txt"} <= {*names}


def test_two_experiments_in_one_folder_and_two_starts_of_one(project):
    """The lock is the kernel's, so it ends with its process; another experiment has its own."""
    with (project.path / RESULTS / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project.choose("another rate")
        done = project.snakemake()
        assert done.returncode != 0
        [error] = [line for line in done.stderr.splitlines() if "error: " in line]
        assert "another Snakemake" in error
        assert "train" in project.planned()
        assert "results/other" in project.succeed("--config", "experiment=other")
    project.succeed()
