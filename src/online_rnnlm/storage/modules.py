"""The top level of the package's modules, read from their files without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from online_rnnlm.storage.syntax import PACKAGE, Bare, Decisive, is_own

Name = tuple[str, str]
"""A module, without the package's name, and one of its definitions; "" is the whole module, or what
it does beside defining if it is a package that is loaded before one of its modules."""


@dataclass(frozen=True)
class Statement:
    """The properties of a statement at a module's top level, read from its syntax tree once."""

    names: frozenset[str]
    """The names that it uses, as `_names` yields them."""
    imports: dict[str, Name]
    """The names that it imports from the package, those imported in functions included."""
    tree: str
    """Its syntax tree without what decides no result, as text."""
    decisive_names: frozenset[str]
    """The names in `tree`, without attributes."""

    @classmethod
    def read(cls, statement: ast.stmt) -> Statement:
        """Read a statement; its syntax tree is changed."""
        names, imports = frozenset(_names(statement)), dict(_own_imports(statement))
        bare = Bare().visit(statement)
        decisive_names = frozenset(name.partition(".")[0] for name in _names(bare))
        return cls(names, imports, ast.dump(bare), decisive_names)


@dataclass(frozen=True)
class Module:
    """The top level of a module of the package."""

    definitions: dict[str, list[Statement]] = field(default_factory=dict)
    effects: list[Statement] = field(default_factory=list)
    """Statements that define nothing; they run before any definition of the module is used."""
    decorated: list[str] = field(default_factory=list)
    """Definitions with decorators, which may register them: they count as used with the module."""
    imports: dict[str, Name] = field(default_factory=dict)
    """Names imported from the package."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Names imported from libraries."""


def module_sources(*modules: str) -> list[Path]:
    """Return the files of these modules and of all that they import from the package, sorted.

    Raises ValueError if there is no such module.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [target for _, (target, _) in _own_imports(_parsed(module))]
            # Python loads a module's package before the module.
            waiting += [module.rpartition(".")[0]] if module else []
    return sorted(_file(module) for module in found)


@cache
def package_folder() -> Path:
    """The folder of the package, found without an import."""
    package = find_spec(PACKAGE)
    assert package is not None and package.origin is not None
    return Path(package.origin).parent


@cache
def read_module(module: str) -> Module:
    """Read a module, given its name below the package. Raises ValueError if there is none."""
    found = Module()
    for statement in _parsed(module).body:
        found.imports.update(_own_imports(statement, deep=False))
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.foreign.update(_foreign_imports(statement))
            continue
        decisive = Decisive().visit(statement)
        if isinstance(decisive, ast.Pass):
            continue
        names = _defined(decisive)
        found.decorated.extend(names if getattr(decisive, "decorator_list", []) else [])
        read = Statement.read(decisive)
        for name in names:
            found.definitions.setdefault(name, []).append(read)
        if not names:
            found.effects.append(read)
    return found


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement uses, each with its first attribute: `graph.pad`."""
    inner = set()
    for node in ast.walk(statement):  # outer nodes come first
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            inner.add(id(node.value))
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and id(node) not in inner:
            yield node.id


def _defined(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at a module's top level defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _own_imports(tree: ast.AST, *, deep: bool = True) -> Iterator[tuple[str, Name]]:
    """Yield the imports from the package, as (local name, definition that it refers to).

    With `deep`, imports within functions are included.
    """
    for node in ast.walk(tree) if deep else _shallow(tree):
        if isinstance(node, ast.ImportFrom) and is_own(node.module):
            module = str(node.module).partition(".")[2]
            for alias in node.names:
                submodule = f"{module}.{alias.name}".lstrip(".")
                target = (submodule, "") if _has_file(submodule) else (module, alias.name)
                yield alias.asname or alias.name, target
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if is_own(alias.name):
                    yield alias.asname or PACKAGE, (alias.name.partition(".")[2], "")


def _shallow(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a statement and, if it is an `if`, its body: `TYPE_CHECKING` guards imports, too."""
    yield tree
    if isinstance(tree, ast.If):
        yield from tree.body


def _foreign_imports(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    source = getattr(statement, "module", None)
    for alias in statement.names:
        if not is_own(source or alias.name):
            yield (alias.asname or alias.name).partition(".")[0], f"{source or ''}:{alias.name}"


def _parsed(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _has_file(module: str) -> bool:
    return any(file.is_file() for file in _candidates(module))


def _file(module: str) -> Path:
    """Return the module's file, found without an import, which could take seconds."""
    for file in _candidates(module):
        if file.is_file():
            return file
    raise ValueError(f"{PACKAGE}: no module `{module}`")


def _candidates(module: str) -> tuple[Path, Path]:
    base = package_folder().joinpath(*module.split(".")) if module else package_folder()
    return base / "__init__.py", base.with_name(f"{base.name}.py")
