"""Tests of the reading of YAML: what could be read in two ways is an error with its line."""

import json

import pytest

from online_rnnlm.config.loading import load
from online_rnnlm.config.yaml_files import read_mapping
from online_rnnlm.errors import UserError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "my.yaml"


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, ["`a`", "line 1"]),
        (b"rows:\n  - {hidden_size: 8, hidden_size: 9}\n", 2, ["`hidden_size`"]),
        (b"corpora:\n  c: {x: 1}\n  d: {}\n  c: {x: 1}\n", 4, ["`c`", "line 2"]),
        (b'{"a": 1,\n "a": 2}', 2, ["`a`"]),
        (b"a: 1\nno: 2\n", 2, ["`no`", "quotes"]),
        (b"corpora:\n  1: {}\n", 2, ["`1`", "quotes"]),
        (b"training: {learning_rate: 0,2}\n", 1, ["`2`", "quotes"]),
        (b"2024-01-01: x\n", 1, ["`2024-01-01`", "quotes"]),
        (b"? [a, b]\n: 1\n", 1, ["text"]),
        (b"hidden_size: 010\n", 1, ["010", "8"]),
        (b"a: 1\nwatch_seconds: 1:30\n", 2, ["1:30", "60"]),
        (b"day: 2024-02-30\n", 1, ["`2024-02-30`"]),
        (b"n: !!int many\n", 1, ["`many`"]),
        (b"a: 1\nb:\n\tc: 2\n", 3, ["tab"]),
        (b"a: 1\n---\nb: 2\n", 2, ["document"]),
        (b"a: [\n", 2, []),
        (b"a: 1\nb: caf\xe9\n", 2, ["UTF-8"]),
        (b"a: 1\nb: \x00\n", 2, ["U+0000"]),
        (b"a: !!python/object/apply:os.getcwd []\n", 1, ["python/object"]),
        (b"a: " + b"9" * 5000, 1, ["int"]),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_a_mistake_is_one_line_with_file_and_line(file, content, line, expected):
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_mapping(file)
    message = str(caught.value)
    assert message.startswith(f"{file}, line {line}: ")
    assert "\n" not in message
    for text in expected:
        assert text in message


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"- a\n", b"7\n", b"[1]"])
def test_a_file_without_keys_is_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"my\.yaml: a mapping"):
        read_mapping(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(UserError, match=rf"{path.name}: cannot be read"):
            read_mapping(path)


def test_what_is_nested_too_deeply_is_one_line(file):
    file.write_text("a: " + "[" * 1000, encoding="utf-8")
    with pytest.raises(UserError, match="deep"):
        read_mapping(file)


@pytest.mark.parametrize(
    "content",
    [
        # Each line has the one before nine times: a list of 9 ** 20 words.
        "a0: &a0 word\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(20)),
        "rows: &rows [*rows]\n",
        "corpora: &all {own: *all}\n",
        "training: &t {l2: *t}\n",
    ],
    ids=["a bomb", "a list of itself", "a mapping of itself", "a value of itself"],
)
def test_names_of_other_parts_do_no_harm(file, content):
    file.write_text(f"experiment: x\n{content}", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 1


def test_no_line_of_the_file_is_repeated(file):
    """A line may have a password in it."""
    file.write_text("tracking:\n  store: http://u:hunter2@h: [\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2") as caught:
        read_mapping(file)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("\ufeffa: 1\r\nb: [2]\r\n", {"a": 1, "b": [2]}),
        ("a: &x {b: 1}\nd:\n  <<: *x\n  b: 3\n", {"a": {"b": 1}, "d": {"b": 3}}),
        ("a: &x {<<: {b: 1}, c: 2}\nd: {<<: *x}\n", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}}),
        ("'no': 1\n'1': 2\n", {"no": 1, "1": 2}),
        ("a: '010'\nb: 0\nc: 0x10\nd: -0.5\n", {"a": "010", "b": 0, "c": 16, "d": -0.5}),
        (json.dumps({"a": {"b": [1, None, "c:d"]}}, indent="\t"), {"a": {"b": [1, None, "c:d"]}}),
    ],
    ids=["BOM and CRLF", "merge", "merges of merges", "quoted keys", "numbers", "JSON with tabs"],
)
def test_what_is_right_is_read(file, content, expected):
    file.write_bytes(content.encode("utf-8"))
    assert read_mapping(file) == expected
