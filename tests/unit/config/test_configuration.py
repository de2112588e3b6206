"""Tests of the configuration: allowed values, messages about mistakes, and the resulting runs."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config import loading
from online_rnnlm.config.experiment import RUN_KEYS, Experiment
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline import documentation

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(
    path for path in (ROOT / "config").rglob("*.yaml") if path.name != "published.yaml"
)


def values(**changed):
    good = {
        "experiment": "test",
        "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [{"hidden_size": 10}],
    }
    return {**good, **changed}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid(path):
    assert loading.load(path).runs()


def test_the_demo_and_the_search_compare_the_same_rows():
    demo, search = (loading.load(ROOT / f"config/{n}.yaml") for n in ("config", "search"))
    sizes = [
        [(row["hidden_size"], row["document_size"]) for row in experiment.rows]
        for experiment in (demo, search)
    ]
    assert sizes[0] == sizes[1] == [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
    assert demo.corpora == search.corpora


@pytest.mark.parametrize(
    ("file", "made"),
    [
        (documentation.SCHEMA, documentation.schema_text),
        (documentation.README, documentation.readme_text),
    ],
    ids=["schema", "config/README.md"],
)
def test_what_is_made_from_the_model_is_in_step_with_it(file, made):
    found = (ROOT / file).read_text(encoding="utf-8").splitlines()
    diff = list(difflib.unified_diff(found, made().splitlines(), str(file), "made", lineterm=""))
    if diff:
        pytest.fail("\n".join([*diff, f"{file} is out of date; run: {documentation.COMMAND}"]))


def test_every_key_is_documented():
    readme = documentation.readme_text()
    for key in RUN_KEYS | set(Experiment.model_fields):
        assert f"| `{key}` |" in readme


def test_runs_are_corpora_times_rows_times_seeds():
    experiment = loading.parse(
        values(
            seeds=[1, 2],
            training={"max_epochs": 3, "learning_rate": 9.0},
            rows=[
                {"hidden_size": [10, 20], "max_epochs": 5},
                {"hidden_size": [10, 20], "document_size": [2, 3]},
                {"hidden_size": 10, "document_size": 2, "document_layer": ["hidden", "both"]},
            ],
        )
    )
    runs = {run.name: run for run in experiment.runs()}
    assert len(runs) == (2 + 2 * 2 + 2) * 2
    settings = runs["vital-M20-D3-seed2"].settings
    assert (settings.hidden_size, settings.document_size, settings.seed) == (20, 3, 2)
    assert (settings.learning_rate, settings.max_epochs) == (9.0, 3)
    assert runs["vital-M10-D0-seed1"].settings.max_epochs == 5
    assert runs["vital-M10-D2-hidden-seed1"].settings.document_layer == "hidden"
    assert runs["vital-M10-D2-both-seed1"].model == "10/2 both"
    assert experiment.search_runs() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"sedes": [1]}, ["sedes"]),
        ({"experiment": "../elsewhere"}, ["experiment"]),
        ({"seeds": []}, ["seeds", "at least 1"]),
        ({"training": {"hiden_size": 1}}, ["training", "hiden_size", "hidden_size"]),
        ({"rows": [{"hidden_size": "many"}]}, ["rows.0.hidden_size", "'many'"]),
        ({"rows": [{"hidden_size": -1}]}, ["rows.0.hidden_size", "-1", "greater than"]),
        ({"rows": [{"learning_rate": float("nan")}]}, ["rows.0.learning_rate"]),
        ({"rows": [{"optimizer": "adam"}]}, ["rows.0.optimizer", "adagrad", "sgd", "'adam'"]),
        ({"rows": [{}, {}]}, ["rows", "two rows"]),
        ({"rows": [{"hidden_size": []}]}, ["rows", "no run"]),
        ({"rows": [{"document_layer": "input"}]}, ["rows.0.document_layer", "'both'", "'input'"]),
        ({"rows": [{"seed": 3}]}, ["rows.0", "seed"]),
        ({"search": {"hidden_size": [5, 6]}}, ["search", "hidden_size", "rows"]),
        ({"corpora": {}}, ["corpora"]),
        ({"corpora": {"a": {"source": {"kind": "text"}}}}, ["corpora.a.source", "either `file`"]),
        ({"corpora": {"a": {"source": {"kind": "web"}}}}, ["corpora.a.source", "'text'"]),
        *(
            ({"tracking": {"store": store}}, ["tracking.store", "sqlite:///FILE", "http://"])
            for store in ("ftp://x", "sqlite://x", "http://", "http://[::1", "x")
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_mistake_is_one_line_with_file_key_and_what_is_allowed(changed, expected):
    with pytest.raises(UserError) as caught:
        loading.parse(values(**changed), "my.yaml")
    message = str(caught.value)
    assert message.startswith("my.yaml: ")
    assert "\n" not in message
    for text in expected:
        assert text in message


def test_a_test_set_of_one_sentence_is_refused():
    """Two models cannot be compared on it."""
    corpus = {"source": {"kind": "wikipedia-vital"}, "test_sentences": 1}
    with pytest.raises(UserError, match=r"`corpora\.a\.test_sentences`.* 2"):
        loading.parse(values(corpora={"a": corpus}), "my.yaml")


@pytest.mark.parametrize(
    "store",
    [
        *(None, ""),  # the experiment's own store
        *("http://localhost:5000", "https://x/y", "sqlite:///x.db", "postgresql+psycopg2://u@h/db"),
    ],
)
def test_an_address_of_mlflow_is_allowed(store):
    assert loading.parse(values(tracking={"store": store})).tracking.store == store


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"a: [", "not YAML"), (b"- a\n", "a mapping"), (b"", "a mapping"), (b"\xff\xfe", "not YAML")],
)
def test_a_file_that_is_no_configuration(tmp_path, content, expected):
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=expected) as caught:
        loading.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: cannot be read"):
        loading.load(tmp_path / "nowhere.yaml")


@given(
    hidden=st.integers(1, 1000),
    vector=st.integers(0, 100),
    rate=st.floats(1e-6, 10, allow_nan=False),
)
def test_written_out_and_read_again_it_is_the_same(hidden, vector, rate):
    row = {"hidden_size": hidden, "document_size": vector, "learning_rate": rate}
    experiment = loading.parse(values(rows=[row]))
    dumped = yaml.safe_load(yaml.safe_dump(experiment.model_dump(mode="json")))
    again = loading.parse(dumped)
    assert again.runs() == experiment.runs()
    assert RunSettings.model_validate(again.runs()[0].settings.model_dump()).hidden_size == hidden
