"""Descriptions of what people use: the files of an experiment, the command line, Python's names."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import online_rnnlm
from docs.generate.models import described, keys, table
from online_rnnlm.commands._inputs import descriptions_of
from online_rnnlm.commands._main import VERBS, parser_of
from online_rnnlm.commands._stages import STAGES
from online_rnnlm.core.way import PARTS
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory, File, RunDirectory
from online_rnnlm.use.options import SamplingOptions, WayOptions

DIRECTORIES = (CorpusDirectory, RunDirectory, ExperimentDirectory)
"""The classes of the folders whose files people read."""
OPTIONS = {"score": WayOptions, "sample": SamplingOptions}
"""The types of the options of methods of a trained model."""


def files() -> dict[str, Callable[[], str]]:
    """Return what makes the table of the files in each folder."""
    return {folder.__name__: partial(_files, folder) for folder in DIRECTORIES}


def _files(folder: type[Any]) -> str:
    """Return a table of the files in a folder."""
    return table(("file", "content"), _rows_of(folder))


def _rows_of(folder: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield each path of a folder with its docstring; `<name>` stands for a name in the path."""
    for name, member in vars(folder).items():
        if isinstance(member, File):
            place = member.name
        elif inspect.isfunction(member) and get_type_hints(member).get("return") is Path:
            method = getattr(folder(Path()), name)
            place = method(*(f"<{argument}>" for argument in inspect.signature(method).parameters))
        else:
            continue
        yield f"`{place}`", " ".join(_text(member).split())


def verbs() -> dict[str, Callable[[], str]]:
    """Return what describes the verbs of each group: people's `work`, and the workflow's stages."""
    work = sorted({*VERBS} - {*STAGES})
    return {"work": partial(_verbs, work), "stages": partial(_verbs, STAGES)}


def _verbs(names: Iterable[str]) -> str:
    """Return a section for each of some verbs."""
    return "\n".join(_verb(name, parser_of(name)) for name in names)


def _verb(name: str, parser: argparse.ArgumentParser) -> str:
    """Return what a verb does, its arguments in a table, and what its help adds."""
    rows = []
    shown = [action for action in parser._actions if action.dest != "help"]
    for action in shown:
        named = ", ".join(f"`{option}`" for option in action.option_strings)
        value = _value(action)
        given = " ".join([named, f"`{value}`"] if named and value else [named or f"`{value}`"])
        if action.help:
            must = " (required)" if named and action.required else ""
            said = " ".join((action.help % vars(action)).split())
            rows.append((given, _markdown(said) + must))
    placed = [f" {_value(action)}" for action in shown if not action.option_strings]
    about = parser.description or ""
    parts = [f"### {name}\n", f"{about[:1].upper()}{about[1:]}.\n"]
    parts.append(f"    {parser.prog} [OPTION]...{''.join(placed)}\n")
    if rows:
        parts.append(table(("argument", "meaning"), rows))
    example, _, more = (parser.epilog or "").removeprefix("example: ").partition("\n")
    if example:
        parts.append(f"Example:\n\n    {example}\n")
    if more.strip():
        parts.append(f"{_markdown(more.strip())}\n")
    return "\n".join(parts)


def _value(action: argparse.Action) -> str:
    """Return the name of an argument's value; empty for an option without one."""
    if action.nargs == 0:
        return ""
    if action.choices and action.metavar is None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    name = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    many = {"*": "...", "+": "..."}.get(str(action.nargs), "")
    return f"{name}{many}"


def _markdown(help_text: str) -> str:
    """Return a text of the help as Markdown, which takes a `<` outside of code for HTML."""
    return re.sub(r"(?<!`)<", "&lt;", help_text)


def public() -> dict[str, Callable[[], str]]:
    """Return what describes each public name of Python."""
    return {name: partial(_public, name) for name in online_rnnlm.__all__}


def _public(name: str) -> str:
    """Return the signature and docstring of a public name, and those of a class's methods."""
    thing = getattr(online_rnnlm, name)
    if not inspect.isclass(thing):
        return _callable(name, thing)
    parts = [_text(thing)]
    for member, value in vars(thing).items():
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            parts.append(f"### {member}\n\n{_text(value)}")
        elif inspect.isfunction(value):
            parts.append(f"### {member}\n\n{_callable(member, value)}")
    return "\n\n".join(parts)


def _callable(name: str, function: Any) -> str:
    """Return a function's signature, without `self` and quotes, and its docstring."""
    signature = re.sub(r"(?<!')'([^']+)'(?!')", r"\1", str(inspect.signature(function)))
    signature = re.sub(r"\(self(, )?", "(", signature)
    return f"    {name}{signature}\n\n{_text(function)}"


def _text(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def options() -> dict[str, Callable[[], str]]:
    """Return what makes the table of each method's options."""
    return {method: partial(_options, kind) for method, kind in OPTIONS.items()}


def _options(kind: type[Any]) -> str:
    """Return a table of the options that a method takes beside those of its signature."""
    whole = described(kind)
    for option, text in descriptions_of(kind).items():
        said = " ".join(text.split())
        whole["properties"][option]["description"] = f"{said[:1].upper()}{said[1:]}."
    if kind is WayOptions:
        names = ", ".join(f"`{part}`" for part in PARTS)
        whole["properties"]["updates"]["description"] += f" The names: {names}."
    rows = ((option, meaning, allowed) for option, meaning, _, allowed in keys(whole))
    return table(("option", "meaning", "allowed"), rows)
