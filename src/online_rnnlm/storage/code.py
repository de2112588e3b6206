"""Digests of the package's code, by which Snakemake and training know that code has changed."""

from __future__ import annotations

import ast
import hashlib
import marshal
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

PACKAGE = "online_rnnlm"
OF_TRAINING = ("core", "jobs")
"""The folders with the code of training: a run's identity depends on their digest."""


@cache
def code_digest(*parts: str) -> str:
    """Return the sha256, as hexadecimal digits, of these files, and folders, of the package.

    A Python file counts as the code that Python compiles it to, without places in the file, so that
    comments, docstrings and blank lines are no part of it. It also depends on Python's version.
    """
    package, digest = Path(__file__).parents[1], hashlib.sha256()
    for part in (package / name for name in sorted(parts)):
        for file in [part, *sorted(part.rglob("*"))]:
            if file.is_file() and "__pycache__" not in file.parts:
                content = _compiled(file) if file.suffix == ".py" else file.read_bytes()
                digest.update(f"{file.relative_to(package)} {len(content)} ".encode() + content)
    return digest.hexdigest()


@cache
def _compiled(file: Path) -> bytes:
    tree = ast.parse(file.read_bytes())
    _remove_texts(tree)
    code = compile(tree, "", "exec", dont_inherit=True, optimize=2)
    return marshal.dumps(_without_places(code), 2)  # later formats depend on the process


def _remove_texts(node: Any) -> None:
    """Remove docstrings: Python 3.11 and 3.12 leave an instruction in the place of each."""
    kept = [one for one in node.body if not _is_text(one)]
    if len(kept) < len(node.body):
        node.body = kept or [ast.copy_location(ast.Pass(), node.body[0])]
    for one in kept:
        if hasattr(one, "body"):
            _remove_texts(one)


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _without_places(code: CodeType) -> CodeType:
    inner = (_without_places(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=tuple(inner), co_filename="", co_firstlineno=1, co_linetable=b"")
