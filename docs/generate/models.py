"""The schema of a configuration, and the tables of its keys, from the typed models."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

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
    """Return the JSON schema of a configuration file.

    A setting of training is described once, in `TrainingSettings`, also for rows and searches.
    """
    whole = _plain(Experiment.model_json_schema())
    kinds = whole["$defs"]
    for key, described in kinds["TrainingSettings"]["properties"].items():
        for kind in ("Search", "RowSettings"):
            kinds[kind]["properties"][key]["description"] = described["description"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def _plain(part: Any) -> Any:
    """Return a schema without pydantic's titles, and with its descriptions in one line each."""
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
            kind = whole["$defs"][_name_in(part.pop("$ref"))]
            part |= {**kind, **part}
    yaml.dump(whole, text)
    return f"# Made from src/online_rnnlm/config by `{COMMAND}`.\n{text.getvalue()}"


def settings() -> dict[str, Callable[[], str]]:
    """Return what makes the table of each class of settings, and that of all kinds of `sources`."""
    whole = schema()
    definitions = {"Experiment": whole, **whole["$defs"]}
    makers = {name: partial(_table, one) for name, one in definitions.items()}
    return {**makers, "sources": partial(_sources, definitions)}


def _table(definition: Schema) -> str:
    """Return a table of keys in Markdown: their meanings, defaults and allowed values."""
    lines = ["| key | meaning | default | allowed |\n|---|---|---|---|\n"]
    for key, part in definition["properties"].items():
        required = key in definition.get("required", [])
        default = "required" if required else _default(part)
        cells = (f"`{key}`", part["description"], default, _in_words(part))
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n")
    return "".join(lines)


def _sources(definitions: dict[str, Schema]) -> str:
    """Return a section for each kind of source, with a table of its keys."""
    kinds = definitions["CorpusSettings"]["properties"]["source"]["discriminator"]["mapping"]
    tables = {kind: _table(definitions[_name_in(place)]) for kind, place in kinds.items()}
    return "\n".join(f"### `kind: {kind}`\n\n{made}" for kind, made in tables.items())


def _name_in(reference: str) -> str:
    """Return the name of the class that a schema refers to, as in `#/$defs/Url`."""
    return reference.rpartition("/")[2]


def _default(part: Schema) -> str:
    """Return the default value; a part with keys of its own only refers to their defaults."""
    value = part.get("default")
    if isinstance(value, dict) and value:
        return "see below"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _in_words(part: Schema) -> str:
    """Return the values that a schema allows, in words; those with keys of their own are below."""
    match part:
        case {"anyOf": options} | {"oneOf": options}:
            words = " or ".join(dict.fromkeys(map(_in_words, options)))
            words = words.replace("whole number or number", "number")
        case {"enum": values}:
            words = ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            words = f"`{value}`"
        case {"type": "array", "items": item}:
            words = f"list, each: {_in_words(item)}"
        case {"type": "object", "additionalProperties": dict(item)}:
            words = f"mapping, each value: {_in_words(item)}"
        case {"type": "object", "patternProperties": dict(items)}:
            words = f"mapping, each value: {_in_words(*items.values())}"
        case {"format": "path"}:
            words = "file or folder"
        case _:
            kind = IN_WORDS.get(part.get("pattern", "")) or _TYPES.get(part.get("type", ""))
            bounds = [
                f"{sign} {_number(part[key])}" for key, sign in _BOUNDS.items() if key in part
            ]
            words = " ".join([kind or "see below", *bounds])
    return words


def _number(value: float) -> str:
    return f"{value:g}".replace("e+0", "e").replace("e+", "e")
