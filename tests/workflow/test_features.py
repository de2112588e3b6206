"""Tests that Snakemake's own features do here what its manual says, with quick jobs."""

import os
import shutil
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
    return finished.copied(tmp_path / "project")


OF_RESULTS = {"everything", "tables", "figures", "claims", "report", "complete", "summary"}
MEASURED = {"time": 1, "audits": 1}
"""The jobs that look at all networks, and so again when one changes."""


def of_stages(jobs):
    """Return the jobs but for those that show results, all of which there must be."""
    assert {*jobs} >= OF_RESULTS
    return {rule: number for rule, number in jobs.items() if rule not in {*OF_RESULTS, "track"}}


def test_forced_trainings_train(project):
    before = project.outcome()
    project.succeed("--forcerun", "train")
    assert project.trained() == project.complete_runs() and len(project.trained()) == 2
    assert project.outcome() == before
    project.succeed()
    assert project.begun() == []


def test_a_corpus_that_is_made_again_trains_and_tests_nothing(project):
    project.succeed("--forcerun", "encode")
    assert not {"train", "evaluate"} & {*project.begun()}


def test_a_deleted_corpus_is_not_missed_and_a_changed_message_makes_nothing(project):
    for file in (project.path / RESULTS / "corpora").rglob("*.npy"):
        file.unlink()
    project.edit("src/online_rnnlm/errors.py")
    assert project.planned() == {}


def test_a_dry_run_writes_nothing_and_until_stops_where_it_says(project):
    project.choose("another rate")
    files = [*(project.path / RESULTS).rglob("*")]
    before = {file: file.stat().st_mtime_ns for file in files}
    planned = project.planned()
    assert of_stages(planned) == {"train": 1, "evaluate": 3, "evaluate_vector": 1} | MEASURED
    assert {file: file.stat().st_mtime_ns for file in files} == before
    project.succeed("--until", "train")
    assert project.begun() == ["train"]
    project.succeed()
    assert "train" not in project.begun() and "report" in project.begun()


def test_a_failed_submission_shows_the_schedulers_own_words(project, tmp_path):
    (tmp_path / "qsub").write_text("#!/bin/sh\necho 'qsub: no such queue' >&2; exit 1\n")
    (tmp_path / "qsub").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    options = ("--workflow-profile", "workflow/profiles/cluster-generic", "--retries", "0")
    done = project.snakemake(*options, "--forcerun", "encode", PATH=path)
    assert done.returncode != 0 and "qsub: no such queue" in done.stderr
    assert "memory" not in done.stderr


def test_without_slurm_its_profile_ends_at_once_with_the_cause(project, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "sh", "env", "git", "which"):  # all that Snakemake needs
        (programs / name).symlink_to(str(shutil.which(name)))
    options = ("--workflow-profile", "workflow/profiles/slurm", "--forcerun", "encode")
    done = project.snakemake(*options, PATH=str(programs))
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith(
            "online-rnnlm: error: `executor: slurm`: there is no `sbatch` on this machine: "
        )
    )
    assert project.begun() == []


def test_all_outputs_can_be_deleted_and_shared_files_stay(project):
    shared = project.path / "results/downloads/some.whl"
    shared.parent.mkdir()
    shared.touch()
    project.succeed("--delete-all-output")
    assert shared.exists() and (project.path / "train.txt").exists()
    assert project.results() == []


@pytest.mark.parametrize(
    ("file", "again", "not_again"),
    [
        ("analysis/templates/style.css", {"tables", "report"}, {"train", "evaluate", "time"}),
        (
            "jobs/evaluation_files.py",
            {"evaluate", "evaluate_vector", "tables"},
            {"train", "encode", "audits"},
        ),
        ("core/training.py", {"train", "evaluate", "tables"}, {"encode"}),
        ("corpora/splitting.py", {"fetch", "encode", "train", "evaluate"}, set()),
    ],
)
def test_an_edit_of_the_code_makes_its_stage_and_what_follows(project, file, again, not_again):
    project.edit(f"src/online_rnnlm/{file}")
    planned = {*project.planned()}
    assert again <= planned and not not_again & planned


@pytest.mark.parametrize(
    ("name", "planned"),
    [
        ("a row less", MEASURED),
        (
            "other words",
            {"fetch": 1, "encode": 1, "train": 2, "evaluate": 5, "evaluate_vector": 1} | MEASURED,
        ),
        ("more tests", {"evaluate": 2, "time": 1}),
        ("another rate in tests", {"evaluate": 1, "time": 1}),
        ("more words timed", {"time": 1}),
        ("another text", {"encode": 1, "evaluate": 5, "evaluate_vector": 1, "time": 1}),
    ],
)
def test_a_changed_setting_makes_what_depends_on_it(project, name, planned):
    project.choose(name)
    assert of_stages(project.planned()) == planned


def test_a_missing_file_of_any_kind_is_made_again(project):
    files = [file for file in project.results() if "/corpora/" not in file]
    by_kind = {"/".join([*Path(file).parts[2:3], Path(file).name]): file for file in files}
    assert len(by_kind) > 30
    before = project.outcome()
    for file in by_kind.values():
        (project.path / file).unlink()
    project.succeed()
    assert all((project.path / file).is_file() for file in by_kind.values())
    assert project.outcome() == before
