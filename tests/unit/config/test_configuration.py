"""Tests of configurations that are right: those that are shipped, and all that may be written."""

import os
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.generate.models import schema
from online_rnnlm.config.plan import load, parse
from online_rnnlm.config.rows import OF_ROW_ALONE
from online_rnnlm.config.training import TrainingSettings
from online_rnnlm.errors import UserError

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = sorted(CONFIG.rglob("*.yaml"))
GOOD: dict[str, Any] = {
    "experiment": "made",
    "corpora": {"own": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 8}, {"hidden_size": 8, "document_size": 2}],
}
TEXT = {"source": {"kind": "text", "file": "~/a.txt"}}
many = settings(max_examples=int(os.environ.get("FUZZ", "300")))
"""FUZZ=10000 tries as many of each kind."""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid(path):
    assert load(path).networks


def test_the_example_of_the_reference_is_valid(tmp_path):
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    example = text[text.index("    experiment:") : text.index("Check it")]
    (tmp_path / "mine.yaml").write_text(dedent(example), encoding="utf-8")
    assert len(load(tmp_path / "mine.yaml").networks) == 2


def test_the_demo_and_the_search_compare_the_same_rows():
    demo, search = (load(CONFIG / f"{name}.yaml") for name in ("config", "search"))
    sizes = [
        [(row["hidden_size"], row.get("document_size", 0)) for row in experiment.rows]
        for experiment in (demo, search)
    ]
    assert sizes[0] == sizes[1]
    assert demo.corpora == search.corpora


def test_other_spellings_of_values_are_understood(monkeypatch):
    monkeypatch.setenv("HOME", "/home/mine")
    url = {"address": "https://h/a.jsonl", "sha256": "A" * 64}
    # As Snakemake reads a mapping behind `--config`, all of it text.
    texts = {**TEXT, "nfc": "false", "min_tokens": "2"}
    corpora = {"own": texts, "url": {"source": {"kind": "text", "url": url}}}
    rows = [{"hidden_size": "8", "learning_rate": "1e-3"}, {"hidden_size": 9.0}]
    found = parse({**GOOD, "rows": rows, "corpora": corpora, "downloads": "~/text"})
    assert found.downloads == Path("/home/mine/text")
    own = found.corpora["own"]
    assert (own.source.file, own.nfc, own.min_tokens) == ([Path("/home/mine/a.txt")], False, 2)
    assert found.corpora["url"].source.url.sha256 == "a" * 64
    assert found.rows == [{"hidden_size": 8, "learning_rate": 0.001}, {"hidden_size": 9}]
    subsets = {"updates": ["all", ["output", "document_vector"]]}
    testing = parse({**GOOD, "testing": subsets}).testing
    assert testing.updates == [["all"], ["output", "document_vector"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"seeds": [2**128], "corpora": {"a": {**TEXT, "seed": 2**200}}},
        {"corpora": {"c": TEXT, "c-kneser_ney3": TEXT, "c-m8": TEXT}},
        {"corpora": {"a" * 100: TEXT}, "experiment": "b" * 100},
        {"training": {"accumulator_start": 1e-300, "error_clip": 1e6, "learning_rate": 1000}},
        {"testing": {"kneser_ney_order": 10, "rivals": ["kneser_ney"]}},
        {"rows": [{"hidden_size": 8, **dict.fromkeys(sorted(OF_ROW_ALONE))}]},
    ],
    ids=str,
)
def test_unusual_values_are_allowed(changed):
    assert parse({**GOOD, **changed}).networks


def _found(part: Any, *keys: str) -> set[str]:
    """Return all keys, or all words, that the configuration's schema knows."""
    if isinstance(part, list):
        return set().union(*(_found(item, *keys) for item in part))
    if not isinstance(part, dict):
        return set()
    own = set().union(*(part[k] if k != "const" else [part[k]] for k in keys if k in part))
    return own.union(*(_found(value, *keys) for value in part.values()))


KEYS = st.sampled_from(
    sorted({*TrainingSettings.model_fields, *_found(schema(), "required")})
) | st.text(max_size=5)
WORDS = st.sampled_from(sorted(_found(schema(), "enum", "const")))
NUMBERS = st.integers() | st.integers(0, 20) | st.floats() | st.booleans()
SINGLE = st.none() | NUMBERS | st.text(max_size=6) | WORDS | st.dates()
VALUES = st.recursive(
    SINGLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
PLACES = ("corpora", "corpora.own", "corpora.own.source", "corpora.own.classes", "rows.0", "rows.1")
PLACES += ("testing", "training", "search", "corpora.own.vocabulary")
CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), KEYS, VALUES), min_size=1, max_size=3)


@many
@given(others=st.dictionaries(KEYS, VALUES, max_size=3), changes=CHANGES)
def test_any_configuration_is_right_or_refused_in_one_line(others, changes):
    values = yaml.safe_load(yaml.safe_dump(GOOD))
    for place, key, value in changes:
        part: Any = values
        for name in place.split("."):
            if isinstance(part, list) and name.isdigit():
                part = part[int(name)]
            elif isinstance(part, dict):
                part = part.setdefault(name, {})
        if isinstance(part, dict):
            part[key] = value
    for mixed in (values, {**values, **others}):
        try:
            found = parse(mixed, "my.yaml")
        except UserError as error:
            assert str(error).startswith("my.yaml: ")
            assert len(str(error).splitlines()) == 1, error
            continue
        assert found.networks
        written = yaml.safe_load(yaml.safe_dump(found.model_dump(mode="json")))
        assert parse(written) == found
        assert parse(written).networks == found.networks


@many
@given(st.binary(max_size=50) | st.text(max_size=50).map(lambda t: t.encode("utf-8", "replace")))
def test_any_file_that_is_no_configuration_is_refused_in_one_line(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "made.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=f"^{file}.*$"):
        load(file)
