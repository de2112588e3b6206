"""Tests of the verbs that rescore lists, write and search vectors, and name next words."""

import json
import math

import numpy as np
import pytest

from online_rnnlm import load
from online_rnnlm.errors import UserError
from online_rnnlm.use.rescoring import parse, written
from online_rnnlm.use.vectors import nearest
from tests.unit.use.small_experiment import json_lines

LISTS = [
    ("0", ["the cat sees the hen .", "the cat sees the king .", "hen the sees cat the ."]),
    ("1", ["the ship meets the whale .", "the ship fears the whale .", ""]),
]


def listed(form: str) -> str:
    rows = [(key, place, text) for key, texts in LISTS for place, text in enumerate(texts)]
    line = {
        "moses": "{0} ||| {2} ||| F= -{1} ||| -{1}.5",
        "kaldi": "{0}-{1} {2}",
        "tsv": "{0}\t-{1}.5\t{2}",
    }[form]
    return "".join(line.format(*row) + "\n" for row in rows)


def log_probabilities(model, texts, **way) -> list[float]:
    scored = model.scorer.way(**way)
    splits = [model.network.encode([text.split()]) for text in texts]
    return [model.network.score(split, scored).log_probabilities.sum() for split in splits]


def rows_of(found) -> list[list[str]]:
    return [line.split("\t") for line in found.out.splitlines()]


@pytest.mark.parametrize("form", ["moses", "kaldi", "tsv"])
@pytest.mark.parametrize("frozen", [False, True])
def test_hypotheses_are_scored_each_by_itself(model, model_path, run, form, frozen):
    options = ["--tokenised", "--keep-order", "--format", form, "--weight", "2"]
    way = {"updates": "none"} if frozen else {}
    options += ["--frozen"] if frozen else []
    found = run("rescore", "--model", model_path, *options, text=listed(form))
    assert (found.status, found.err) == (0, "")
    texts = [text for _, texts in LISTS for text in texts]
    expected = log_probabilities(model, texts, **way)
    before = [0.0 if form == "kaldi" else -place - 0.5 for _ in LISTS for place in range(3)]
    for line, text, log, score in zip(found.out.splitlines(), texts, expected, before, strict=True):
        if form == "moses":
            _, words, features, total = (field.strip() for field in line.split("|||"))
            ours = features.split()[3]
            assert features.split()[4:] == ["OnlineLMUnknown=", "0"]
            assert features.startswith("F= -")
        else:
            _, ours, total, unknown, words = line.split("\t")
            assert unknown == "0"
        assert words == text
        assert float(ours) == pytest.approx(log, abs=2e-5)
        assert float(total) == pytest.approx(score + 2 * log, abs=5e-5)


def test_lists_are_ranked_and_the_best_hypothesis_can_be_taken(model_path, run):
    options = ("rescore", "--model", model_path, "--tokenised", "--format", "tsv")
    rows = rows_of(run(*options, text=listed("tsv")))
    assert [row[0] for row in rows] == ["0"] * 3 + ["1"] * 3
    totals = [float(row[2]) for row in rows]
    assert totals[:3] == sorted(totals[:3], reverse=True)
    best = run(*options, "--best", text=listed("tsv"))
    assert best.out.splitlines() == [rows[0][4], rows[3][4]]


@pytest.mark.parametrize("context", ["last", "all"])
def test_context_is_the_best_hypothesis_of_the_list_before_or_of_all(
    model, model_path, run, context
):
    lists = listed("kaldi") + "2-1 the king sees the ship .\n2-2 the king .\n"
    options = ("rescore", "--model", model_path, "--tokenised", "--keep-order", "--format", "kaldi")
    rows = rows_of(run(*options, "--context", context, text=lists))
    start = before = model.start(unit_of_text="document")
    for key in ("0", "1", "2"):
        own = [row for row in rows if row[0].startswith(f"{key}-")]
        for row in own:
            logs, _ = model.continue_(before, [*row[4].split(), "</s>"])
            assert float(row[1]) == pytest.approx(logs.sum(), abs=2e-5)
        best = max(own, key=lambda row: float(row[2]))[4].split()
        _, before = model.continue_(before if context == "all" else start, [*best, "</s>"])
    alone = rows_of(run(*options, text=lists))
    assert alone[:3] == rows[:3] and alone[3:] != rows[3:]


def test_equal_hypotheses_have_equal_scores(model_path, run):
    texts = ["the cat sees the hen .", "hen", "the ship meets the whale , the king ."] * 30
    lists = "".join(f"{n // 45}-{n} {text}\n" for n, text in enumerate(texts))
    options = ("--tokenised", "--keep-order", "--format", "kaldi")
    rows = rows_of(run("rescore", "--model", model_path, *options, text=lists))
    assert len({(row[1], row[4]) for row in rows}) == 3


def test_a_misspelt_word_does_not_win_by_the_probability_of_all_unknown_words(run):
    """The model that comes with the project: `<unk>` is far likelier than `Vienna`."""
    lists = "0 ||| The opera premiered in Vienna.\n0 ||| The opera premiered in Viennna.\n"
    best = {
        penalty: run("rescore", "--best", *penalty, text=lists).out
        for penalty in ((), ("--unknown-penalty", "0"))
    }
    assert "Vienna." in best[()] and "Viennna." in best["--unknown-penalty", "0"]
    corpus = load().network.corpus
    penalty = math.log(corpus.counts[corpus.unk_id])
    right, wrong = rows_of(run("rescore", "--tsv", text=lists))
    assert (right[3], wrong[3]) == ("0", "1")
    assert float(wrong[2]) == pytest.approx(float(wrong[1]) - penalty, abs=2e-6)
    assert float(right[2]) == float(right[1])


def rescored(line, form, log=-3.0, total=-5.0):
    scored = parse(line, form)._replace(log_probability=log, unknown=1, total=total)
    return written(scored, form)


def test_a_line_has_the_new_score_and_all_that_it_had():
    line = "0 ||| the cat ||| A= -1 ||| -2 ||| 0-0 1-1"
    again = rescored(line, "moses")
    ours = "OnlineLM= -3.000000 OnlineLMUnknown= 1"
    assert again == f"0 ||| the cat ||| A= -1 {ours} ||| -5.000000 ||| 0-0 1-1"
    with pytest.raises(UserError, match="which would count twice"):
        parse(again, "moses")
    assert rescored("0 ||| x", "moses", -1, -1).endswith("||| -1.000000")
    assert parse("a-b-12", "kaldi")[:3] == ("a-b", "", 0.0)
    again = rescored("a-b-12 the cat", "kaldi")
    assert again == "a-b-12\t-3.000000\t-5.000000\t1\tthe cat"
    with pytest.raises(UserError, match="no line of a Kaldi list"):
        parse(again, "kaldi")


def test_vectors(model, model_path, run):
    text = "The cat sees the hen.\nThe hen likes the milk.\n\nThe ship meets the whale.\n"
    lines = text.splitlines()
    vectors = model.document_vectors(lines)
    header, *rows = rows_of(run("vectors", "--model", model_path, text=text))
    assert header == ["document", "sentence", "v1", "v2", "v3", "text"]
    assert [row[0] for row in rows] == ["0", "0", "0", "1"]  # an empty line has a row, too
    written_values = np.array([[np.float32(value) for value in row[2:5]] for row in rows])
    np.testing.assert_array_equal(written_values, vectors)
    said = json_lines(run("vectors", "--model", model_path, "--json", text=text).out)
    assert [row["vector"] for row in said] == vectors.tolist()
    assert [[str(row["document"]), str(row["sentence"]), row["text"]] for row in said] == [
        [*row[:2], row[-1]] for row in rows
    ]
    said = json_lines(
        run("vectors", "--model", model_path, "--per", "document", "--json", text=text).out
    )
    by_document = model.document_vectors(lines, unit_of_text="document")
    assert [row["vector"] for row in said] == by_document[[1, 3]].tolist()
    assert not np.array_equal(by_document[1], vectors[1])
    stream = model.document_vectors(lines, unit_of_text="stream")
    np.testing.assert_allclose(stream[:2], by_document[:2], rtol=1e-4, atol=1e-6)


def test_lists_of_two_files_are_apart(model_path, run, tmp_path):
    first = tmp_path / "first"
    second = tmp_path / "second"
    first.write_text("0 ||| the cat\n0 ||| the cat sees the hen .\n")
    second.write_text("0 ||| the king\n0 ||| the ship meets the whale .\n\n1 ||| the duke\n")
    found = [run("rescore", "--model", model_path, "--best", file).out for file in (first, second)]
    assert run("rescore", "--model", model_path, "--best", first, second).out == "".join(found)
    assert [len(out.splitlines()) for out in found] == [1, 2]


TEXT = "the cat sees the hen .\nthe ship fears the storm .\n\nthe king wants the queen .\n"
QUERIES = "the whale names the ship .\nthe cat sees the hen .\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_highest_cosines_come_first_and_equal_ones_in_the_texts_order():
    vectors = np.array([[0, 1], [1, 0], [0.6, 0.8], [1, 0], [0, 0]], np.float32)
    found = nearest(vectors, vectors[1], 4)
    assert [place for place, _ in found] == [1, 3, 2, 0]
    assert found[0] == (1, 1.0) and found[2][1] == pytest.approx(0.6)
    longer = np.nextafter(vectors[1], np.float32(2))  # by rounding
    assert nearest(vectors[1:2], longer, 1) == [(0, 1.0)]


def test_cosines_are_those_of_the_document_vectors(model, model_path, text, run):
    options = ["--among", text, "--tokenised", "--format", "tsv", "--number", "2"]
    header, *rows = rows_of(run("nearest", "--model", model_path, *options, text=QUERIES))
    assert header == ["query", "cosine", "sentence", "text"]
    texts = TEXT.splitlines()
    assert "" in texts  # it has a number, as in the other verbs, but no vector
    way = {"tokenised": True, "unit_of_text": "sentence"}
    kept, asked = (model.document_vectors(one, **way) for one in (texts, QUERIES.splitlines()))
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(kept, axis=1)
    least = np.full(lengths.shape, -1.0)
    cosines = np.divide(asked @ kept.T, lengths, out=least, where=lengths > 0)
    assert [int(row[0]) for row in rows] == [0, 0, 1, 1]
    assert rows[2][2:] == ["0", texts[0]] and float(rows[2][1]) == pytest.approx(1)
    for query, cosine, sentence, words in rows:
        assert float(cosine) == pytest.approx(cosines[int(query), int(sentence)], abs=1e-5)
        assert words == texts[int(sentence)]
    highest = np.sort(cosines, axis=1)[:, ::-1][:, :2].ravel()
    np.testing.assert_allclose([float(row[1]) for row in rows], highest, atol=1e-5)


def test_standard_input_can_be_the_text_to_search(model_path, text, run):
    asked = ("nearest", "--model", model_path, "--lines", "The cat sees the hen.", "--among")
    found = run(*asked, "-", text=TEXT)
    assert found.status == 0 and found.out == run(*asked, text).out


@pytest.mark.parametrize("verb", ["next", "nearest", "show"])
def test_json_says_what_people_read(model_path, text, run, verb):
    options = {
        "next": ("--model", model_path, text),
        "nearest": ("--model", model_path, "--among", text, text),
        "show": ("--model", model_path, text),
    }[verb]
    plain = run(verb, *options).out
    lines = run(verb, *options, "--json").out
    for row in map(json.loads, lines.splitlines()):
        for value in row.values():
            shown = value[0][0] if verb == "show" and isinstance(value, list) else value
            assert not isinstance(shown, str) or shown in plain
    if verb in ("next", "nearest"):
        header, *rows = rows_of(run(verb, *options, "--format", "tsv"))
        assert [json.loads(line).keys() for line in lines.splitlines()] == [{*header}] * len(rows)
        assert [[str(v) for v in json.loads(line).values()] for line in lines.splitlines()] == rows
