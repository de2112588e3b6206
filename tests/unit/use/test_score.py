"""Tests that a model in use gives the numbers of the evaluations, or one line that says why not."""

import io
import itertools
import json
import math
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import online_rnnlm
from online_rnnlm.commands.score import print_scores
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.use.rescoring import read_lists, rescore
from online_rnnlm.use.scoring import in_parts
from online_rnnlm.use.text import Sentence, read_text, text_at
from tests.project import ROOT
from tests.toy_texts import raw_text
from tests.unit.made_texts import BYTES, many
from tests.unit.small_models import STEPS, sentence_table
from tests.unit.use.small_experiment import EVALUATIONS, json_lines

ROUNDING = 1e-5
"""Relative difference that the other sentences of a batch can make, in 32 bits."""


@pytest.fixture(scope="module")
def documents(results, test_text) -> str:
    """The test split with an empty line after each article."""
    lines = test_text.splitlines()
    articles = np.load(results.corpus("topics").split_articles("test"))
    for end in np.flatnonzero(np.diff(articles))[::-1] + 1:
        lines.insert(end, "")
    return "\n".join(lines) + "\n"


def raw(tokenised: str) -> str:
    """Return raw sentences whose tokens are these."""
    return "\n".join(
        line.replace(" ,", ",").replace(" .", ".").capitalize() for line in tokenised.split("\n")
    )


@pytest.mark.slow  # trainings
@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_the_numbers_are_the_evaluations(
    results, names, trained_path, test_text, documents, run, evaluation
):
    """Raw text is tokenised as it was for them."""
    text = raw(documents if evaluation.endswith("document") else test_text)
    steps = ["--steps", STEPS] if evaluation.startswith("all.word") else []
    options = [*steps, *EVALUATIONS[evaluation], "--lines"]
    stored = sentence_table(results, names.VECTOR, evaluation)
    command = ["--model", trained_path, *options]
    found = run("score", *command, "--format", "jsonl", text=text)
    assert (found.status, found.err) == (0, "")
    rows = pd.DataFrame(json_lines(found.out))
    rows = rows[rows["tokens"] > 0]  # an empty line divides documents
    np.testing.assert_allclose(rows["log_probability"], stored["log_probability"], rtol=ROUNDING)
    assert rows["tokens"].tolist() == stored["tokens"].tolist()
    assert rows["unknown"].tolist() == stored["unknown"].tolist()
    [total] = json_lines(
        run("score", *command, "--per", "total", "--format", "jsonl", text=text).out
    )
    record = records.read(Evaluation, results.evaluation(names.VECTOR, evaluation))
    metrics = record.splits["test"]
    assert total["perplexity"] == pytest.approx(metrics.perplexity, rel=ROUNDING)
    assert total["perplexity_without_unknown"] == pytest.approx(
        metrics.perplexity_without_unk, rel=ROUNDING
    )
    assert total["oov_rate"] == metrics.oov_rate


@pytest.mark.slow  # trainings
def test_words_documents_and_units_agree(results, trained_path, documents, run):
    units = {"nats": math.e, "bits": 2, "log10": 10}
    tables = {}
    for per, unit in itertools.product(("word", "sentence", "document", "total"), units):
        options = ("--per", per, "--in", unit, "--format", "tsv", "--tokenised")
        out = run("score", "--model", trained_path, *options, text=documents).out
        table = pd.read_csv(io.StringIO(out), sep="\t", quoting=3)
        tables[per, unit] = table.rename(columns={f"log_probability_{unit}": "log_probability"})
    total = tables["total", "nats"]["log_probability"][0]
    for (_, unit), table in tables.items():
        sums = table["log_probability"].sum()
        assert sums * math.log(units[unit]) == pytest.approx(total, rel=1e-9)
        if "tokens" in table:  # as KenLM's and the Toolkit's readers do
            perplexity = tables["total", unit]["perplexity"][0]
            assert units[unit] ** (-sums / table["tokens"].sum()) == pytest.approx(perplexity)
    articles = np.load(results.corpus("topics").split_articles("test"))
    assert len(tables["document", "nats"]) == len(np.unique(articles))


def test_people_see_brackets_around_words_that_are_not_in_the_vocabulary(model_path, run):
    found = run("score", "--model", model_path, text="The cat sees the Zeppelin.\n")
    assert "the cat sees the [zeppelin] ." in found.out
    assert "1 sentence, 6 words, 1 unknown (16.7%)" in found.out


@pytest.mark.slow  # trainings
def test_running_text_is_divided_as_in_training(results, trained_path, trained, run, names):
    """Punkt has learnt from the training text that `Mr.` ends no sentence."""
    text = raw_text(40)
    found = run("score", "--model", trained_path, "--format", "jsonl", text=text)
    texts = [row["text"] for row in json_lines(found.out)]
    lines = results.corpus("topics").sentences.read_text(encoding="utf-8").splitlines()
    assert set(texts) <= set(lines) and len(texts) > 20
    assert trained.score([text], running=True)["text"].tolist() == texts
    again = run("score", "--model", results.path, "--format", "jsonl", text=text)
    assert [row["text"] for row in json_lines(again.out)] == texts


def test_an_empty_text_is_a_row_without_tokens(model, model_path, run):
    texts = ["", "the cat .", "", "", "the king", ""]
    table = model.score(texts)
    assert table["text"].tolist() == texts
    assert table["tokens"].tolist() == [0, 4, 0, 0, 3, 0]
    assert table["log_probability"].tolist()[::2] == [0, 0, table["log_probability"][4]]
    assert table["document"].tolist() == [0, 1, 2, 3, 4, 5]
    together = model.score(texts, unit_of_text="document")
    assert together["document"].tolist() == [0, 0, 0, 0, 1, 1]
    assert [len(logs) for logs in model.log_probabilities(texts)] == table["tokens"].tolist()
    assert model.document_vectors(texts).any(axis=1).tolist() == [bool(text) for text in texts]
    out = run("score", "--model", model_path, "--format", "jsonl", text="\n".join(texts)).out
    assert [row["text"] for row in json_lines(out)] == texts[:-1]  # the last ends no line
    flushed = run(
        "score", "--model", model_path, "--format", "jsonl", "--flush", text="\n".join(texts)
    ).out
    assert [row["text"] for row in json_lines(flushed)] == texts[:-1]
    logs = [[row["log_probability"] for row in json_lines(rows)] for rows in (out, flushed)]
    np.testing.assert_allclose(logs[0], logs[1], rtol=ROUNDING)


@pytest.mark.parametrize("unit", ["document", "stream"])
def test_the_texts_of_a_list_are_separate_unless_they_are_one_document(supplied, unit):
    texts = ["The opera premiered in Vienna.", "The tenor sang. He wept.", "The opera."]
    alone = pd.concat([supplied.score([text]) for text in texts])["log_probability"]
    for order in ([0, 1, 2], [2, 1, 0]):
        table = supplied.score([texts[place] for place in order])
        assert table["document"].tolist() == [0, 1, 2]
        np.testing.assert_allclose(table["log_probability"], alone.iloc[order], rtol=ROUNDING)
    assert not np.allclose(supplied.score(texts, unit_of_text=unit)["log_probability"], alone)
    # The sentences of one text are a document.
    running = supplied.score(texts, running=True)
    assert running["document"].tolist() == [0, 1, 1, 2]
    assert running["log_probability"][3] == pytest.approx(alone.iloc[2], rel=ROUNDING)
    whole = supplied.score(["The tenor sang.", "He wept."], unit_of_text="document")
    np.testing.assert_allclose(running["log_probability"][1:3], whole["log_probability"], ROUNDING)


def test_the_rows_of_a_series_keep_its_index(supplied):
    texts = pd.Series(["The opera. It closed.", "", "The tenor sang."], index=["x", "y", "z"])
    assert supplied.score(texts).index.tolist() == ["x", "y", "z"]
    assert supplied.score(texts, running=True).index.tolist() == ["x", "x", "y", "z"]
    words = supplied.score_words(texts)
    assert words.index.unique().tolist() == ["x", "z"] and words.loc["z", "word"].iloc[1] == "tenor"


def test_learning_that_ruins_the_model_is_said(supplied, caplog):
    texts = (ROOT / "resources" / "hypotheses" / "said.txt").read_text().splitlines()
    supplied.score(texts, unit_of_text="stream")
    supplied.score(texts, learning_rate=0.1)
    assert not caplog.records
    supplied.score(texts, learn_after="sentence", learning_rate=3.0, unit_of_text="stream")
    assert "learning ruins the model" in caplog.text and "`learning_rate`" in caplog.text


def test_words_have_their_log_probabilities(model):
    texts = ["The cat sees the Zeppelin.", "", "The king."]
    for unit in ("sentence", "stream"):
        words = model.score_words(texts, unit_of_text=unit)
        logs = np.concatenate(model.log_probabilities(texts, unit_of_text=unit))
        assert words["log_probability"].tolist() == logs.tolist()
    assert words["sentence"].unique().tolist() == [0, 2]


@pytest.mark.parametrize("adaptation", [{}, {"updates": "all", "learning_rate": 0.1}])
def test_eight_threads_get_what_one_gets(model, adaptation):
    texts = [line for line in raw_text(120).replace(". ", ".\n").splitlines() if line]
    parts = [texts[number::8] for number in range(8)]

    def score(part):
        return [logs.tolist() for logs in model.log_probabilities(part, **adaptation)]

    serial = [score(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(score, parts * 4)] == serial * 4


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("--lines", "the\n" + "x " * 60_000, "line 2: a sentence of 120000 characters"),
        ("--", "word " * 200_000, "line 1: a sentence of 20000 words; at most 10000 are read"),
        ("--tokenised", "x " * 10_001, "line 1: a sentence of 10001 words; at most 10000"),
    ],
)
def test_what_is_too_long_is_one_line(model_path, refused, layout, text, expected):
    assert expected in refused("score", "--model", model_path, layout, text=text)


@pytest.mark.parametrize("text", ["The cat sees. It eats.", "The cat sat. " * 999])
def test_a_text_in_quotes_is_a_text(run, model_path, text):
    typed = run("score", text)
    assert typed.status == 0 and typed.out == run("score", text=text).out
    assert (
        run("score", "--model", model_path, text).out
        == run("score", "--model", model_path, text=text).out
    )
    if len(text) < 99:
        assert run("next", text).out == run("next", text=text).out


@pytest.mark.parametrize(
    ("texts", "adaptation", "expected"),
    [
        ("the cat", {}, "a list of texts is needed"),
        (pd.DataFrame({"text": ["the cat"]}), {}, "a list of texts is needed, not a DataFrame"),
        ([3], {}, "text 0: text is needed, not 3"),
        (["a", "b\nc"], {}, "text 1: a line end within it"),
        (["a \ud800"], {}, "text 0: a NUL byte, or half of a surrogate pair"),
        (["a"], {"tokenized": True}, "unknown key `tokenized`; did you mean `tokenised`"),
        (
            ["a"],
            {"unit": "page"},
            "allowed: learn_after, learning_rate, running, steps, tokenised, unit_",
        ),
        (["a"], {"tokenised": "no"}, "`tokenised`: Input should be a valid boolean"),
        (["a"], {"steps": "3"}, "`steps`: Input should be a valid integer"),
        (["a"], {"updates": ""}, "`updates`: allowed: none, all"),
        (["a"], {"running": True, "tokenised": True}, "`running`: tokenised text has"),
    ],
)
def test_texts_and_options_that_cannot_be_used_are_one_line(model, texts, adaptation, expected):
    with pytest.raises(UserError, match=f"^.*{expected}.*$"):
        model.score(texts, **adaptation)


def test_a_step_may_be_taken_after_any_number_of_words_that_is_said_to_be_allowed(model):
    never = model.score(["the cat sees the hen"], learn_after=10**9, unit_of_text="document")
    frozen = model.score(["the cat sees the hen"], updates="none")
    np.testing.assert_allclose(never["log_probability"], frozen["log_probability"], ROUNDING)


def test_the_sentence_that_diverges_is_named_by_its_number_in_the_text(model):
    with pytest.raises(UserError, match=r"^sentence 3: diverged"):
        model.score(["", "", "", "the cat sees the hen"], learning_rate=1e6)


@pytest.mark.parametrize("unit", ["sentence", "document", "stream"])
def test_parts_are_a_text_in_its_order(unit):
    for lengths in ([1] * 9, [3, 1, 5], [20], [2, 9, 1, 1, 8], []):
        sentences = [Sentence([], n) for n, length in enumerate(lengths) for _ in range(length)]
        parts = list(in_parts(iter(sentences), unit, 4))
        assert [one for part in parts for one in part] == sentences
        assert all(parts)
        if unit == "document":
            documents = [{one.document for one in part} for part in parts]
            assert not any(a & b for a, b in itertools.pairwise(documents))
        elif unit == "sentence":
            assert all(len(part) <= 4 for part in parts)


@pytest.mark.slow  # trainings
def test_python_gives_vectors_and_scores_of_each_text(trained, results, documents, names):
    texts = raw(documents).splitlines()
    table = trained.score(texts)
    marked = trained.score([f"\ufeff{text}" for text in texts])  # as Windows begins a file
    assert marked["log_probability"].tolist() == table["log_probability"].tolist()
    logs = trained.log_probabilities(texts)
    assert [len(one) for one in logs] == table["tokens"].tolist()
    np.testing.assert_allclose([one.sum() for one in logs], table["log_probability"])
    stored = np.load(results.document_vectors(names.VECTOR, "test"))
    with_words = (table["tokens"] > 0).tolist()  # an empty text has a vector of 0
    vectors = trained.document_vectors(texts)[with_words]
    np.testing.assert_allclose(vectors, stored, rtol=1e-4, atol=1e-5)
    assert trained.score([]).columns.tolist() == table.columns.tolist()
    assert trained.document_vectors([]).shape == (0, 3)
    assert [len(logs) for logs in trained.log_probabilities(["", ""])] == [0, 0]
    trained.words.append("another")
    assert "another" not in trained.words


@pytest.mark.slow  # trainings
def test_a_pickled_model_is_the_same(results, names):
    model = online_rnnlm.load(results.run(names.VECTOR).path)
    texts = ["The cat sees the hen, Mr. cat. The ship meets the whale."]
    adaptations = ({"running": True}, {"updates": "all", "learning_rate": 0.1})
    expected = [model.score(texts, **adaptation) for adaptation in adaptations]
    again = pickle.loads(pickle.dumps(model))
    for adaptation, table in zip(adaptations, expected, strict=True):
        pd.testing.assert_frame_equal(again.score(texts, **adaptation), table)


def test_a_static_model_has_no_vectors(supplied):
    with pytest.raises(UserError, match="has no document vector"):
        supplied.companion.document_vectors(["the cat"])
    assert len(supplied.companion.score(["The cat sees the hen."])) == 1


@many
@given(
    content=BYTES,
    layout=st.sampled_from(["lines", "running", "tokenised"]),
    unit=st.sampled_from(["sentence", "document", "stream"]),
    updates=st.sampled_from(["none", "document_vector"]),
    per=st.sampled_from(["word", "sentence", "document", "total"]),
    form=st.sampled_from(["plain", "tsv", "jsonl", "moses", "kaldi"]),
)
def test_any_bytes_are_scored_or_refused_in_one_line(
    model, monkeypatch, content, layout, unit, updates, per, form
):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    adaptation = model.scorer.adaptation(updates=updates, unit_of_text=unit)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    try:
        if form not in ("plain", "tsv", "jsonl"):
            adaptation = model.scorer.adaptation(updates=updates)
            context = {"sentence": None, "document": "last", "stream": "all"}[unit]
            lists = list(
                rescore(
                    model.scorer,
                    read_lists([text_at("-")], form),
                    layout,
                    adaptation,
                    context=context,
                )
            )
            assert lists and all(math.isfinite(one.total) for found in lists for one in found)
            return
        sentences = read_text([text_at("-")], model.preparation, layout)
        print_scores(model.scorer.score_parts(sentences, adaptation), per, form, "bits")
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return
    lines = out.getvalue().removesuffix("\n").split("\n")
    if form == "jsonl":
        rows = [json.loads(line) for line in lines if line]
        assert all(np.isfinite(row["log_probability_bits"]) for row in rows)
    elif form == "tsv":
        assert len(lines) > 1 and len({line.count("\t") for line in lines}) == 1
