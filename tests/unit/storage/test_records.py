"""Tests that records are read as written, and that invalid ones are refused in one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.runs import Epoch, RunRecord, RunResult
from tests.unit.small_records import epoch, run_divergence, run_record

DIVERGENCE = run_divergence(reason="ein Riß")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.getbasetemp() / "metrics.jsonl"
    written = [epoch(number, valid_perplexity=value) for number, value in enumerate(numbers, 1)]
    records.write_lines(path, written)
    assert records.read_lines(Epoch, path) == written


def test_a_record_that_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "run.json"
    records.write(path, run_record())
    right = RunSettings(corpus="some")
    settings = right.model_copy(update={"rate_divisor": float("inf")})
    with pytest.raises(ValueError, match="JSON"):
        records.write(path, run_record(settings=settings))
    assert records.read(RunRecord, path) == run_record()


def refusal(kind, path) -> str:
    with pytest.raises(UserError) as raised:
        records.read(kind, path)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


@pytest.mark.parametrize(
    ("record", "change", "expected"),
    [
        pytest.param(DIVERGENCE, {"epochs": "two"}, "`epochs`", id="of another type"),
        pytest.param(DIVERGENCE, {"seed": 1}, "`seed`", id="unknown"),
        pytest.param(DIVERGENCE, {"ended": "2026-01-01T00:00:00"}, "`ended`", id="without a zone"),
        pytest.param(run_record(), {"machine": {}}, "`machine.", id="missing in a part"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(tmp_path, record, change, expected):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(record.model_dump(mode="json") | change), encoding="utf-8")
    message = refusal(type(record), path)
    assert expected in message
    assert "damaged" in message


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe"])
def test_a_file_that_is_no_record_is_called_damaged(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert "damaged" in refusal(RunResult, path)


def test_a_missing_file_says_what_to_do(tmp_path):
    assert "missing: the run has not been trained yet" in refusal(RunRecord, tmp_path / "run.json")


@pytest.mark.parametrize("known", [None, 2])
def test_a_record_of_another_version_says_so(tmp_path, known):
    path = tmp_path / "result.json"
    written = DIVERGENCE.model_dump(mode="json") | {"format": known}
    path.write_text(json.dumps(written), encoding="utf-8")
    message = refusal(RunResult, path)
    assert "of another version: `format`" in message
    assert "delete it" in message


def test_the_line_that_is_wrong_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    records.write_lines(path, [epoch(1), epoch(2)])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("true", "1")]), encoding="utf-8")
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 2: damaged, .*: `kept`"):
        records.read_lines(Epoch, path)
