"""Digests of code, which change only if a change of the code can change a result.

A digest covers every definition that is reached from its starts, function by function, as a syntax
tree. It leaves out what decides no result: docstrings, comments, blank lines, annotations, messages
of errors and of the log, help texts, the names of modules, and the code of the packages in
`_WITHOUT`. Syntax trees differ between minor versions of Python, so the version is a part of every
digest.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from online_rnnlm.storage.code_cache import remembered
from online_rnnlm.storage.syntax import PACKAGE, Bare, Decisive, is_own

_WITHOUT = ("errors", "process", "config", "storage")
"""Packages whose code is no part of a digest: they run processes, place files and write them.
Settings are compared by their values. The modules in `_WITHIN` do decide results."""
_WITHIN = ("config.catalogue", "config.evaluations", "config.runs", "storage.records")

Name = tuple[str, str]
"""A module, without the package's name, and one of its definitions; "" is the whole module."""


def code_digest(*starts: str, without: tuple[str, ...] = ()) -> str:
    """Return the sha256, as hexadecimal digits, of all code that is reached from these starts.

    A start is a module of the package (`training.loop`: all of its definitions), or one of a
    module's definitions (`commands.train:run`). The code of the packages and modules in `without`
    is left out, too. Raises ValueError if there is no such module or definition.
    """
    question = f"{starts} without {without}"
    return remembered(question, _folder(), lambda: _code_digest(starts, without))


def _code_digest(starts: tuple[str, ...], without: tuple[str, ...]) -> str:
    lines = {_line(name, without) for name in _reached(starts, without)}
    version = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256("\n".join([version, *sorted(lines)]).encode()).hexdigest()


def data_digest(folder: str) -> str:
    """Return the sha256, as hexadecimal digits, of the names and contents of a folder's files.

    The folder is one of the package. Raises ValueError if it has no files.
    """
    files = sorted(file for file in (_folder() / folder).glob("*") if file.is_file())
    if not files:
        raise ValueError(f"{PACKAGE}: no files in `{folder}`")
    contents = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


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


def _reached(starts: tuple[str, ...], without: tuple[str, ...]) -> set[Name]:
    found: set[Name] = set()
    waiting = [name for start in starts for name in _start(start)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(name, without).values()
    return found


def _start(start: str) -> list[Name]:
    module, _, definition = start.partition(":")
    defined = _module(module).definitions
    if definition and definition not in defined:
        raise ValueError(f"{module}: no definition `{definition}`")
    return [(module, definition)] if definition else [(module, name) for name in defined]


@cache
def _line(name: Name, without: tuple[str, ...]) -> str:
    """Return a definition's digest and those of the definitions that it refers to, as text."""
    means = _references(name, without)
    return " ".join([_digest(name), *(f"{used}={_digest(means[used])}" for used in sorted(means))])


@cache
def _digest(name: Name) -> str:
    """Return the sha256 of a definition's own code, without what decides no result."""
    foreign, statements = _module(name[0]).foreign, _statements(name)
    used = {n for statement in statements for n in statement.decisive_names}
    libraries = sorted(f"{n}={foreign[n]}" for n in used if n in foreign)
    trees = [statement.tree for statement in statements]
    return hashlib.sha256("\n".join([*trees, *libraries]).encode()).hexdigest()


@cache
def _references(name: Name, without: tuple[str, ...]) -> dict[str, Name]:
    """Return the definitions of the package that a definition uses, by the names used for them."""
    module, own = _module(name[0]), name[1]
    found = {other: (name[0], other) for other in module.decorated if other != own}
    for statement in _statements(name):
        imports = module.imports | statement.imports
        for used in statement.names:
            local, _, attribute = used.partition(".")
            if local in imports:
                found |= _meant(used, imports[local], attribute, without)
            elif local in module.definitions and local != own:
                found[local] = (name[0], local)
    return found


def _meant(used: str, target: Name, attribute: str, without: tuple[str, ...]) -> dict[str, Name]:
    """Return the definitions that an imported name refers to, by the name as it is written."""
    module, name = target
    if not name:  # `target` is a module: use the attribute, or all of its names
        known = _module(module)
        names = [attribute] if attribute else [*known.definitions, *known.imports]
        meant = (_meant(f"{used}:{one}", (module, one), "", without) for one in names)
        return {key: value for found in meant for key, value in found.items()}
    if _decides_nothing(module, without):
        return {}
    if name in _module(module).imports:  # the module imports the name from another one
        return _meant(used, _module(module).imports[name], attribute, without)
    return {used: target} if name in _module(module).definitions else {}


def _decides_nothing(module: str, without: tuple[str, ...]) -> bool:
    """True if the code of a module is no part of a digest."""
    parts = module.split(".")
    places = {".".join(parts[: number + 1]) for number in range(len(parts))}
    kept = places & set(_WITHIN) or not places & set(_WITHOUT)
    return not kept or bool(places & set(without))


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement uses, each with its first attribute: `graph.pad`."""
    inner = set()
    for node in ast.walk(statement):  # outer nodes come first
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            inner.add(id(node.value))
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and id(node) not in inner:
            yield node.id


@dataclass(frozen=True)
class _Statement:
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
    def read(cls, statement: ast.stmt) -> _Statement:
        """Read a statement; its syntax tree is changed."""
        names, imports = frozenset(_names(statement)), dict(_own_imports(statement))
        bare = Bare().visit(statement)
        decisive_names = frozenset(name.partition(".")[0] for name in _names(bare))
        return cls(names, imports, ast.dump(bare), decisive_names)


@dataclass(frozen=True)
class _Module:
    """The top level of a module of the package."""

    definitions: dict[str, list[_Statement]] = field(default_factory=dict)
    effects: list[_Statement] = field(default_factory=list)
    """Statements that define nothing; they run before any definition of the module is used."""
    decorated: list[str] = field(default_factory=list)
    """Definitions with decorators, which may register them: they count as used with the module."""
    imports: dict[str, Name] = field(default_factory=dict)
    """Names imported from the package."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Names imported from libraries."""


def _statements(name: Name) -> list[_Statement]:
    module = _module(name[0])
    return [*module.effects, *module.definitions[name[1]]]


@cache
def _module(module: str) -> _Module:
    found = _Module()
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
        read = _Statement.read(decisive)
        for name in names:
            found.definitions.setdefault(name, []).append(read)
        if not names:
            found.effects.append(read)
    return found


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
    base = _folder().joinpath(*module.split(".")) if module else _folder()
    return base / "__init__.py", base.with_name(f"{base.name}.py")


@cache
def _folder() -> Path:
    package = find_spec(PACKAGE)
    assert package is not None and package.origin is not None
    return Path(package.origin).parent
