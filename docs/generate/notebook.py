"""The notebook `docs/tour.ipynb`: its cells are run, and what they show is kept in it.

A cell shows what it prints, and the value of its last line, as HTML if it has that. No more of
Jupyter is needed.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

TOUR = Path("docs/tour.ipynb")


def write() -> None:
    """Run the notebook's cells, and write it with what they show."""
    TOUR.write_text(with_outputs(TOUR), encoding="utf-8")


def with_outputs(file: Path) -> str:
    """Return a notebook with its outputs made anew; its cells run in its folder, as in Jupyter."""
    notebook = json.loads(file.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    with contextlib.chdir(file.parent):
        for number, cell in enumerate(cells, 1):
            cell["execution_count"] = number
            cell["outputs"] = _run("".join(cell["source"]), names, number)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _run(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run a cell, and return its outputs as a notebook has them."""
    steps = ast.parse(source).body
    value: Any = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if steps and isinstance(last := steps[-1], ast.Expr):
            exec(compile(ast.Module(steps[:-1], []), "<cell>", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        else:
            exec(source, names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    if value is not None:
        # Jupyter shows HTML if it is there; a frame's plain text depends on the terminal's width.
        kind = "text/html" if hasattr(value, "_repr_html_") else "text/plain"
        shown = value._repr_html_() if kind == "text/html" else repr(value)
        data = {kind: shown.splitlines(keepends=True)}
        counted = {"execution_count": number, "metadata": {}}
        outputs.append({"output_type": "execute_result", "data": data, **counted})
    return outputs
