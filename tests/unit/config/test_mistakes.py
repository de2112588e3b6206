"""Every mistake in a configuration is one line: the file, the key or the line, what is allowed."""

import json
import os
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from online_rnnlm.config.plan import load
from online_rnnlm.config.reading import read_mapping
from online_rnnlm.corpora.planning import plan
from online_rnnlm.errors import UserError
from tests.unit.small_records import VITAL, configuration

GOOD = configuration(corpora={"c": VITAL})
LINES = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").splitlines()
CASES = [
    (changed, key, pieces)
    for changed, key, *pieces in (line.split(" -> ") for line in LINES if " -> " in line)
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt", "a.jsonl"):
        (tmp_path / name).write_text("a text\n", encoding="utf-8")
    for name in ("link", "link2"):
        (tmp_path / name).symlink_to("a.txt")
    (tmp_path / "here").mkdir()
    os.mkfifo("pipe")
    return tmp_path


def refused(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(("changed", "key", "expected"), CASES, ids=[case[1] for case in CASES])
def test_a_mistake_names_its_key_and_what_is_allowed(folder, changed, key, expected):
    values = GOOD | YAML(typ="safe").load(changed.replace("DIGITS", f"'{'0' * 64}'"))
    (folder / "my.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    message = refused(lambda: plan(read_mapping(Path("my.yaml")), "my.yaml"))
    assert message.startswith("my.yaml: ") and f"`{key}`" in message
    assert [piece for piece in expected if piece not in message] == []


def test_every_mistake_is_told_once_in_one_line(folder):
    values = {**GOOD, "seeds": ["a"], "training": {"learning_rate": -1}, "testing": {"steps": "b"}}
    message = refused(lambda: plan(values, "my.yaml"))
    keys = ("seeds[0]", "training.learning_rate", "testing.steps")
    assert [message.count(f"`{key}`: ") for key in keys] == [1, 1, 1]
    many = {**GOOD, "seeds": ["a"] * 9}
    assert refused(lambda: plan(many, "my.yaml")).endswith("; and 4 more")


def test_json_is_read_with_all_of_its_characters(tmp_path):
    values = {"file": "data/\U0001f600 \u00e9.txt"}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    assert read_mapping(file) == values
    file.write_text("{", encoding="utf-8")
    assert refused(read_mapping, file).startswith(f"{file}: cannot be read: Expecting")


BROKEN = [
    (b"a: 1\nb: 2\na: 3\n", 3, 'duplicate key "a"'),
    (b"a: 1\nb:\n\tc: 2\n", 3, "tab"),
    (b"a: [\n", 2, "end"),
    (b"a: 1\nb: caf\xe9\n", 2, "UTF-8"),
    (b"a: !!python/object/apply:os.getcwd []\n", 1, "python/object"),
]


@pytest.mark.parametrize(
    ("content", "place", "expected"),
    [
        *((content, f", line {line}: not YAML", said) for content, line, said in BROKEN),
        *((content, "", "a mapping") for content in (b"", b"- a\n")),
        (b"a: 2024-02-30\n", "", "day is out of range"),
        (b"rows: &rows [*rows]\n", "", "required"),
        (b"experiment: x\n", "", "`corpora`: Field required"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, content, place, expected):
    file = tmp_path / "my.yaml"
    file.write_bytes(content)
    message = refused(load, file)
    assert message.startswith(f"{file}{place}: ") and expected in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        assert f"{path}: cannot be read: " in refused(load, path)


@pytest.mark.parametrize(
    "text",
    [
        "store: http://u:hunter2@h: [\n",
        "store: postgresql://u:hunter2@h/d\nstore: x\n",
        "corpora: {c: {source: {kind: text, url: {address: 'https://u:hunter2@h/f'}}}}",
        "seeds: ['https://u:hunter2@h/f']",
        "testing: http://u:hunter2@host",
        "testing: {updates: {url: 'http://u:hunter2@host'}}",
        "store: http://u:hunter2@host",
        "experiment: http://u:hunter2@host",
    ],
)
def test_a_password_is_not_repeated(folder, text):
    others = {name: value for name, value in GOOD.items() if f"{name}:" not in text}
    (folder / "my.yaml").write_text(f"{yaml.safe_dump(others)}{text}", encoding="utf-8")
    assert "hunter2" not in refused(lambda: plan(read_mapping(Path("my.yaml")), "my.yaml"))
