"""Tests that the tables of docs/data-formats.md agree with the records."""

from pathlib import Path

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.pipeline import documentation, formats

DOCUMENT = (Path(__file__).parents[3] / formats.FORMATS).read_text(encoding="utf-8")


def marked(name: str, content: str = "") -> str:
    return f"Before.\n<!-- record {name} -->\n{content}<!-- end -->\nAfter.\n"


def test_the_document_is_in_step_with_the_records():
    assert formats.with_tables(DOCUMENT) == DOCUMENT, f"out of date: run {documentation.COMMAND}"


def test_every_record_is_described_once():
    assert sorted(formats.described(DOCUMENT)) == sorted(formats.RECORDS)


def test_every_key_is_described():
    for kind in formats.RECORDS.values():
        for key, field in kind.model_fields.items():
            assert field.description, (kind, key)
            assert f"| `{key}` |" in DOCUMENT


def test_only_what_is_marked_is_made_anew():
    made = formats.with_tables(marked("Accounting", "| `old` | text | Old. |\n"))
    assert made.startswith("Before.\n<!-- record Accounting -->\n")
    assert made.endswith("<!-- end -->\nAfter.\n")
    assert "old" not in made
    assert "| `jobs` | list, each: *Job* |" in made
    assert "| `requested_minutes` | number or `null` |" in made  # a key of a nested record
    assert formats.with_tables(made) == made


def test_a_name_that_is_no_records_is_one_line():
    with pytest.raises(UserError, match=r"data-formats\.md: `Acounting`.*Accounting") as raised:
        formats.with_tables(marked("Acounting"))
    assert "\n" not in str(raised.value)
