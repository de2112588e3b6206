"""The schema of a configuration, and the tables of its keys, from the typed models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.mistakes import IN_WORDS

SCHEMA = Path("workflow/schemas/config.schema.yaml")
COMMAND = "make document"
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true`, `false`",
    "null": "`null`",
}
Schema = dict[str, Any]


def schema() -> Schema:
    """Return the JSON schema of a configuration file."""
    whole = described(Experiment)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def described(kind: type[Any]) -> Schema:
    """Return the JSON schema of a class, without the titles that pydantic derives from names."""
    made: Schema = _plain(TypeAdapter(kind).json_schema())
    return made


def _plain(part: Any) -> Any:
    """Return a schema without titles, and with its descriptions in one line each."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _plain(one) for key, one in part.items()}
    if isinstance(plain.get("title"), str):
        del plain["title"]
    if isinstance(plain.get("description"), str):
        plain["description"] = " ".join(plain["description"].split())
    return plain


def schema_text() -> str:
    """Return the schema as YAML: a key and its bounds in a line.

    Settings stand where they are used: pages that are made from a schema do not follow `$ref`.
    """
    whole = schema()
    text = StringIO()
    yaml = YAML(pure=True)
    yaml.default_flow_style = None
    yaml.width = 10_000
    for part in whole["properties"].values():
        if "$ref" in part:
            kind = whole["$defs"][name_in(part.pop("$ref"))]
            part |= {**kind, **part}
    yaml.dump(whole, text)
    return f"# Made from src/online_rnnlm/config by `{COMMAND}`.\n{text.getvalue()}"


def settings() -> dict[str, Callable[[], str]]:
    """Return what makes the table of each class of settings, and that of all kinds of `sources`."""
    whole = schema()
    definitions = {"Experiment": whole, **whole["$defs"]}
    makers = {name: partial(_settings, one) for name, one in definitions.items()}
    return {**makers, "sources": partial(_sources, definitions)}


def _settings(definition: Schema) -> str:
    """Return a table of the keys of settings."""
    return table(("key", "meaning", "default", "allowed"), keys(definition))


def _sources(definitions: dict[str, Schema]) -> str:
    """Return a section for each kind of source, with a table of its keys."""
    kinds = definitions["CorpusSettings"]["properties"]["source"]["discriminator"]["mapping"]
    tables = {kind: _settings(definitions[name_in(place)]) for kind, place in kinds.items()}
    return "\n".join(f"### `kind: {kind}`\n\n{made}" for kind, made in tables.items())


def name_in(reference: str) -> str:
    """Return the name of the class that a schema refers to, as in `#/$defs/Url`."""
    return reference.rpartition("/")[2]


def keys(definition: Schema) -> Iterator[tuple[str, ...]]:
    """Yield a row for each key: its meaning, default and allowed values."""
    required = definition.get("required", [])
    for key, part in definition["properties"].items():
        default = "required" if key in required else _default(part)
        yield f"`{key}`", part["description"], default, in_words(part)


def _default(part: Schema) -> str:
    """Return the default value; a part with keys of its own only refers to their defaults."""
    value = part.get("default")
    if isinstance(value, dict) and value:
        return "see below"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown, whose cells are Markdown and may be long: nothing is aligned."""
    cells = ([cell.replace("|", r"\|") for cell in line] for line in (head, *rows))
    first, *others = (f"| {' | '.join(line)} |\n" for line in cells)
    return "".join([first, f"|{'---|' * len(head)}\n", *others])


def in_words(part: Schema) -> str:
    """Return the values that a schema allows, in words; those with keys of their own are below."""
    match part:
        case {"anyOf": options} | {"oneOf": options}:
            words = " or ".join(dict.fromkeys(map(in_words, options)))
            words = words.replace("whole number or number", "number")
        case {"enum": values}:
            words = ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            words = f"`{value}`"
        case {"prefixItems": items}:
            words = f"list: {', '.join(map(in_words, items))}"
        case {"type": "array", "items": item}:
            words = f"list, each: {in_words(item)}"
        case {"type": "object", "additionalProperties": dict(item)}:
            words = f"mapping, each value: {in_words(item)}"
        case {"type": "object", "patternProperties": dict(items)}:
            words = f"mapping, each value: {in_words(*items.values())}"
        case {"format": "path"}:
            words = "file or folder"
        case {"format": "date-time"}:
            words = "time, ISO 8601"
        case _:
            kind = IN_WORDS.get(part.get("pattern", "")) or _TYPES.get(part.get("type", ""))
            bounds = [
                f"{sign} {_number(part[key])}" for key, sign in _BOUNDS.items() if key in part
            ]
            words = " ".join([kind or "see below", *bounds])
    return words


def _number(value: float) -> str:
    return f"{value:g}".replace("e+0", "e").replace("e+", "e")
