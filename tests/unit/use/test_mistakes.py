"""Every mistake in a command that uses a model is one line: what is wrong, and what is allowed."""

import shlex
from pathlib import Path
from zipfile import ZipFile

import pytest

LINES = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.split(" -> ") for line in LINES if " -> " in line]
TEXT = "The cat sees the hen.\n" * 9


def unescaped(text):
    return text.encode().decode("unicode_escape")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_mistake_says_what_is_wrong_and_what_is_allowed(
    tmp_path, monkeypatch, refused, model_path, case
):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT, encoding="utf-8")
    Path("empty.txt").write_text("\n\n", encoding="utf-8")
    Path("articles.jsonl.gz").touch()
    ZipFile("zipped.txt", "w").close()
    written, *pieces = case
    command, has_input, text = written.partition(" <<<")
    arguments = [unescaped(one) for one in shlex.split(command)]
    arguments = [model_path if one == "MODEL" else one for one in arguments]
    given = unescaped(text.removeprefix(" ")).encode("latin-1") if has_input else TEXT
    said = refused(*arguments, text=given)
    assert [piece for piece in pieces if piece not in said] == []
