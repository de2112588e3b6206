"""Tests of the configuration: allowed values, messages about mistakes, and the resulting runs."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config import loading
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.listed import RUN_KEYS
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


def test_the_hidden_layer_and_the_engine_are_parts_of_a_name():
    rows = [
        {"hidden_size": 10, "cell": ["lstm", "gru"], "document_size": 2},
        {"hidden_size": 10, "context_size": [0, 4], "document_layer": "both", "document_size": 2},
        {"hidden_size": 10, "context_size": 4, "document_gradient": "through"},
        {"hidden_size": 10, "document_size": 2, "document_gradient": "through"},
    ]
    runs = loading.parse(values(training={"engine": "graph"}, rows=rows)).runs()
    assert {run.name: run.model for run in runs} == {
        "vital-M10-D2-lstm-graph-seed1": "10/2 LSTM by graph",
        "vital-M10-D2-gru-graph-seed1": "10/2 GRU by graph",
        "vital-M10-D2-both-graph-seed1": "10/2 both by graph",
        "vital-M10-C4-D2-both-graph-seed1": "10+4/2 both by graph",
        "vital-M10-C4-D0-graph-seed1": "10+4/0 by graph",
        "vital-M10-D2-through-graph-seed1": "10/2 through by graph",
    }
    assert [run.settings.cell_name for run in runs] == [
        *("lstm", "gru", "sigmoid", "slow_context", "slow_context", "sigmoid")
    ]


TEXT = {"source": {"kind": "text", "file": "a.txt"}}
VITAL = {"kind": "wikipedia-vital"}
URL = {"address": "https://example.org/texts/a.jsonl", "sha256": "0" * 64}
FEW = {"max_size": 20}
INFINITE, NONE = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("changed", "key", "expected"),
    [
        # Keys, with the nearest right one and all that are allowed.
        ({"sedes": [1]}, "sedes", ["`seeds`", "search_seed", "corpora"]),
        ({"experimemt": "x"}, "experimemt", ["`experiment`"]),
        ({"traning": {}}, "traning", ["`training`"]),
        ({"training": {"hiden_size": 1}}, "training.hiden_size", ["`hidden_size`", "l2"]),
        ({"rows": [{}, {"max_epoch": 1}]}, "rows[1].max_epoch", ["`max_epochs`", "l2"]),
        ({"rows": [{"seed": 3}]}, "rows[0].seed", ["learning_rate"]),
        ({"search": {"lerning_rate": [1]}}, "search.lerning_rate", ["`learning_rate`"]),
        ({"corpora": {"a": {**TEXT, "min_count": 3}}}, "corpora.a.min_count", ["vocabulary"]),
        (
            {"corpora": {"a": {"source": {"kind": "text", "tokenized": True}}}},
            "corpora.a.source.tokenized",
            ["`tokenised`"],
        ),
        ({"corpora": {"a": {"source": {**VITAL, "url": "x"}}}}, "corpora.a.source.url", ["kind"]),
        ({"corpora": {"a": {"source": {"kind": "web"}}}}, "corpora.a.source.kind", ["'text'"]),
        ({"corpora": {"a": {"source": {}}}}, "corpora.a.source.kind", ["required"]),
        ({"corpora": {"a": {}}}, "corpora.a.source", ["required"]),
        ({"corpora": {"a": {"source": {"kind": "text"}}}}, "corpora.a.source", ["either `file`"]),
        ({"corpora": {}}, "corpora", []),
        ({"corpora": []}, "corpora", ["mapping"]),
        ({"corpora": {"a": {"source": "a.txt"}}}, "corpora.a.source", ["mapping", "'a.txt'"]),
        ({"corpora": {2: TEXT}}, "corpora[2]", ["quotes"]),
        ({"training": {2: None}}, "training[2]", ["2"]),
        # Names.
        ({"experiment": "../elsewhere"}, "experiment", []),
        ({"experiment": 2024}, "experiment", ["quotes"]),
        ({"experiment": "a" * 101}, "experiment", ["100"]),
        ({"corpora": {"a" * 101: TEXT}}, "corpora.aaa", ["100"]),
        # Numbers.
        ({"rows": [{"hidden_size": "many"}]}, "rows[0].hidden_size", ["'many'"]),
        ({"rows": [{"hidden_size": 8.5}]}, "rows[0].hidden_size", ["8.5"]),
        ({"rows": [{"hidden_size": None}]}, "rows[0].hidden_size", ["null"]),
        ({"rows": [{"hidden_size": -1}]}, "rows[0].hidden_size", ["-1", "greater than"]),
        ({"rows": [{"hidden_size": True}]}, "rows[0].hidden_size", ["number", "true"]),
        ({"rows": [{"hidden_size": [8, False]}]}, "rows[0].hidden_size[1]", ["number", "false"]),
        ({"rows": [{"hidden_size": [[8, 9]]}]}, "rows[0].hidden_size[0]", []),
        ({"rows": [{"hidden_size": 10**12}]}, "rows[0].hidden_size", ["100000"]),
        ({"rows": [{"document_size": 10**12}]}, "rows[0].document_size", ["100000"]),
        ({"training": {"learning_rate": NONE}}, "training.learning_rate", ["nan"]),
        ({"training": {"learning_rate": "0,2"}}, "training.learning_rate", ["'0,2'"]),
        ({"training": {"learning_rate": 1e-46}}, "training.learning_rate", ["1e-30"]),
        ({"testing": {"learning_rates": [1e-46]}}, "testing.learning_rates[0]", ["1e-30"]),
        ({"training": {"improvement_factor": INFINITE}}, "training.improvement_factor", ["inf"]),
        ({"training": {"rate_divisor": INFINITE}}, "training.rate_divisor", ["inf"]),
        ({"training": {"max_epochs": 10**20}}, "training.max_epochs", ["1e+09"]),
        ({"tracking": {"watch_seconds": INFINITE}}, "tracking.watch_seconds", ["inf"]),
        ({"tracking": {"watch_seconds": 1e30}}, "tracking.watch_seconds", ["86400"]),
        ({"tracking": {"watch_seconds": True}}, "tracking.watch_seconds", ["number"]),
        ({"seeds": [True]}, "seeds[0]", ["number", "true"]),
        ({"seeds": [2**256]}, "seeds[0]", ["1.15792e+77"]),
        (
            {"corpora": {"a": {"source": {"kind": "wikipedia", "shard": True}}}},
            "corpora.a.source.shard",
            ["number", "true"],
        ),
        ({"search_seed": True, "search": {"l2": [0]}}, "search_seed", ["number", "true"]),
        ({"testing": {"steps": True}}, "testing.steps", ["number", "true"]),
        ({"corpora": {"a": {**TEXT, "lowercase": 1}}}, "corpora.a.lowercase", ["boolean", "1"]),
        (
            {"corpora": {"a": {**TEXT, "min_tokens": 50, "max_tokens": 10}}},
            "corpora.a.min_tokens",
            ["50", "`max_tokens`", "10"],
        ),
        ({"corpora": {"a": {**TEXT, "classes": {"count": 0}}}}, "corpora.a.classes.count", ["0"]),
        (
            {"corpora": {"a": {**TEXT, "classes": {"rule": "exchange"}, "vocabulary": FEW}}},
            "corpora.a.classes.count",
            ["30", "`vocabulary.max_size`", "20"],
        ),
        # Text.
        (
            {"corpora": {"a": {**TEXT, "classes": {"rule": "brown"}}}},
            "corpora.a.classes.rule",
            ["'equal_size' or 'exchange'", "'brown'"],
        ),
        ({"rows": [{"optimizer": "adam"}]}, "rows[0].optimizer", ["adagrad", "sgd", "'adam'"]),
        ({"rows": [{"document_layer": "input"}]}, "rows[0].document_layer", ["'both'", "'input'"]),
        ({"training": {"device": "gpu"}}, "training", ["`device: gpu`", "`engine: jax`"]),
        ({"rows": [{"device": "gpu"}]}, "rows[0]", ["`device: gpu`", "`engine: jax`"]),
        ({"rows": [{"cell": "slow_context"}]}, "rows[0].cell", ["'gru'", "'slow_context'"]),
        ({"rows": [{"context_size": -1}]}, "rows[0].context_size", ["-1", "greater than"]),
        *(
            ({"training": {"context_decay": decay}}, "training.context_decay", [str(decay)])
            for decay in (0, 1)
        ),
        (
            {"rows": [{"context_size": 2, "cell": "gru", "engine": "graph"}]},
            "rows[0]",
            ["`context_size: 2` needs `cell: sigmoid`, not `cell: gru`"],
        ),
        (
            {"rows": [{"cell": "lstm", "document_size": 2, "document_layer": "both"}]},
            "rows[0]",
            [
                "`document_layer: both` with `cell: lstm` needs",
                "`engine: graph` or `engine: theano` or `engine: jax`",
            ],
        ),
        (
            {"rows": [{"dropout": 0.5, "document_size": 2, "document_layer": "hidden"}]},
            "rows[0]",
            ["dropout with `document_layer: hidden` needs `engine: graph` or `engine: theano`"],
        ),
        (
            {
                "rows": [
                    {
                        "document_gradient": "through",
                        "document_layer": "both",
                        "document_size": [0, 2],
                    }
                ]
            },
            "rows[0]",
            [
                "`document_gradient: through` with `document_layer: both` needs `engine: graph`",
                "or `engine: jax`",
            ],
        ),
        (
            {"search": {"dropout": [0.0, 0.5]}, "rows": [{"engine": "jax"}]},
            "search",
            ["`dropout: 0.5` needs `engine: kernel` or `engine: graph` or `engine: theano`"],
        ),
        (
            {"rows": [{"unit_of_text": "document"}]},
            "corpora.vital.divide_by",
            ["`unit_of_text: document`", "`article`"],
        ),
        *(
            ({"tracking": {"store": store}}, "tracking.store", ["sqlite:///FILE", "http://"])
            for store in ("ftp://x", "sqlite://x", "http://", "http://[::1", "x")
        ),
        # Paths.
        ({"downloads": None}, "downloads", ["path", "null"]),
        ({"downloads": "a\0b"}, "downloads", ["NUL"]),
        ({"downloads": "a\n"}, "downloads", ["line end"]),
        ({"downloads": ""}, "downloads", ["path"]),
        (
            {"corpora": {"a": {"source": {"kind": "text", "file": "https://h/f.txt"}}}},
            "corpora.a.source.file",
            ["address", "`url`"],
        ),
        ({"downloads": "~no-such-user/text"}, "downloads", ["no-such-user"]),
        (
            {"corpora": {"a": {"source": {"kind": "text", "file": "a\0b"}}}},
            "corpora.a.source.file",
            ["NUL"],
        ),
        # Addresses.
        *(
            (
                {"corpora": {"a": {"source": {"kind": "text", "url": {**URL, **changed}}}}},
                f"corpora.a.source.url{key}",
                expected,
            )
            for changed, key, expected in (
                ({"sha256": None}, "", ["`sha256`", "`checksums`"]),
                ({"checksums": URL["address"]}, "", ["`sha256`", "`checksums`"]),
                ({"sha256": "0" * 63}, ".sha256", ["64 hexadecimal digits"]),
                ({"name": "../x"}, ".name", ["without a folder"]),
                ({"address": "https://h/.."}, ".name", ["required"]),
                ({"address": f"https://h/{'a' * 300}"}, ".name", ["required"]),
                ({"address": []}, ".address", ["at least 1"]),
                ({"address": [URL["address"], "x"]}, ".address[1]", ["https://HOST/FILE"]),
                ({"checksums": "x", "sha256": None}, ".checksums", ["https://HOST/FILE"]),
                *(
                    ({"address": address}, ".address", ["https://HOST/FILE", "without user"])
                    for address in (
                        *("ftp://h/f", "https://h/", "https://h", "h/f", "https://h/f?token=x"),
                        *("https://h:99999/f", "https://h:x/f"),
                        *("https://me@h/f", "https://me:secret@h/f", "https://h/f#part"),
                    )
                ),
            )
        ),
        # Lists.
        ({"seeds": []}, "seeds", ["at least 1"]),
        ({"seeds": 1}, "seeds", ["list", "1"]),
        ({"seeds": [2, 1, 1]}, "seeds[2]", ["1"]),
        ({"testing": {"document_rates": [0.1, 0.10]}}, "testing.document_rates[1]", ["0.1"]),
        ({"rows": []}, "rows", ["at least 1"]),
        ({"rows": None}, "rows", ["list"]),
        ({"rows": {}}, "rows", ["list"]),
        ({"rows": [{}, {"learning_rate": []}]}, "rows[1].learning_rate", ["empty"]),
        ({"rows": [{"hidden_size": [8, 9, "8"]}]}, "rows[0].hidden_size[2]", ["8"]),
        ({"rows": [{}, {}]}, "rows[1]", ["`rows[0]`", "100/0"]),
        ({"rows": [{}, {"document_layer": "both"}]}, "rows[1]", ["`rows[0]`", "100/0"]),
        ({"rows": [{"l2": [0, 1]}]}, "rows[0].l2", ["`search`", "hidden_size"]),
        ({"training": {"learning_rate": [1, 2]}}, "training.learning_rate", ["one value", "row"]),
        # Tests of nothing.
        ({"testing": {"updates": ["document_vector"]}}, "testing.updates[0]", ["no row"]),
        (
            {"testing": {"updates": ["all"], "learn_after": ["sentence"]}},
            "testing.updates[0]",
            ["is lost"],
        ),
        (
            {"testing": {"updates": ["all"], "learn_after": ["word", "sentence"]}},
            "testing.learn_after[1]",
            ["is lost", "`unit_of_text: [document]`"],
        ),
        (
            {
                "testing": {
                    "updates": ["all"],
                    "learn_after": ["sentence"],
                    "unit_of_text": ["stream", "sentence"],
                }
            },
            "testing.unit_of_text[1]",
            ["is lost", "`learn_after: [word]`"],
        ),
        ({"testing": {"learn_after": ["sentence"]}}, "testing.learn_after", ["`updates`"]),
        ({"testing": {"unit_of_text": ["document"]}}, "testing.unit_of_text", ["`updates`"]),
        (
            {
                "rows": [{"cell": "lstm", "document_size": 2, "document_layer": "both"}],
                "training": {"engine": "graph"},
                "testing": {"rivals": ["kneser_ney", "dynamic_evaluation"]},
            },
            "testing.rivals[1]",
            ["`cell: lstm`", "`document_layer: both`"],
        ),
        # The search.
        ({"search": {"hidden_size": [5, 6]}}, "search.hidden_size", ["`rows`"]),
        ({"search": {"engine": ["graph"]}}, "search.engine", ["hardware", "`training`"]),
        ({"search": {"learning_rate": 0.1}}, "search.learning_rate", ["list"]),
        ({"search": {"learning_rate": []}}, "search.learning_rate", ["empty"]),
        ({"search": {"learning_rate": [0.1, "fast"]}}, "search.learning_rate[1]", ["'fast'"]),
        ({"search": {"learning_rate": [0.1, True]}}, "search.learning_rate[1]", ["number"]),
        ({"search": {"learning_rate": [0.1, NONE]}}, "search.learning_rate[1]", ["nan"]),
        ({"search": {"rate_rule": ["plateau", "none"]}}, "search.rate_rule[1]", ["'toolkit'"]),
        ({"search": {"learning_rate": [1, 1.0]}}, "search.learning_rate[1]", ["1.0"]),
        ({"search": {"learning_rate": [0.1, "0.1"]}}, "search.learning_rate[1]", ["0.1"]),
        ({"search": {"document_rate": [0.1, 0.2]}}, "search.document_rate", ["row"]),
        ({"search": {"learning_rate": [0.1]}, "search_seed": 1}, "search_seed", ["`seeds`"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_line_with_file_key_and_what_is_allowed(changed, key, expected):
    with pytest.raises(UserError) as caught:
        loading.parse(values(**changed), "my.yaml")
    message = str(caught.value)
    assert message.startswith(f"my.yaml: `{key}")
    assert key.endswith("aaa") or message.startswith(f"my.yaml: `{key}`: ")
    assert "\n" not in message
    for text in expected:
        assert text in message


@pytest.mark.parametrize(
    ("sentences", "allowed"), [(1, "2"), (True, "number"), (10**12, "1e.09")], ids=str
)
def test_a_test_set_has_a_possible_size(sentences, allowed):
    """On a single sentence two models cannot be compared."""
    corpus = {"source": {"kind": "wikipedia-vital"}, "test_sentences": sentences}
    with pytest.raises(UserError, match=rf"`corpora\.a\.test_sentences`.* {allowed}"):
        loading.parse(values(corpora={"a": corpus}), "my.yaml")


def test_a_checksum_may_have_capitals():
    url = {**URL, "sha256": "A" * 64}
    source = loading.parse(values(corpora={"a": {"source": {"kind": "text", "url": url}}}))
    assert source.corpora["a"].source.url.sha256 == "a" * 64


def test_a_password_in_an_address_is_not_repeated():
    url = {**URL, "address": "https://me:secret@example.org/a.jsonl"}
    with pytest.raises(UserError) as caught:
        loading.parse(values(corpora={"a": {"source": {"kind": "text", "url": url}}}), "my.yaml")
    assert "secret" not in str(caught.value)


def test_a_path_may_begin_with_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/mine")
    corpora = {"a": {"source": {"kind": "text", "file": "~/a.txt"}}}
    experiment = loading.parse(values(downloads="~/text", corpora=corpora))
    assert experiment.downloads == Path("/home/mine/text")
    assert experiment.corpora["a"].source.file == [Path("/home/mine/a.txt")]


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
    "changed",
    [
        {"rows": [{"hidden_size": "8", "learning_rate": "1e-3"}]},
        {"rows": [{"hidden_size": 8.0}]},
        {"seeds": [2**128], "corpora": {"a": {**TEXT, "seed": 2**200}}},
        {"corpora": {"c": TEXT, "c-kneser_ney3": TEXT, "c-m8": TEXT}},
        {"corpora": {"a" * 100: TEXT}, "experiment": "b" * 100},
        {"training": {"accumulator_start": 1e-300, "l2": 1e6, "learning_rate": 1000}},
        {"testing": {"kneser_ney_order": 10, "rivals": ["kneser_ney"]}},
        {"tracking": {"watch_seconds": 0}},
        # As Snakemake reads a mapping behind `--config`.
        {"corpora": {"a": {**TEXT, "nfc": "false", "min_tokens": "2"}}},
    ],
    ids=str,
)
def test_what_has_always_been_right_is_right(changed):
    assert loading.parse(values(**changed)).runs()


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
