"""Runs the code blocks of pages in order and compares what they print with what the pages show.

    python tests/page.py docs/theano/*.md                              # by PyTensor
    PYTHONPATH=src .venv-theano/bin/python tests/page.py docs/theano/*.md --engine theano

A fence that begins with `python` is a block to run; it knows what the blocks before it have
defined, those of the pages before it, too. A fence `text` after it shows what it prints.
One with `title="Theano"` or `title="PyTensor"` shows what only that library prints. A fence
`python title="FILE"` quotes a file and is not run. `--write` puts what is printed into the pages.

The original Theano runs this file, too, so it keeps to Python 3.8.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

ENGINES = ("pytensor", "theano")
# Functions are ready at once, as nothing is compiled to C or by numba. What is printed is the same.
# Theano's excluded rewritings fail on the empty matrices of a layer without a document vector.
FLAGS = {
    "PYTENSOR_FLAGS": "mode=FAST_COMPILE,floatX=float64,cxx=",
    "THEANO_FLAGS": "mode=FAST_COMPILE,floatX=float64,cxx=,"
    "optimizer_excluding=scan_pushout_dot1:scanOp_pushout_output",
}
FENCE = re.compile(r'^```(\w+)(?: title="([^\n]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """A block of code and what the page shows of its output."""

    line: int
    """The line of the page where the code begins."""
    code: str
    shown: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The output's first and last position in the page's text, by engine."""


def blocks_of(page: str) -> list[Block]:
    """Return the blocks that run, in order."""
    found: list[Block] = []
    for fence in FENCE.finditer(page):
        language = fence[1]
        more = fence[2]
        if language == "python" and more is None:
            found.append(Block(page.count("\n", 0, fence.start(3)) + 1, fence[3]))
        elif language == "text":
            for engine in ENGINES if more is None else (more.lower(),):
                assert found and engine in ENGINES and engine not in found[-1].shown, fence[0]
                found[-1].shown[engine] = fence.span(3)
    return found


def quotes_of(page: str) -> list[tuple[str, str]]:
    """Return the files that the page quotes, each with the quoted lines."""
    return [(f[2], f[3]) for f in FENCE.finditer(page) if f[1] == "python" and f[2]]


def printed_by(block: Block, namespace: dict[str, object], name: str) -> str:
    """Run a block; return what it prints, without spaces at the ends of lines."""
    code = compile("\n" * (block.line - 1) + block.code, name, "exec")
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, namespace)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def run(files: list[Path], engine: str, write: bool) -> int:
    """Run the blocks of pages, print each difference; return how many there are."""
    os.environ.update({name: os.environ.get(name, flags) for name, flags in FLAGS.items()})
    if engine == "theano":
        import_module("online_rnnlm.core.engines.theano_worker").take_pytensors_place()
    namespace: dict[str, object] = {"__name__": "page"}
    return sum(run_page(file, engine, write, namespace) for file in files)


def run_page(file: Path, engine: str, write: bool, namespace: dict[str, object]) -> int:
    """Run one page's blocks, print each difference; return how many there are."""
    page = file.read_text(encoding="utf-8")
    different = []
    for block in blocks_of(page):
        begin, end = block.shown.get(engine, (0, 0))
        printed = printed_by(block, namespace, str(file))
        if printed != page[begin:end]:
            different.append((begin, end, printed))
            print(f"{file}:{block.line}: prints\n{printed}\nbut shows\n{page[begin:end]}")
    if write:
        for begin, end, printed in reversed(different):
            assert end, f"there is no place for the output:\n{printed}"
            page = page[:begin] + printed + page[end:]
        file.write_text(page, encoding="utf-8")
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0])
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    arguments = parser.parse_args()
    return int(run(arguments.pages, arguments.engine, arguments.write) > 0)


if __name__ == "__main__":
    sys.exit(main())
