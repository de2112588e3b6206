"""Tests that run the tutorial, docs/theano/, and compare what it quotes with the sources."""

import os
import sys

import pytest

from tests import page
from tests.packages import python_of_theano
from tests.processes import output_of
from tests.project import ROOT

PAGES = sorted((ROOT / "docs" / "theano").glob("*.md"))
GRAPH = "src/online_rnnlm/core/graph.py"


@pytest.mark.slow  # the pages make and train some hundred functions
@pytest.mark.parametrize("engine", page.ENGINES)
def test_the_pages_show_what_an_engine_prints(engine):
    python = python_of_theano() if engine == "theano" else sys.executable
    command = [python, ROOT / "tests" / "page.py", *PAGES, "--engine", engine]
    environment = os.environ | page.FLAGS | {"PYTHONPATH": str(ROOT / "src")}
    done = output_of(command, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_the_pages_quote_files_as_they_are_and_explain_every_line_of_the_models_definition():
    quotes = [one for file in PAGES for one in page.quotes_of(file.read_text(encoding="utf-8"))]
    for file, quoted in quotes:
        source = "\n".join(lines_of((ROOT / file).read_text(encoding="utf-8")))
        for definition in quoted.split("\n\n\n"):
            assert "\n".join(lines_of(definition)) in source, f"{file}:\n{definition}"
    quoted = {line for file, text in quotes if file == GRAPH for line in lines_of(text)}
    code = (ROOT / GRAPH).read_text(encoding="utf-8").split('"""', 2)[2]
    assert [line for line in lines_of(code) if line not in quoted] == []
