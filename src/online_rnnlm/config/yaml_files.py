"""The reading of YAML files: what could be read in two ways is an error that names the line.

YAML itself lets the last of two equal keys win, reads the key `no` as false, and reads 010 as 8.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.reader import ReaderError

from online_rnnlm.errors import UserError

_TAG = "tag:yaml.org,2002:"
_TEXT_KEYS = frozenset({f"{_TAG}str", f"{_TAG}merge"})
_NUMBERS = frozenset({f"{_TAG}int", f"{_TAG}float"})


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file with a mapping at its top.

    Raises UserError, in one line with the file and the line in it, if the file cannot be read, is
    no YAML, or has a key twice, a key that is no text, or a number that could mean two things.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    values = _values(path, _decoded(path, content))
    if not isinstance(values, dict):
        raise UserError(f"{path}: a mapping of keys to values is needed")
    return values


def check_value(text: str, where: str) -> None:
    """Raise UserError, as `read_mapping` does, if a value is no YAML or could be read in two ways.

    `where` stands for the file in the message.
    """
    _values(where, text)


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: not UTF-8: save the file in UTF-8") from None


def _values(path: object, text: str) -> Any:
    if text.startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=each_key_once)
        except (ValueError, RecursionError):
            pass  # It is YAML, or is reported with its line below.
    try:
        return yaml.load(text, _Loader)  # the loader is a SafeLoader
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        what = f"the character U+{error.character:04X} is not allowed"
        raise UserError(f"{path}, line {line}: not YAML: {what}") from None
    except yaml.MarkedYAMLError as error:
        raise UserError(f"{path}{_line(error)}: not YAML: {_reason(error)}") from None
    except RecursionError:
        raise UserError(f"{path}: not YAML: nested too deeply") from None


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON; raises ValueError, which names it, if a key is there twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return values


def _line(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f", line {mark.line + 1}" if mark else ""


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Return the reason without the line itself, which may have a password in it."""
    problem = error.problem or ""
    if "'\\t'" in problem:
        return "a tab: indent with spaces"
    return f"{error.context} {problem}" if problem.startswith("but ") else problem


class _Loader(yaml.SafeLoader):
    """A loader that refuses what could be read in two ways."""

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """Compose a mapping; its keys must be text, and different."""
        node: MappingNode = super().compose_mapping_node(anchor)
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag not in _TEXT_KEYS:
                _refuse(key, f"the key {_shown(key)} is no text: write it in quotes")
            if key.value in seen:
                first = seen[key.value] + 1
                _refuse(key, f"the key `{key.value}` is there already, in line {first}")
            seen[key.value] = key.start_mark.line
        return node

    def compose_scalar_node(self, anchor: Any) -> ScalarNode:
        """Compose a scalar; a number must not be one to the base 8 or 60."""
        node: ScalarNode = super().compose_scalar_node(anchor)
        digits = node.value.lstrip("+-")
        octal = node.tag == f"{_TAG}int" and digits[:1] == "0" and digits[1:2].isdigit()
        if octal or (node.tag in _NUMBERS and ":" in digits):
            base = 8 if octal else 60
            _refuse(node, f"{node.value} is a number to the base {base}: write it as a decimal one")
        return node

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        """Construct a value; one that is impossible, such as the date 2024-02-30, has its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError):
            _refuse(node, f"{_shown(node)} is impossible as {node.tag.removeprefix(_TAG)}")


def _refuse(node: Node, what: str) -> NoReturn:
    raise ConstructorError(None, None, what, node.start_mark)


def _shown(node: Node) -> str:
    return f"`{node.value[:60]}`" if isinstance(node, ScalarNode) else "here"
