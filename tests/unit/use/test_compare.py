"""Tests of `compare`: two models by their log-probabilities of one text."""

import json

import numpy as np
import pytest

from online_rnnlm import UserError, compare
from online_rnnlm.analysis.significance import bootstrap_interval, sign_flip_p_value

DOCUMENTS = np.repeat(np.arange(12), 4)


@pytest.fixture
def sentences():
    """Log P of 48 sentences by two models, of which the first is a little better."""
    chance = np.random.default_rng(1)
    lengths = chance.integers(2, 9, len(DOCUMENTS))
    theirs = [chance.normal(-4, 1, length) for length in lengths]
    return [logs + chance.normal(0.1, 0.3, len(logs)) for logs in theirs], theirs


def test_documents_are_drawn_by_the_functions_of_the_claims(sentences):
    ours, theirs = sentences
    found = compare(ours, theirs, DOCUMENTS)
    of_sentences = [float(np.sum(a) - np.sum(b)) for a, b in zip(ours, theirs, strict=True)]
    gains = np.bincount(DOCUMENTS, of_sentences)
    tokens = np.bincount(DOCUMENTS, [len(logs) for logs in ours]).astype(np.int64)
    assert (found.drawn, found.pieces, found.tokens) == ("document", 12, tokens.sum())
    assert found.nats_per_token == pytest.approx(gains.sum() / tokens.sum())
    assert found.interval_nats_per_token == pytest.approx(bootstrap_interval(gains, tokens))
    assert found.p_value == pytest.approx(sign_flip_p_value(gains))
    change = 100 * (found.perplexity / found.perplexity_against - 1)
    low, high = found.interval_percent
    assert found.change_percent == pytest.approx(change) and low < change < high < 0
    assert found.perplexity == pytest.approx(np.exp(-np.concatenate(ours).mean()))


def test_tokens_one_by_one_give_the_same_as_sentences_of_the_same_documents(sentences):
    of_tokens = np.repeat(DOCUMENTS, [len(logs) for logs in sentences[0]])
    flat = [np.concatenate(logs) for logs in sentences]
    assert str(compare(*flat, of_tokens)) == str(compare(*sentences, DOCUMENTS))


def test_without_documents_blocks_of_sentences_are_drawn(sentences):
    found = compare(*sentences)
    assert (found.drawn, found.pieces) == ("block", 12)  # 48^(1/3) is about 4


@pytest.mark.parametrize(("count", "least"), [(2, "0.5"), (5, "0.062"), (6, None)])
def test_so_few_documents_that_no_p_value_is_small_are_said_to_decide_nothing(
    sentences, count, least
):
    lines = str(compare(*sentences, DOCUMENTS * count // 12)).splitlines()
    said = [line for line in lines if line.startswith(f"{count} documents decide nothing")]
    assert len(said) == (least is not None) and len(lines) == 2 + len(said)
    assert least is None or f"p is never below {least};" in said[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "documents", "expected"),
    [
        ([[-1.0], [-2.0]], [[-1.0], [-2.0, -1.0]], None, "not of the same items"),
        ([[-1.0], [-np.inf]], [[-1.0], [-2.0]], None, "item 1 .* first list: .* finite number"),
        ([[-1, -1], [-2, -2]], [[-1, -1], [-3, 0.5]], None, "item 1 .* second list: .* at most 0"),
        ([[-1.0], [-2.0]], [[-1.0], [-2.0]], [1], "1 numbers for 2 items"),
        ([[-1.0], [-2.0]], [[-1.0], [-2.0]], [None, "b"], "a number for each item of text"),
        ([[-1.0]], [[-1.0]], None, "two documents, or several sentences"),
        ("a.tsv", "b.tsv", None, "two lists of log-probabilities are needed; .* from files"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(ours, theirs, documents, expected):
    with pytest.raises(UserError, match=expected):
        compare(ours, theirs, documents)


@pytest.fixture
def tables(run, model_path, tmp_path):
    """The tables of `score --per word` for a text of documents, learning and frozen."""
    text = "\n\n".join("The cat sees.\nThe mouse hunts the hen 1.\nThe king." for _ in range(9))
    for name, options in {
        "learning.tsv": ["tsv", "--unit-of-text", "document"],
        "frozen.jsonl": ["jsonl", "--frozen"],
    }.items():
        how = ["--lines", "--per", "word", "--format", *options]
        found = run("score", "--model", model_path, "-", *how, text=text)
        assert found.status == 0, found.err
        (tmp_path / name).write_text(found.out, encoding="utf-8")
    return tmp_path / "learning.tsv", tmp_path / "frozen.jsonl"


def test_files_of_score_are_compared(run, model, tables):
    found = run("compare", *tables)
    assert (found.status, found.err) == (0, "")
    assert "tokens in 9 documents" in found.out
    assert "-0.00" not in run("compare", tables[0], tables[0]).out
    values = json.loads(run("compare", *tables, "--json").out)
    text = ["The cat sees.", "The mouse hunts the hen 1.", "The king."]
    logs = [
        model.log_probabilities(text, unit_of_text="document"),
        model.log_probabilities(text, updates="none"),
    ]
    gain = np.concatenate(logs[0]).mean() - np.concatenate(logs[1]).mean()
    assert values["nats_per_token"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\tmouse\t", "\trat\t", "`rat`: word is rat and mouse: not one text"),
        ("mouse\tTrue", "mouse\tFalse", "known is False and True: not one vocabulary"),
        ("\tlog_probability", "\tlog_p", "learning.tsv: needed: what `score --per word"),
        ("\tTrue\t-", "\tTrue\tx", "learning.tsv: needed: what `score --per word"),
        ("hunts\tTrue\t-", "hunts\tTrue\t", "learning.tsv: row 8, `hunts`: a log-probability is"),
    ],
)
def test_files_that_cannot_be_compared_are_one_line(refused, tables, old, new, expected):
    text = tables[0].read_text(encoding="utf-8")
    assert old in text
    tables[0].write_text(text.replace(old, new), encoding="utf-8")
    assert expected in refused("compare", *tables)


def test_a_file_that_lacks_words_is_one_line(refused, tables, tmp_path):
    lines = tables[0].read_text(encoding="utf-8").splitlines(keepends=True)
    tables[0].write_text("".join(lines[:-1]), encoding="utf-8")
    assert "words: not one text" in refused("compare", *tables)
    assert "nowhere: No such file" in refused("compare", tmp_path / "nowhere", tables[1])


def test_files_without_words_are_one_line(refused, tables):
    for table in tables:
        head, *_ = table.read_text(encoding="utf-8").splitlines(keepends=True)
        table.write_text(head, encoding="utf-8")
    assert "learning.tsv: has no words" in refused("compare", *tables)
