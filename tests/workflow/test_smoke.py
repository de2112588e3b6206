"""Tests of the real smoke experiment in Snakemake: the jobs that run, again or only once."""

import json
import os
from pathlib import Path

import pytest
import yaml

from online_rnnlm.storage.modules import module_sources
from tests.project import UNWATCHED

SMOKE = ("--configfile", "config/smoke.yaml")
RESULTS = "results/smoke"
RUN = "wikipedia-excerpt-M16-D4-seed1"
SEARCHED = {RUN, "wikipedia-excerpt-M16-D4-both-seed1"}
RECORDING = str(Path(__file__).with_name("recording"))
TRAINING = "src/online_rnnlm/training"


@pytest.fixture(scope="module")
def arguments(downloads):
    return ("--cores", "2", *SMOKE, "--config", f"downloads={downloads}")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The folder in which the smoke experiment's verbs record what they have loaded."""
    return tmp_path_factory.mktemp("loaded")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, copy_of_project, arguments, loaded):
    """The project after the whole smoke experiment."""
    project = copy_of_project(tmp_path_factory.mktemp("smoke") / "project")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", RECORDING, prepend=os.pathsep)
        environment.setenv("VERBS_LOADED", str(loaded))
        said = project.succeed(*arguments)
        project.verb("--help", PYTHONPATH=f"{project.path / 'src'}{os.pathsep}{RECORDING}")
    assert f"{RESULTS}/report.html" in said
    assert "make ui EXPERIMENT=smoke" in said
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return finished.copied(tmp_path / "project")


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
    # A heading, four rows, three caches and two mixtures for each, the n-grams and the topics.
    assert len(table) == 1 + 4 + 5 * 4 + 2
    mixtures = (results / "tables" / "mixtures.csv").read_text(encoding="utf-8").splitlines()
    assert len(mixtures) == 1 + 4 * 4


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


def _loaded(folder):
    """Return every job's record: its verb, and the modules and data files that it has loaded."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")]


def _digested(rules):
    """Return, by verb, the modules that its rules digest and the folders of the package's data."""
    modules, data = {}, {}
    for command, code in rules.values():
        verb = command.split(" -m online_rnnlm ")[1].split()[0] if command else None
        for text in code:
            starts, _, folder = text.partition("+")
            files = module_sources(*(start.partition(":")[0] for start in starts.split()))
            modules.setdefault(verb, set()).update(map(_module, files))
            data.setdefault(verb, set()).add(folder)
    return modules, data


def test_a_verb_loads_nothing_that_its_rules_do_not_digest(finished, loaded, rules_of):
    """A rule's code includes the package's data and modules that only settings name."""
    modules, data = _digested(rules_of(finished, "config/smoke.yaml"))
    processes = _loaded(loaded)
    [every_verbs] = [set(found["modules"]) for found in processes if found["verb"] == "--help"]
    assert modules.keys() - {found["verb"] for found in processes} == {
        "measure-engine",
        "engine-table",
    }
    more = {}
    for found in processes:
        if (verb := found["verb"]) in modules:
            opened = {str(Path(file).parent) for file in found["data"]}
            own = set(found["modules"]) - every_verbs
            more.setdefault(verb, set()).update(own - modules[verb], opened - data[verb])
    assert {verb: found for verb, found in more.items() if found} == {}
    assert any(found["data"] for found in processes)


def _module(file):
    """Return a module's name below the package, from its file."""
    parts = file.with_suffix("").parts
    below = parts[len(parts) - parts[::-1].index("online_rnnlm") :]
    return ".".join(part for part in below if part != "__init__")


def test_a_touch_does_nothing(project, arguments):
    for file in (project.path / "src").rglob("*.py"):
        os.utime(file)
    assert project.planned(*arguments) == set()


@pytest.mark.parametrize(
    ("file", "again", "not_again"),
    [
        ("analysis/report/write.py", {"report"}, {"train", "evaluate", "tables", "encode"}),
        ("evaluation/evaluate.py", {"evaluate", "evaluate_online", "tables"}, {"train", "encode"}),
        ("training/loop.py", {"train", "evaluate", "track", "report"}, {"encode", "splits"}),
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


def test_an_edit_of_a_template_makes_the_pages_anew(project, arguments):
    project.edit("src/online_rnnlm/analysis/templates/style.css", "p { margin: 0 }\n")
    after = {"report", "track", "complete", "all"}
    assert project.planned(*arguments) == {"tables", "neighbours", *after}


def test_what_is_written_for_people_in_the_training_reruns_nothing(project, arguments):
    for file in (project.path / TRAINING).glob("*.py"):
        path = str(file.relative_to(project.path))
        project.replace(path, '"""', '"""Well. ')
        project.edit(path, "\n# A comment.\n")
    project.replace(f"{TRAINING}/epoch.py", "is not a finite number", "is odd")
    assert project.planned(*arguments) == set()


def test_another_choice_of_a_searched_row_trains_the_row_and_no_candidate(project, arguments):
    best = "min(outcomes, key=lambda outcome: outcome[0])"
    project.replace(
        f"{TRAINING}/choice.py", best, best.replace("(outcomes,", "([*outcomes][::-1],")
    )
    assert project.planned_trainings(*arguments) == SEARCHED


def _change_row(project, index, **changed):
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["rows"][index] |= changed
    path.write_text(yaml.safe_dump(values), encoding="utf-8")


def _results(project):
    return sorted((project.path / RESULTS / "runs").glob("*/result.json"))


@pytest.fixture
def only_training(project, arguments):
    """The arguments that only train, and start no process that follows the runs."""
    results = (str(path.relative_to(project.path)) for path in _results(project))
    return (*arguments, *UNWATCHED[1:], "--", *results)


def test_a_rows_setting_trains_that_row_only(project, arguments, only_training):
    before = {path.parent.name: path.read_bytes() for path in _results(project)}
    _change_row(project, 1, learning_rate=0.1)
    project.succeed(*only_training)
    after = {path.parent.name: path.read_bytes() for path in _results(project)}
    changed = {run for run in after if after[run] != before[run]}
    # The row's run, and the candidates from which its document rate is chosen.
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


@pytest.mark.parametrize("testing", [{"learning_rates": [0.5]}, {"steps": 2}])
def test_tables_by_hand_say_nothing_of_settings_that_were_not_tested(project, testing):
    path = project.path / "config/smoke.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert project.verb("tables", "--config", str(path)).returncode == 0
    values["testing"] |= testing
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    done = project.verb("tables", "--config", str(path))
    assert done.returncode == 1
    [said] = done.stderr.splitlines()
    assert "`testing`: has other settings than" in said


def test_the_same_identity_is_not_trained_twice(project, only_training):
    """The corpus is made again and is the same, so the runs are recognised."""
    before = [path.read_bytes() for path in _results(project)]
    project.edit("src/online_rnnlm/corpora/vocabulary.py")
    assert "train" in project.planned(*only_training)
    project.succeed(*only_training)
    assert [path.read_bytes() for path in _results(project)] == before
    assert project.planned(*only_training) == set()


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
