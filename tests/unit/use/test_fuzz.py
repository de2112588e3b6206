"""Made inputs for the verbs that read text and lists: a result or one clear line.

FUZZ=10000 tries as many of each kind; the usual run tries fewer.
"""

import io
import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online_rnnlm.errors import UserError
from online_rnnlm.use.rescoring import rescore
from online_rnnlm.use.scoring import score_text
from online_rnnlm.use.writing import ScoreWriter

pytestmark = pytest.mark.slow  # a training, and many made inputs

EXAMPLES = int(os.environ.get("FUZZ", "200"))
many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

PIECES = st.sampled_from(
    [
        *("the cat", "The Cat sees the hen.", " ", "\n", "\n\n", "\r\n", "\r", "\t", "\ufeff"),
        *("\u2028", "\u200b", "\0", "<unk>", "<UNK>", "</s>", "Dr. No!", '"', "``", "İ", "e\u0301"),
        *("0 ||| ", " ||| ", "u-1 ", "-", "1e999", "nan", "-3.5", "F= -1", "今天。", "ก็", "😀"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=20).map("".join)
BYTES = st.binary(max_size=40) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))


def one_line(error: UserError) -> None:
    message = str(error)
    assert message and len(message.splitlines()) == 1, message


@pytest.fixture
def given_bytes(monkeypatch):
    """A function that makes bytes the standard input."""

    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    return put


@many
@given(
    content=BYTES,
    layout=st.sampled_from(["lines", "running", "tokenised"]),
    unit=st.sampled_from(["sentence", "document", "stream"]),
    updates=st.sampled_from(["none", "document_vector"]),
    cache=st.sampled_from([None, None, "unigram_cache", "neural_cache"]),
    per=st.sampled_from(["word", "sentence", "document", "total"]),
    form=st.sampled_from(["plain", "tsv", "jsonl"]),
)
def test_any_bytes_are_scored_or_refused_in_one_line(
    model, given_bytes, content, layout, unit, updates, cache, per, form
):
    given_bytes(content)
    out = io.StringIO()
    updates = "none" if cache else updates
    request = model.request(updates=updates, unit_of_text=unit, cache=cache)
    try:
        score_text(model, [], layout, request, ScoreWriter(out, per, form, "bits"))
    except UserError as error:
        one_line(error)
        return
    text = out.getvalue()
    assert text.endswith("\n")
    if form == "jsonl":
        rows = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
        assert all(np.isfinite(row["log_probability"]) for row in rows)
    elif form == "tsv":
        header, *rows = text.removesuffix("\n").split("\n")
        assert rows and {row.count("\t") for row in rows} == {header.count("\t")}


@many
@given(
    content=BYTES,
    form=st.sampled_from(["moses", "kaldi", "tsv"]),
    layout=st.sampled_from(["lines", "tokenised"]),
    context=st.booleans(),
)
def test_any_bytes_are_rescored_or_refused_in_one_line(
    model, given_bytes, content, form, layout, context
):
    given_bytes(content)
    try:
        found = list(
            rescore(model, [], form, layout, model.request(), weight=0.5, with_context=context)
        )
    except UserError as error:
        one_line(error)
        return
    assert found
    for hypotheses in found:
        assert all(np.isfinite(one.total) and one.log_probability < 0 for one in hypotheses)
