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
            for table in ("corpora", "perplexity", "updates", "neighbours", "search")
            for kind in ("csv", "md", "tex", "html")
        ),
        *(f"figures/{figure}.svg" for figure in ("learning_curves", "perplexity_by_parameters")),
    ):
        assert (results / name).stat().st_size > 0, name
    table = (results / "tables" / "perplexity.csv").read_text(encoding="utf-8").splitlines()
    # Four rows, two caches beside each of the two static ones, and the n-gram model.
    assert len(table) == 1 + 4 + 2 * 2 + 1


def test_snakemakes_own_report_shows_tables_and_figures(project, arguments):
    project.succeed(*arguments, "--report", "snakemake.html")
    text = (project.path / "snakemake.html").read_text(encoding="utf-8")
    for name in ("perplexity.html", "learning_curves.svg", "report.html"):
        assert name in text


def test_a_rows_run_takes_the_settings_of_its_best_candidate(finished):
    runs = finished.path / RESULTS / "runs"
    chosen = json.loads((runs / RUN / "run.json").read_text(encoding="utf-8"))
    reached = {
        name: json.loads((runs / name / "result.json").read_text())["valid_perplexity"]
        for name in chosen["candidates"]
    }
    best = json.loads((runs / min(reached, key=reached.get) / "run.json").read_text())
    assert len(reached) == 2
    assert best["searched"] == {"document_rate": chosen["settings"]["document_rate"]}


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
    _change_row(project, 1, learning_rate=0.1)
    project.succeed(*_only_training(project, arguments))
    after = {path.parent.name: path.read_bytes() for path in _results(project)}
    changed = {run for run in after if after[run] != before[run]}
    # The row's run, and the candidates that its document rate is chosen from.
    candidates = {f"wikipedia-excerpt-M16-D4-document_rate{rate}-seed0" for rate in (0.1, 0.2)}
    assert changed == {RUN, *candidates}
    assert {"evaluate", "evaluate_online", "tables", "report"} <= project.planned(*arguments)


def test_testing_settings_test_again_and_train_nothing(project, arguments):
    evaluations = project.path / RESULTS / "evaluations" / RUN
    assert (evaluations / "all.word.stream.json").is_file()
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for testing, again, not_again in (
        ({"updates": ["all"], "steps": 2}, {"evaluate_further", "tables"}, {"train", "evaluate"}),
        ({"updates": ["output"]}, {"evaluate_further", "track"}, {"train", "evaluate"}),
        ({"updates": []}, {"tables", "report"}, {"train", "evaluate", "evaluate_further"}),
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
    assert planned == {"all", "track"}
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
