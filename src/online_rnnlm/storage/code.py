"""Digests of code, which change only if a change of the code can change a result.

A digest covers every definition that is reached from its starts, function by function, as a syntax
tree. It leaves out what decides no result: docstrings, comments, blank lines, annotations, messages
of errors and of the log, help texts, the names of modules, and the code of the packages in
`_WITHOUT`. Syntax trees differ between minor versions of Python, so the version is a part of every
digest.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from itertools import accumulate

from online_rnnlm.storage.code_cache import remembered
from online_rnnlm.storage.modules import Name, Statement, package_folder, read_module
from online_rnnlm.storage.syntax import PACKAGE

_WITHOUT = ("errors", "process", "config", "storage")
"""Packages whose code is no part of a digest: they run processes, place files and write them.
Settings are compared by their values. The modules in `_WITHIN` do decide results."""
_WITHIN = ("config.catalogue", "config.evaluations", "config.runs", "storage.records")


def code_digest(*starts: str, without: tuple[str, ...] = ()) -> str:
    """Return the sha256, as hexadecimal digits, of all code that is reached from these starts.

    A start is a module of the package (`training.loop`: all of its definitions), or one of a
    module's definitions (`commands.train:run`). The code of the packages and modules in `without`
    is left out, too. Raises ValueError if there is no such module or definition.
    """
    question = f"{starts} without {without}"
    return remembered(question, package_folder(), lambda: _code_digest(starts, without))


def _code_digest(starts: tuple[str, ...], without: tuple[str, ...]) -> str:
    lines = {_line(name, without) for name in _reached(starts, without)}
    version = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256("\n".join([version, *sorted(lines)]).encode()).hexdigest()


def data_digest(folder: str) -> str:
    """Return the sha256, as hexadecimal digits, of the names and contents of a folder's files.

    The folder is one of the package. Raises ValueError if it has no files.
    """
    files = sorted(file for file in (package_folder() / folder).glob("*") if file.is_file())
    if not files:
        raise ValueError(f"{PACKAGE}: no files in `{folder}`")
    contents = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


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
    defined = read_module(module).definitions
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
    foreign, statements = read_module(name[0]).foreign, _statements(name)
    used = {n for statement in statements for n in statement.decisive_names}
    libraries = sorted(f"{n}={foreign[n]}" for n in used if n in foreign)
    trees = [statement.tree for statement in statements]
    return hashlib.sha256("\n".join([*trees, *libraries]).encode()).hexdigest()


@cache
def _references(name: Name, without: tuple[str, ...]) -> dict[str, Name]:
    """Return the definitions of the package that a definition uses, by the names used for them."""
    module, own = read_module(name[0]), name[1]
    found = {other: (name[0], other) for other in module.decorated if other != own}
    found |= {package: (package, "") for package in _packages(name[0], without)}
    for statement in _statements(name):
        imports = module.imports | statement.imports
        for used in statement.names:
            local, _, attribute = used.partition(".")
            if local in imports:
                found |= _meant(used, imports[local], attribute, without)
            elif local in module.definitions and local != own:
                found[local] = (name[0], local)
    return found


def _packages(module: str, without: tuple[str, ...]) -> list[str]:
    """Return the packages around a module that do more than to define: they are loaded first."""
    packages = _with_packages(module)[:-1]
    return [p for p in packages if not _decides_nothing(p, without) and read_module(p).effects]


def _meant(used: str, target: Name, attribute: str, without: tuple[str, ...]) -> dict[str, Name]:
    """Return the definitions that an imported name refers to, by the name as it is written."""
    module, name = target
    if not name:  # `target` is a module: use the attribute, or all of its names
        known = read_module(module)
        names = [attribute] if attribute else [*known.definitions, *known.imports]
        meant = (_meant(f"{used}:{one}", (module, one), "", without) for one in names)
        return {key: value for found in meant for key, value in found.items()}
    if _decides_nothing(module, without):
        return {}
    if name in read_module(module).imports:  # the module imports the name from another one
        return _meant(used, read_module(module).imports[name], attribute, without)
    return {used: target} if name in read_module(module).definitions else {}


def _decides_nothing(module: str, without: tuple[str, ...]) -> bool:
    """True if the code of a module is no part of a digest."""
    places = set(_with_packages(module))
    kept = places & set(_WITHIN) or not places & set(_WITHOUT)
    return not kept or bool(places & set(without))


def _with_packages(module: str) -> list[str]:
    """Return the names of the packages around a module, the outermost first, and its own name."""
    return list(accumulate(module.split("."), "{}.{}".format))


def _statements(name: Name) -> list[Statement]:
    module = read_module(name[0])
    return [*module.effects, *module.definitions.get(name[1], [])]
