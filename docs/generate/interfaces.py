"""Descriptions of what people use: the files of an experiment, the command line, Python's names."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import online_rnnlm
from docs.generate.models import described, keys, table
from online_rnnlm.commands._main import VERBS, parser_of
from online_rnnlm.commands._stages import STAGES
from online_rnnlm.core.way import PARTS
from online_rnnlm.errors import UserError
from online_rnnlm.storage import paths
from online_rnnlm.use.options import SamplingOptions, WayOptions

OPTIONS = {"score": WayOptions, "sample": SamplingOptions}
"""The types of the options of methods of a trained model."""


def files(name: str) -> str:
    """Return a table of the files in a folder, which is a class in `storage/paths.py`."""
    folder: Any = getattr(paths, name)
    [body] = ast.parse(inspect.getsource(folder)).body
    assert isinstance(body, ast.ClassDef)
    return table(("file", "content"), _rows_of(body, folder(Path())))


def _rows_of(body: ast.ClassDef, folder: Any) -> Iterator[tuple[str, str]]:
    """Yield each file of a folder with its docstring; `<name>` stands for a name in its path."""
    for statement in body.body:
        match statement:
            case ast.FunctionDef(name=name, returns=ast.Name("Path")):
                arguments = statement.args
                named = [*arguments.args[1:], *filter(None, [arguments.vararg])]
                place = getattr(folder, name)
                if not isinstance(place, Path):
                    place = place(*(f"<{one.arg}>" for one in named))
                yield _shown(place, ast.get_docstring(statement) or "")


def _shown(place: Path, text: str) -> tuple[str, str]:
    return f"`{place}`", " ".join(text.split())


def verbs_of(group: str) -> str:
    """Return a section for each verb of a group: `work` is what people give, `stages` the rest."""
    chosen = STAGES if group == "stages" else sorted({*VERBS} - {*STAGES})
    return "\n".join(_verb(name, parser_of(name)) for name in chosen)


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
            rows.append((given, _markdown(said).replace("|", "\\|") + must))
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


def public(name: str) -> str:
    """Return the signature and docstring of a public name, and those of a class's methods.

    A method with a `Way`, which is no public name, is left out.
    """
    if name not in online_rnnlm.__all__:
        raise UserError(f"`{name}`: no public name; allowed: {', '.join(online_rnnlm.__all__)}")
    thing = getattr(online_rnnlm, name)
    if not inspect.isclass(thing):
        return _callable(name, thing)
    parts = [_text(thing)]
    for member, value in vars(thing).items():
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            parts.append(f"### {member}\n\n{_text(value)}")
        elif inspect.isfunction(value) and "Way" not in str(inspect.signature(value)):
            parts.append(f"### {member}\n\n{_callable(member, value)}")
    return "\n\n".join(parts)


def _callable(name: str, function: Any) -> str:
    """Return a function's signature, without `self` and quotes, and its docstring."""
    signature = re.sub(r"(?<!')'([^']+)'(?!')", r"\1", str(inspect.signature(function)))
    signature = re.sub(r"\(self(, )?", "(", signature)
    return f"    {name}{signature}\n\n{_text(function)}"


def _text(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def options(name: str) -> str:
    """Return a table of the options that a method takes beside those of its signature."""
    whole = described(OPTIONS[name])
    for option in whole["properties"].values():
        said = option["description"]
        option["description"] = f"{said[:1].upper()}{said[1:]}."
    if name == "score":
        names = ", ".join(f"`{part}`" for part in PARTS)
        whole["properties"]["updates"]["description"] += f" The names: {names}."
    rows = ((option, meaning, allowed) for option, meaning, _, allowed in keys(whole))
    return table(("option", "meaning", "allowed"), rows)
