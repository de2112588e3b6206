"""Tests of the evaluations' names and files."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.config import evaluations
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from tests.processes import output_of
from tests.unit.small_records import VITAL, configuration, plan

PACKAGE = Path(online_rnnlm.__file__).parent


def experiment(**testing):
    rows = [{"hidden_size": 10}, {"hidden_size": 10, "document_size": 2}]
    return plan(rows=rows, testing=testing)


@pytest.mark.parametrize(
    ("parts", "with_vector", "without"),
    [
        (["output", "document_vector", "output"], "document_vector+output", "output"),
        (["recurrent", "output", "embeddings"], "embeddings+recurrent+output", "all"),
        (["output", "all"], "all", "all"),
        (["document_vector"], "document_vector", "none"),
    ],
)
def test_a_subset_has_one_name_in_each_model(parts, with_vector, without):
    for document_size, name in ((5, with_vector), (0, without)):
        assert Adaptation(evaluations.parts_named(parts, document_size)).name == name


def network(document_size, cell="sigmoid"):
    return RunSettings(corpus="c", document_size=document_size, cell=cell)


ALONE = ("word.sentence", "word.stream", "5.sentence", "5.stream", "sentence.stream")
ADAPTATIONS = {"learn_after": ["word", "sentence"], "unit_of_text": ["sentence", "stream"]}
SUBSETS = [["all"], ["document_vector", "output"], ["output"], ["document_vector"]]
NAMED = ("all", "document_vector+output", "output", "document_vector")


@pytest.mark.parametrize(
    ("testing", "online", "static"),
    [
        (
            {"updates": SUBSETS},  # what is the same in a network is tested once
            [f"{name}.word.sentence" for name in NAMED],
            ["all.word.sentence", "output.word.sentence"],
        ),
        (
            {"updates": ["output"], **ADAPTATIONS},  # but what is lost is not
            ["output.word.sentence", "output.word.stream", "output.sentence.stream"],
            ["output.word.sentence", "output.word.stream", "output.sentence.stream"],
        ),
        (
            {"updates": ["document_vector"], **ADAPTATIONS, "learn_after": ["word", 5, "sentence"]},
            [f"document_vector.{adaptation}" for adaptation in ALONE],
            [],
        ),
        (
            # Only the vector is updated after five words.
            {"updates": ["all"], "learn_after": ["word", 5]},
            ["all.word.sentence"],
            ["all.word.sentence"],
        ),
        (
            {"rivals": ["kneser_ney", "neural_cache", "unigram_cache"]},
            *(["unigram_cache", "neural_cache"],) * 2,
        ),
    ],
    ids=str,
)
def test_what_testing_adds_to_the_evaluations_of_every_run(testing, online, static):
    described = experiment(**testing).testing
    for size, further, main in (
        (5, online, ["none", "document_vector"]),
        (0, static, ["none"]),
    ):
        assert [*evaluations.evaluations_of(network(size), described)] == [*main, *further]
        assert evaluations.main_adaptation(size).name == main[-1]
        alone = [name for name in further if name.startswith("document_vector.")]
        timed = [
            adaptation.name
            for adaptation in evaluations.adaptations_of_state(network(size), described)
        ]
        assert timed == [main[-1], *alone]


@pytest.mark.parametrize(
    ("size", "trained", "updates", "names", "of_state"),
    [
        (0, "sentence", ["output"], ["document", "stream"], ["document", "stream"]),
        (0, "document", ["output"], ["stream"], ["stream"]),
        (0, "sentence", [], [], []),
        (5, "sentence", ["document_vector"], [], ["sentence", "document", "stream"]),
    ],
)
def test_slow_units_are_kept_for_longer_if_they_are_not_beside_a_vector(
    size, trained, updates, names, of_state
):
    """Beside a vector they are kept as it is."""
    units = ["sentence", "document", "stream"]
    order = {"corpora": {"vital": {**VITAL, "divide_by": "article"}}}
    [run] = plan(
        rows=[{"cell": "slow_context", "document_size": size, "unit_of_text": trained}],
        testing={"updates": updates, "learn_after": ["word", "sentence"], "unit_of_text": units},
        **order,
    ).runs()
    found = [name for name in run.evaluations if name.startswith("none.")]
    assert found == [f"none.word.{unit}" for unit in names]
    for name in found:
        adaptation = run.evaluations[name]
        assert adaptation.parts == ()
        unit = {"document": "article"}.get(adaptation.unit_of_text, adaptation.unit_of_text)
        assert evaluations.in_words(adaptation) == f"kept for the {unit}"
    main = evaluations.main_adaptation(size)
    state = [one.name for one in evaluations.adaptations_of_state(run.settings, run.testing)]
    after_words = [name for name in state if ".sentence." not in name]
    assert after_words == [main.name, *(f"{main.name}.word.{unit}" for unit in of_state)]


def test_each_set_of_parts_is_timed_once_and_what_changes_no_weights_in_every_way():
    described = experiment(
        updates=["document_vector", "output", "all"],
        learn_after=["sentence", "word", 5],
        unit_of_text=["sentence", "stream"],
        rivals=["kneser_ney", "unigram_cache", "dynamic_evaluation", "ngram_mixture", "mixture"],
    ).testing
    online, static = ([*evaluations.timed_evaluations(network(size), described)] for size in (5, 0))
    alone = [f"document_vector.{name}" for name in ALONE]
    weights = ["output.sentence.stream", "all.sentence.stream"]
    rivals = ["unigram_cache", "dynamic_evaluation"]
    assert static == ["none", *weights, *rivals]
    assert sorted(online) == sorted(["none", "document_vector", *alone, *weights, *rivals])


def test_weights_are_updated_where_kernels_can():
    testing = experiment(updates=["all", "document_vector"]).testing
    for size, names in ((5, ["document_vector", "document_vector.word.sentence"]), (0, [])):
        found = evaluations.evaluations_of(network(size, "lstm"), testing)
        assert [*found] == ["none", *names]


def test_a_cell_without_kernels_has_no_rival_that_needs_them(tmp_path):
    """The cell is added as CONTRIBUTING.md says: a module, and its name."""
    package = tmp_path / "online_rnnlm"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(package / "core/cells/sigmoid.py", package / "core/cells/new.py")
    settings = package / "config/training.py"
    listed = settings.read_text(encoding="utf-8").replace(
        "CellName = Literal[", 'CellName = Literal["new", '
    )
    settings.write_text(listed, encoding="utf-8")

    def check(*rivals, **own):
        file = tmp_path / "my.yaml"
        rows = [{"cell": "sigmoid"}, {"cell": "new", "engine": "graph", **own}]
        values = configuration(rows=rows, testing={"rivals": [*rivals]})
        file.write_text(json.dumps(values), encoding="utf-8")
        command = [sys.executable, "-m", "online_rnnlm", "check", file]
        return output_of(command, env={**os.environ, "PYTHONPATH": tmp_path})

    assert check("neural_cache", "mixture").returncode == 0
    for place, refused in (
        ("testing", check("neural_cache", "dynamic_evaluation", "mixture")),
        ("rows[1]", check(rivals=["dynamic_evaluation"])),
    ):
        assert refused.returncode
        [line] = refused.stderr.splitlines()
        for piece in ("my.yaml", f"`{place}.rivals`", "`rows[1]`", "`cell: new`", "sigmoid"):
            assert piece in line
    assert check("dynamic_evaluation", rivals=[]).returncode == 0


@pytest.mark.parametrize(
    ("evaluation", "reads"),
    [
        ("none", set()),
        ("document_vector", set()),
        ("unigram_cache", set()),
        ("all.word.stream", {"learning_rates", "document_rates", "steps"}),
        ("output.word.stream", {"learning_rates", "steps"}),
        ("document_vector.word.stream", {"document_rates"}),
        ("ngram_mixture", {"kneser_ney_order"}),
    ],
)
def test_an_evaluation_is_made_again_where_a_setting_that_it_reads_has_changed(evaluation, reads):
    rivals = ["kneser_ney", "unigram_cache", "ngram_mixture"]
    changes = {"learning_rates": [0.5], "document_rates": [0.5], "steps": 1, "kneser_ney_order": 3}
    run = experiment().runs()[1]

    def read(**change):
        testing = {"updates": ["all", "output", "document_vector"], "unit_of_text": ["stream"]}
        changed = experiment(**testing, rivals=rivals, **change).testing
        planned = evaluations.evaluations_of(run.settings, changed)
        return evaluations.decisive_settings(planned[evaluation], changed)

    assert {key for key in changes if read(**{key: changes[key]}) != read()} == reads
    assert read().keys() - {"parts"} == reads


def test_a_mixture_reads_the_evaluations_that_it_mixes():
    described = experiment(rivals=["kneser_ney", "unigram_cache", "mixture"])
    run = described.runs()[1]
    found = evaluations.parts_of_mixture(
        "mixture",
        described.testing,
        run=run.name,
        corpus_folder=run.corpus_folder,
        document_size=run.settings.document_size,
    )
    assert found == {
        "network": (run.name, "document_vector"),
        "unigram_cache": (run.name, "unigram_cache"),
        "kneser_ney5": ("vital-kneser_ney5", "none"),
    }
