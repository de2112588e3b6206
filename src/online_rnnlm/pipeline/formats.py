"""Generation of the tables of docs/data-formats.md from the records; its prose is hand-written.

The text between `<!-- record NAME -->` and `<!-- end -->` is made from the record of that name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.records import Part, Record

FORMATS = Path("docs/data-formats.md")
RECORDS = {
    name: kind
    for name, kind in vars(records).items()
    if inspect.isclass(kind) and issubclass(kind, Record) and kind is not Record
}
_MARKED = re.compile(r"(<!-- record (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
TYPES_IN_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true`, `false`",
    "null": "`null`",
}

Schema = dict[str, Any]


def with_tables(document: str) -> str:
    """Return the document with new tables; raises UserError for a name that is not a record's."""
    return _MARKED.sub(lambda match: f"{match[1]}{_section(match[2])}{match[3]}", document)


def described(document: str) -> list[str]:
    """Return the names of the records that the document describes, in its order."""
    return [match[2] for match in _MARKED.finditer(document)]


def _section(name: str) -> str:
    """Return a table of the keys of a record, and one of each of its parts."""
    if name not in RECORDS:
        raise UserError(f"{FORMATS}: `{name}`: no record; allowed: {', '.join(sorted(RECORDS))}")
    kind = RECORDS[name]
    files = ", ".join(f"`{file}`" for file in kind.file.split(", "))
    titles = [(files, kind), *((f"*{part.__name__}*", part) for part in _parts(kind))]
    sections = [f"{title}: {_sentence(one)}\n\n{_table(one)}\n\n" for title, one in titles]
    return "\n" + "".join(sections)


def _parts(kind: type[Record]) -> Iterator[type[Part]]:
    """Yield the classes of the parts that a record's values are made of, each once."""
    for name in kind.model_json_schema().get("$defs", {}):
        part = getattr(records, name, None)  # Settings are described in config/README.md.
        if part is not None:
            yield part


def _sentence(kind: type[Part]) -> str:
    """Return a class's docstring as one paragraph that can follow a colon."""
    text = " ".join((inspect.getdoc(kind) or "").split())
    return text[:1].lower() + text[1:]


def _table(kind: type[Part]) -> str:
    lines = ["| key | value | meaning |", "|---|---|---|"]
    for key, value in kind.model_json_schema()["properties"].items():
        lines.append(f"| `{key}` | {_value(value)} | {kind.model_fields[key].description} |")
    return "\n".join(lines)


def _value(schema: Schema) -> str:
    """Return the type of a value, in words."""
    match schema:
        case {"anyOf": options}:
            found = dict.fromkeys(map(_value, options))
            if "number" in found:
                found.pop("whole number", None)
            return " or ".join(found)
        case {"prefixItems": items}:
            return f"list: {', '.join(map(_value, items))}"
        case {"type": "array", "items": item}:
            return f"list, each: {_value(item)}"
        case {"type": "object", "additionalProperties": item}:
            return f"object, by name: {_value(item)}"
    return _single_value(schema)


def _single_value(schema: Schema) -> str:
    """Return the type of a value that contains no other values, in words."""
    if "$ref" in schema:
        return f"*{schema['$ref'].rpartition('/')[2]}*"
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("format") == "date-time":
        return "time, ISO 8601"
    return "sha256" if "{64}" in schema.get("pattern", "") else TYPES_IN_WORDS[schema["type"]]
