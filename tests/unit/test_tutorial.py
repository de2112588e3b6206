"""Tests that run the tutorial, docs/theano.md, and compare what it quotes with the sources."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import page
from tests.project import ROOT

PAGE = ROOT / "docs" / "theano.md"
GRAPH = "src/online_rnnlm/model/graph.py"

slow = pytest.mark.slow  # half a minute each: the page makes and trains some hundred functions


def run_page(file: Path, *arguments: str, python: str = sys.executable):
    """Run a page's blocks in a process of their own; its output says where the page differs."""
    command = [python, str(ROOT / "tests" / "page.py"), str(file), *arguments]
    environment = os.environ | page.FLAGS | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def theano() -> str:
    """The Python of the environment with Theano 1.0.5."""
    environment = ROOT / ".venv-theano"
    default = environment / "bin" / "python" if (environment / "installed-for").exists() else ""
    python = os.environ.get("THEANO_PYTHON", str(default))
    if not python:
        pytest.skip("Theano 1.0.5 is not installed: `make theano`")
    return python


@slow
def test_the_page_shows_what_pytensor_prints():
    done = run_page(PAGE)
    assert done.returncode == 0, done.stdout + done.stderr


@slow
def test_the_page_shows_what_theano_prints(theano):
    done = run_page(PAGE, "--engine", "theano", python=theano)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_block_that_prints_has_its_output_for_both_libraries():
    blocks = page.blocks_of(PAGE.read_text(encoding="utf-8"))
    assert blocks and [block.line for block in blocks if len(block.shown) == 1] == []


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_the_page_quotes_files_as_they_are():
    for file, quoted in page.quotes_of(PAGE.read_text(encoding="utf-8")):
        source = "\n".join(lines_of((ROOT / file).read_text(encoding="utf-8")))
        assert "\n".join(lines_of(quoted)) in source, f"{file}:\n{quoted}"


def test_the_page_explains_every_line_of_the_models_definition():
    quotes = page.quotes_of(PAGE.read_text(encoding="utf-8"))
    quoted = {line for file, text in quotes if file == GRAPH for line in lines_of(text)}
    code = (ROOT / GRAPH).read_text(encoding="utf-8").split('"""', 2)[2]
    assert [line for line in lines_of(code) if line not in quoted] == []


def test_the_irises_are_those_of_scikit_learn():
    sklearn = Path(find_spec("sklearn").origin).parent
    [head, *theirs] = (sklearn / "datasets/data/iris.csv").read_text(encoding="utf-8").splitlines()
    names = head.split(",")[2:]
    ours = (ROOT / "docs/theano/iris.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert ours == [f"{row[:-1]}{names[int(row[-1])]}" for row in theirs]


PRINTS_TWO = """
```python
print(1 + 1)
```
```text
{}
```
"""


@pytest.mark.parametrize(("shown", "status"), [("2", 0), ("3", 1)], ids=["right", "wrong"])
def test_a_wrong_output_is_found(tmp_path, shown, status):
    file = tmp_path / "page.md"
    file.write_text(PRINTS_TWO.format(shown), encoding="utf-8")
    done = run_page(file)
    assert done.returncode == status, done.stderr
    assert (f"{file}:3: prints" in done.stdout) == bool(status)


def test_an_output_can_be_written_into_the_page(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PRINTS_TWO.format("?"), encoding="utf-8")
    run_page(file, "--write")
    assert file.read_text(encoding="utf-8") == PRINTS_TWO.format("2")


def test_an_output_of_one_library_is_not_expected_of_the_other():
    text = PRINTS_TWO.format("2").replace("```text", "```text theano")
    [block] = page.blocks_of(text)
    assert list(block.shown) == ["theano"]
