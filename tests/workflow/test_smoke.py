"""The smoke experiment, for real, through Snakemake: what runs, what runs again and what not."""

import json
import os
import shutil

import pytest
import yaml

SMOKE = ("--configfile", "config/smoke.yaml")
RESULTS = "results/smoke"
RUN = "wikipedia-excerpt-M16-D4-seed1"


@pytest.fixture(scope="module")
def arguments(downloads):
    return ("--cores", "2", *SMOKE, "--config", f"downloads={downloads}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, copy_of_project, arguments):
    """The project after one whole run of the smoke experiment."""
    project = copy_of_project(tmp_path_factory.mktemp("smoke") / "project")
    said = project.succeed(*arguments)
    assert f"{RESULTS}/report.html" in said
    assert "make ui EXPERIMENT=smoke" in said
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project, to be changed."""
    shutil.copytree(finished.path, tmp_path / "project", symlinks=True)
    return type(finished)(tmp_path / "project")


def test_everything_is_there(finished):
    results = finished.path / RESULTS
    for name in (
        "report.html",
        "claims.json",
        "mlflow.db",
        *(
            f"tables/{table}.{kind}"
            for table in ("perplexity", "updates")
            for kind in ("csv", "md", "tex", "html")
        ),
        *(f"figures/{figure}.svg" for figure in ("learning_curves", "perplexity_by_parameters")),
    ):
        assert (results / name).stat().st_size > 0, name
    table = (results / "tables" / "perplexity.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 1 + 3


def test_a_second_run_does_nothing(finished, arguments):
    assert "Nothing to be done" in finished.succeed(*arguments)


def test_a_touch_does_nothing(project, arguments):
    for file in ("training.py", "runs.py", "corpora/splitting.py", "analysis/report.py"):
        os.utime(project.path / "src" / "online_rnnlm" / file)
    assert project.planned(*arguments) == set()


@pytest.mark.parametrize(
    ("file", "again", "not_again"),
    [
        ("analysis/report.py", {"report"}, {"train", "evaluate", "tables", "encode"}),
        ("evaluation.py", {"evaluate", "evaluate_online", "tables"}, {"train", "encode"}),
        ("training.py", {"train", "evaluate", "track", "report"}, {"encode", "splits"}),
        ("corpora/tokenisation.py", {"sentences", "splits", "encode", "train"}, {"fetch"}),
    ],
)
def test_an_edit_of_the_code_reruns_its_stage_and_what_follows(
    project, arguments, file, again, not_again
):
    project.edit(f"src/online_rnnlm/{file}")
    planned = project.planned(*arguments)
    assert again <= planned
    assert not not_again & planned


def _change_row(project, index, **changed):
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["rows"][index] |= changed
    path.write_text(yaml.safe_dump(values), encoding="utf-8")


def _results(project):
    return sorted((project.path / RESULTS / "runs").glob("*/result.json"))


def _only_training(project, arguments):
    return (*arguments, "--", *(str(path.relative_to(project.path)) for path in _results(project)))


def test_a_rows_setting_trains_that_row_only(project, arguments):
    before = {path.parent.name: path.read_bytes() for path in _results(project)}
    _change_row(project, 2, learning_rate=0.1)
    project.succeed(*_only_training(project, arguments))
    after = {path.parent.name: path.read_bytes() for path in _results(project)}
    assert {run for run in after if after[run] != before[run]} == {RUN}
    assert {"evaluate", "evaluate_online", "tables", "report"} <= project.planned(*arguments)


def test_testing_settings_test_again_and_train_nothing(project, arguments):
    evaluations = project.path / RESULTS / "evaluations" / RUN
    assert (evaluations / "all.json").is_file()
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for testing, again, not_again in (
        ({"updates": ["all"], "steps": 2}, {"evaluate_weights", "tables"}, {"train", "evaluate"}),
        ({"updates": ["output", "all"]}, {"evaluate_weights", "track"}, {"train", "evaluate"}),
        ({"updates": []}, {"tables", "report"}, {"train", "evaluate", "evaluate_weights"}),
    ):
        path.write_text(yaml.safe_dump({**values, "testing": testing}), encoding="utf-8")
        planned = project.planned(*arguments)
        assert again <= planned
        assert not not_again & planned


def test_the_same_identity_is_not_trained_twice(project, arguments):
    """The corpus is made again, and comes out the same: the runs are recognised."""
    before = [path.read_bytes() for path in _results(project)]
    project.edit("src/online_rnnlm/corpora/vocabulary.py")
    training = _only_training(project, arguments)
    assert "train" in project.planned(*training)
    project.succeed(*training)
    assert [path.read_bytes() for path in _results(project)] == before
    assert project.planned(*training) == set()


def test_a_deleted_store_is_made_again_and_trains_nothing(project, arguments):
    (project.path / RESULTS / "mlflow.db").unlink()
    planned = project.planned(*arguments)
    assert {"store", "track"} <= planned
    assert not {"train", "evaluate", "report"} & planned


def test_the_class_count_leaves_sentences_and_splits_alone(project, arguments):
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["corpora"]["wikipedia-excerpt"]["classes"]["count"] = 10
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    planned = project.planned(*arguments)
    assert {"vocabulary", "encode", "train"} <= planned
    assert not {"articles", "sentences", "splits"} & planned


def test_the_resolved_configuration_is_kept(finished, downloads):
    kept = json.loads((finished.path / RESULTS / "config.json").read_text(encoding="utf-8"))
    assert kept["experiment"] == "smoke"
    assert kept["downloads"] == str(downloads)
    assert kept["corpora"]["wikipedia-excerpt"]["lowercase"] is True
