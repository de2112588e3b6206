"""Tests that no changed, deleted or left-over file of a finished experiment is believed."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from online_rnnlm.config.loading import load
from online_rnnlm.pipeline.freshness import outdated
from online_rnnlm.pipeline.jobs import Jobs
from online_rnnlm.storage.paths import ExperimentDirectory

RUN, STATIC = "own-M8-D3-seed1", "own-M8-D0-seed1"
CANDIDATES = ("own-M8-D3-document_rate0.1-seed0", "own-M8-D3-document_rate0.2-seed0")
RESULTS = "results/tiny"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, copy_of_project, own_text):
    """The project after a tiny experiment with a search, further evaluations and a rival."""
    project = copy_of_project(tmp_path_factory.mktemp("state") / "project")
    file = project.configure(
        experiment="tiny",
        corpora={"own": own_text(project)},
        training={"max_epochs": 2},
        search={"document_rate": [0.1, 0.2]},
        testing={"updates": ["all"], "learning_rates": [0.1], "rivals": ["kneser_ney"]},
        tracking={"watch_seconds": 0},
        rows=[{"hidden_size": 8}, {"hidden_size": 8, "document_size": 3}],
    )
    project.succeed("--cores", "2", "--configfile", file)
    return project


ARGUMENTS = ("--cores", "2", "--configfile", "config/test.yaml")


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return finished.copied(tmp_path / "project")


@pytest.fixture
def found_outdated(project, monkeypatch):
    """A function that returns the rules and names of the jobs that must run again now."""
    monkeypatch.chdir(project.path)
    directory = ExperimentDirectory(project.path.joinpath(RESULTS).relative_to(project.path))
    jobs = Jobs(load(project.path / "config/test.yaml"), directory, "config/published.yaml")
    return lambda: {(job.rule, job.name) for job in outdated(jobs, directory)}, jobs


def _content(project):
    """Return what must never differ: weights, perplexities, claims, and tables without times."""
    results = project.path / RESULTS
    models = {str(f.relative_to(results)): f.read_bytes() for f in results.glob("runs/*/model.npz")}
    evaluations = {
        str(file.relative_to(results)): {
            split: metrics["perplexity"]
            for split, metrics in json.loads(file.read_text())["splits"].items()
        }
        for file in results.glob("evaluations/*/*.json")
    }
    vocabulary = (results / "corpora/own/vocabulary.tsv").read_bytes()
    claims = json.loads((results / "claims.json").read_text())
    return models, evaluations, vocabulary, claims


def _flip(file, place=0.5):
    """Change one bit in the middle of a file, and keep its times."""
    content, times = bytearray(file.read_bytes()), file.stat()
    content[int(len(content) * place)] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_finished_experiment_is_current(found_outdated):
    find, jobs = found_outdated
    assert find() == set()
    assert {"splits", "vocabulary", "encode", "train", "evaluate", "evaluate_online"} <= {
        job.rule for job in jobs
    }


def test_the_workflow_is_linted_beside_a_finished_experiment(project):
    done = project.snakemake("--lint", "--configfile", "config/test.yaml")
    assert "in a good condition" in done.stdout + done.stderr
    assert project.planned(*ARGUMENTS) == set()


def test_every_file_that_changes_or_goes_away_is_noticed(found_outdated, capsys):
    find, jobs = found_outdated
    for job in jobs:
        for file in job.files.outputs:
            kept, times = file.read_bytes(), file.stat()
            _flip(file)
            assert (job.rule, job.name) in find(), file
            assert str(file) in capsys.readouterr().err
            file.unlink()
            assert (job.rule, job.name) in find() or (not file.exists() and len(job.outputs) == 1)
            file.write_bytes(kept)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert find() == set()


def test_a_file_in_place_of_any_folder_of_a_job_is_named(project, found_outdated):
    _, jobs = found_outdated
    [rival] = (Path(job.outputs[0]).parent for job in jobs if job.rule == "rival")
    assert {rival, rival.parent} <= set(jobs.folders())
    shutil.rmtree(rival)
    rival.touch()
    refused = project.snakemake(*ARGUMENTS)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()[-1:]
    assert f"{rival}: is a file" in line


def test_what_is_not_as_it_was_made_is_lacking(project):
    results = project.path / RESULTS
    complete = "complete", "--config", f"{RESULTS}/config.json"
    assert project.verb(*complete).returncode == 0
    results.joinpath("runs", RUN, "model.npz").unlink()
    _flip(results / "report.html")
    refused = project.verb(*complete)
    assert refused.returncode == 1
    for file in (f"runs/{RUN}/model.npz", "report.html"):
        assert f"{RESULTS}/{file}: changed or deleted" in refused.stderr


def _damage(results):
    """Edit, damage and delete files of every kind."""
    corpus, run = results / "corpora/own", results / "runs" / RUN
    for file in (
        corpus / "train.npy",
        corpus / "statistics.json",
        run / "model.npz",
        results / "evaluations" / RUN / "document_vector.json",
    ):
        _flip(file)
    for file in (
        corpus / "vocabulary.tsv",
        run / "metrics.jsonl",
        results / "evaluations" / STATIC / "none.parquet",
        results / "evaluations" / RUN / "further/all.word.sentence.json",
        results / "tables/corpora.csv",
    ):
        file.unlink()
    shutil.rmtree(results / "runs" / STATIC)
    # Were it believed, another rate would be chosen.
    edited = results / "runs" / CANDIDATES[0] / "result.json"
    edited.write_text(json.dumps(json.loads(edited.read_text()) | {"valid_perplexity": 1.5}))


def test_what_was_damaged_or_deleted_is_made_again(project):
    before, results = _content(project), project.path / RESULTS
    table = results / "tables/perplexity.html"
    right = table.read_bytes()
    table.write_bytes(right.replace(b"<td", b"<td class='edited'", 1))
    refused = project.verb("track", RESULTS)
    assert refused.returncode == 1
    assert "tables/perplexity.html" in refused.stderr
    _damage(results)
    said = project.succeed(*ARGUMENTS)
    assert "perplexity.html: changed since it was made" in said
    assert _content(project) == before
    assert project.planned(*ARGUMENTS) == set()
    entered = {file.read_bytes() for file in results.glob("mlartifacts/**/perplexity.html")}
    assert b"edited" not in b"".join(entered)


@pytest.mark.parametrize("whole", ["runs", "corpora", "evaluations", "tables"])
def test_a_deleted_folder_is_made_again(project, whole):
    shutil.rmtree(project.path / RESULTS / whole)
    rule = {"runs": "train", "corpora": "encode", "evaluations": "evaluate", "tables": "tables"}
    assert rule[whole] in project.planned(*ARGUMENTS)


def _set(project, **training):
    path = project.path / "config/test.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["training"] |= training
    path.write_text(yaml.safe_dump(values), encoding="utf-8")


def test_settings_are_known_without_snakemakes_memory(project):
    shutil.rmtree(project.path / ".snakemake")
    assert project.planned(*ARGUMENTS) == set()
    _set(project, learning_rate=0.3)
    assert project.planned_trainings(*ARGUMENTS) == {RUN, STATIC, *CANDIDATES}


def test_a_renamed_experiment_is_judged_by_its_files(project):
    (project.path / RESULTS).rename(project.path / "results/renamed")
    shutil.rmtree(project.path / ".snakemake")
    renamed = (*ARGUMENTS, "--config", "experiment=renamed")
    assert project.planned_trainings(*renamed) == set()
    _set(project, max_epochs=3)
    assert project.planned_trainings(*renamed) == {RUN, STATIC, *CANDIDATES}


def test_a_setting_that_is_changed_back_trains_nothing_again(project):
    results = sorted(project.path.glob(f"{RESULTS}/runs/*/result.json"))
    only_training = (*ARGUMENTS, "--", *(str(f.relative_to(project.path)) for f in results))
    first = [file.read_bytes() for file in results]
    _set(project, max_epochs=1)
    project.succeed(*only_training)
    assert not {file.read_bytes() for file in results} & {*first}
    assert project.verb("earlier", RESULTS).stdout.count("own-M8") == len(results)
    _set(project, max_epochs=2)
    project.succeed(*only_training)
    assert [file.read_bytes() for file in results] == first
    assert project.planned(*only_training) == set()
    assert project.verb("earlier", RESULTS, "--clear").returncode == 0
    assert project.verb("earlier", RESULTS).stdout == ""
