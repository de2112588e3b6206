"""Made configurations: each is right, or refused in one line that names the file.

FUZZ=10000 tries as many of each kind; the usual run tries fewer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.config import loading
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.documentation import schema

many = settings(max_examples=int(os.environ.get("FUZZ", "300")))
GOOD: dict[str, Any] = {
    "experiment": "made",
    "corpora": {"own": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 8}, {"hidden_size": 8, "document_size": 2}],
}


def _keys(part: Any) -> set[str]:
    """Return all keys that the configuration's schema knows."""
    if isinstance(part, list):
        return set().union(*map(_keys, part))
    if not isinstance(part, dict):
        return set()
    own = set(part["properties"]) if isinstance(part.get("properties"), dict) else set()
    return own.union(*map(_keys, part.values()))


def _words(part: Any) -> set[str]:
    """Return all words that the schema allows as values."""
    if isinstance(part, list):
        return set().union(*map(_words, part))
    if not isinstance(part, dict):
        return set()
    return {*part.get("enum", ()), *[part[k] for k in ("const",) if k in part]}.union(
        *map(_words, part.values())
    )


KEYS = st.sampled_from(sorted(_keys(schema()))) | st.text(max_size=5)
SINGLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 20)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(sorted(_words(schema()), key=str))
    | st.dates()
)
VALUES = st.recursive(
    SINGLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def right_or_one_line(values: dict[str, Any]) -> None:
    try:
        found = loading.parse(values, "my.yaml")
    except UserError as error:
        message = str(error)
        assert message.startswith("my.yaml: "), message
        assert len(message.splitlines()) == 1, message
        return
    assert isinstance(found, Experiment)
    assert found.runs()
    dumped = loading.parse(found.model_dump(mode="json"), "my.yaml")
    assert [run.name for run in dumped.trainings()] == [run.name for run in found.trainings()]


@many
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_mapping(values: dict[str, Any]) -> None:
    right_or_one_line(values)


@many
@given(data=st.data())
def test_a_good_one_with_something_changed(data: st.DataObject) -> None:
    values = yaml.safe_load(yaml.safe_dump(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        place = values
        path = data.draw(
            st.sampled_from(
                [
                    *((), ("corpora",), ("corpora", "own"), ("corpora", "own", "source")),
                    *(("rows", 0), ("rows", 1), ("testing",), ("training",), ("search",)),
                    *(
                        ("tracking",),
                        ("corpora", "own", "vocabulary"),
                        ("corpora", "own", "classes"),
                    ),
                ]
            )
        )
        for key in path:
            if isinstance(place, list):
                place = place[key] if isinstance(key, int) and key < len(place) else {}
            else:
                place = place.setdefault(key, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[data.draw(KEYS)] = data.draw(VALUES)
    right_or_one_line(values)


@many
@given(
    content=st.binary(max_size=50)
    | st.text(max_size=50).map(lambda t: t.encode("utf-8", "replace"))
)
def test_any_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file: Path = tmp_path_factory.getbasetemp() / "made.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        loading.load(file)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert len(message.splitlines()) == 1, message
