"""The fingerprint of code, which is a part of the name of what the code makes."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
DECIDES_NO_NUMBER = ("config", "errors", "process", "storage")
"""Folders and files of settings, messages, names and formats. What they decide is written into
names and records, so what a module imports of them does not count."""
_SAID_TWICE = ("ctx", "kind", "type_comment")
"""Fields of a syntax tree that follow from the others."""
_TEXTS = (ast.Constant, ast.JoinedStr)
_MATCHED = (ast.stmt, ast.JoinedStr)
"""The nodes of which some do not count: it takes long to match all."""


def fingerprint(*modules: str, package: Path = PACKAGE) -> str:
    """Return the sha256, as hexadecimal digits, of modules and of all that they import, as on disk.

    Modules are named from the package, such as `core.training`; a package, such as `analysis`,
    stands for all of its files. Imports count that are made at any time, by statements: what is
    loaded by a name that is computed has to be given. Imports for types alone do not count, nor do
    those of `DECIDES_NO_NUMBER`.

    Comments, docstrings, the layout of a file, and texts that only people read do not count: those
    of errors that are raised, and of `logger`. The fingerprint is the same in all versions of
    Python. Raises FileNotFoundError for a module that is not there.
    """
    waiting = [file for module in modules for file in _files_of(package, module)]
    contents: dict[str, str] = {}
    met: set[str] = set()
    while waiting:
        file = waiting.pop()
        name = str(file.relative_to(package))
        if name in contents:
            continue
        if file.suffix != ".py":
            contents[name] = hashlib.sha256(file.read_bytes()).hexdigest()
            continue
        contents[name], imported = _read(file.read_text(encoding="utf-8"))
        for module in imported - met:
            first, _, rest = module.partition(".")
            if first == package.name and rest.partition(".")[0] not in DECIDES_NO_NUMBER:
                waiting += _modules_at(package.joinpath(*rest.split(".")))
        met |= imported
    return hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()


def _files_of(package: Path, module: str) -> list[Path]:
    """Return the file of a module, or all files of a package."""
    place = package.joinpath(*module.split("."))
    if not place.is_dir():
        return [place.with_suffix(".py")]
    files = (file for file in place.rglob("*") if "__pycache__" not in file.parts)
    return [file for file in files if file.is_file()]


def _modules_at(place: Path) -> list[Path]:
    """Return the file of an imported module or package; none for a name within a module."""
    files = (place.with_suffix(".py"), place / "__init__.py")
    return [file for file in files if file.is_file()]


@cache
def _read(source: str) -> tuple[str, frozenset[str]]:
    """Return the sha256 of a file's code, and the names of all that it imports."""
    code: list[str] = []
    imported: set[str] = set()
    _take(ast.parse(source), code, imported)
    return hashlib.sha256(" ".join(code).encode()).hexdigest(), frozenset(imported)


def _take(node: Any, code: list[str], imported: set[str], *, is_said: bool = False) -> None:
    """Add what counts of a part of a syntax tree to `code`, and the names of its imports.

    `is_said` is True within the statement of an error that is raised: its texts do not count.
    """
    if isinstance(node, list):
        code.append("[")
        for one in node:
            _take(one, code, imported, is_said=is_said)
        code.append("]")
    elif not isinstance(node, ast.AST):
        code.append(repr(node))
    elif not (is_said and isinstance(node, _TEXTS)):
        _take_node(node, code, imported, is_said=is_said or isinstance(node, ast.Raise))


def _take_node(node: ast.AST, code: list[str], imported: set[str], *, is_said: bool) -> None:
    """Add a node of a syntax tree, as `_take`."""
    if isinstance(node, _MATCHED):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):  # a docstring
                return
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))):
                return
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                _take(node.orelse, code, imported)
                return
            case ast.Import():
                imported.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                imported.update([str(node.module), *names])
            case ast.JoinedStr():  # Python 3.12 can add an empty text
                node.values = [one for one in node.values if getattr(one, "value", None) != ""]
    code.append(type(node).__name__)
    for field in node._fields:
        value = getattr(node, field)
        if field not in _SAID_TWICE and value is not None and value != []:
            code.append(field)
            _take(value, code, imported, is_said=is_said)
