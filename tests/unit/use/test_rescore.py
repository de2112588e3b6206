"""Tests of the rescoring of n-best lists, and of the vectors of a text."""

import numpy as np
import pytest

from online_rnnlm.use.nbest import parse, written

pytestmark = pytest.mark.slow  # a training

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
    return [
        model.score([text], tokenised=True, **way)["log_probability"].iloc[-1]
        if text
        else model.network.score(
            model.network.encode([[]]), model.request(**way)
        ).log_probabilities.sum()
        for text in texts
    ]


@pytest.mark.parametrize("form", ["moses", "kaldi", "tsv"])
@pytest.mark.parametrize("static", [False, True])
def test_hypotheses_are_scored_each_by_itself(model, model_path, run, form, static):
    options = ["--tokenised", "--keep-order", "--format", form, "--weight", "2"]
    way = {"updates": "none"} if static else {}
    options += ["--static"] if static else []
    found = run("rescore", model_path, *options, text=listed(form))
    assert (found.status, found.err) == (0, "")
    texts = [text for _, texts in LISTS for text in texts]
    expected = log_probabilities(model, texts, **way)
    before = [0.0 if form == "kaldi" else -place - 0.5 for _ in LISTS for place in range(3)]
    for line, text, log, score in zip(found.out.splitlines(), texts, expected, before, strict=True):
        if form == "moses":
            _, words, features, total = (field.strip() for field in line.split("|||"))
            ours = features.partition("OnlineLM=")[2]
            assert features.startswith("F= -")
        else:
            _, ours, total, words = line.split("\t")
        assert words == text
        assert float(ours) == pytest.approx(log, abs=2e-5)
        assert float(total) == pytest.approx(score + 2 * log, abs=5e-5)


def test_lists_are_ranked_and_the_best_hypothesis_can_be_taken(model, model_path, run):
    found = run("rescore", model_path, "--tokenised", "--format", "tsv", text=listed("tsv"))
    rows = [line.split("\t") for line in found.out.splitlines()]
    assert [row[0] for row in rows] == ["0"] * 3 + ["1"] * 3
    totals = [float(row[2]) for row in rows]
    assert totals[:3] == sorted(totals[:3], reverse=True)
    best = run(
        "rescore", model_path, "--tokenised", "--format", "tsv", "--best", text=listed("tsv")
    )
    assert best.out.splitlines() == [rows[0][3], rows[3][3]]


def test_context_is_the_best_hypothesis_of_the_list_before(model, model_path, run):
    options = ("rescore", model_path, "--tokenised", "--keep-order", "--format", "kaldi")
    rows = [
        line.split("\t")
        for line in run(*options, "--context", text=listed("kaldi")).out.splitlines()
    ]
    first = [float(row[1]) for row in rows[:3]]
    best = LISTS[0][1][int(np.argmax(first))]
    for row, text in zip(rows[3:5], LISTS[1][1], strict=False):
        [_, expected] = model.score([best, text], tokenised=True, unit_of_text="document")[
            "log_probability"
        ]
        assert float(row[1]) == pytest.approx(expected, abs=2e-5)
    alone = run(*options, text=listed("kaldi")).out.splitlines()
    assert alone[:3] == ["\t".join(row) for row in rows[:3]]
    assert alone[3:] != ["\t".join(row) for row in rows[3:]]


def test_a_line_can_be_read_again_after_it_was_written():
    line = "0 ||| the cat ||| A= -1 ||| -2 ||| 0-0 1-1"
    again = written(parse(line, "moses"), "moses", -3.0, -5.0)
    assert again == "0 ||| the cat ||| A= -1 OnlineLM= -3.000000 ||| -5.000000 ||| 0-0 1-1"
    assert parse(again, "moses").score == -5
    assert written(parse("0 ||| x", "moses"), "moses", -1, -1).endswith("||| -1.000000")
    assert parse("a-b-12", "kaldi")[:3] == ("a-b", "", 0.0)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("moses", "the cat\n", "standard input, line 1: no line of a Moses list"),
        ("moses", "0 ||| a\n\n0 ||| a ||| F= 1 ||| x\n", "line 3: the score 'x': a finite number"),
        ("tsv", "0\t1_0\ta\n", "line 1: the score '1_0': a finite number"),
        ("tsv", "0\t٣\ta\n", "line 1: the score '٣': a finite number"),
        ("tsv", "0\tnan\ta\n", "line 1: the score 'nan': a finite number"),
        ("tsv", "0\ta\n", "line 1: 2 columns"),
        ("kaldi", "utterance the cat\n", "line 1: no line of a Kaldi list"),
        ("kaldi", "", "standard input: no list in it"),
        ("kaldi", "u-1 the </s>\n", "list u: `</s>` is reserved"),
    ],
)
def test_a_list_that_cannot_be_read_is_one_line(model_path, refused, form, text, expected):
    options = ("--tokenised", "--format", form)
    assert expected in refused("rescore", model_path, *options, text=text)


def test_vectors(model, model_path, run, tmp_path):
    text = "The cat sees the hen.\nThe hen likes the milk.\n\nThe ship meets the whale.\n"
    lines = text.splitlines()
    vectors = model.document_vectors(lines)
    found = run("vectors", model_path, text=text)
    header, *rows = (line.split("\t") for line in found.out.splitlines())
    assert header == ["document", "sentence", "v1", "v2", "v3", "text"]
    assert [row[0] for row in rows] == ["0", "0", "1"]
    written_values = np.array([[np.float32(value) for value in row[2:5]] for row in rows])
    np.testing.assert_array_equal(written_values, vectors)
    assert run("vectors", model_path, "--npy", tmp_path / "v.npy", text=text).status == 0
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), vectors)
    options = ("--per", "document", "--npy", tmp_path / "d.npy")
    assert run("vectors", model_path, *options, text=text).status == 0
    by_document = model.document_vectors(lines, unit_of_text="document")
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), by_document[[1, 2]])
    assert not np.array_equal(by_document[1], vectors[1])
    stream = model.document_vectors(lines, unit_of_text="stream")
    np.testing.assert_allclose(stream[:2], by_document[:2], rtol=1e-4, atol=1e-6)


def test_a_static_model_has_no_vectors_to_write(results, names, refused):
    place = results.run(names.STATIC).path
    assert "has no document vector" in refused("vectors", place, text="The cat.\n")


def test_an_array_that_cannot_be_written_is_one_line(model_path, refused):
    said = refused("vectors", model_path, "--npy", "/proc/v.npy", status=1, text="The cat.\n")
    assert said.startswith("/proc/")


def test_a_list_that_comes_again_is_refused(model_path, refused):
    said = refused("rescore", model_path, text="0 ||| the cat\n1 ||| the hen\n0 ||| the king\n")
    assert "standard input, line 3: list 0: has ended before" in said


def test_lists_of_two_files_are_apart(model_path, run, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("0 ||| the cat\n0 ||| the cat sees the hen .\n")
    second.write_text("0 ||| the king\n0 ||| the ship meets the whale .\n\n1 ||| the duke\n")
    found = [run("rescore", model_path, "--best", file).out for file in (first, second)]
    assert run("rescore", model_path, "--best", first, second).out == "".join(found)
    assert [len(out.splitlines()) for out in found] == [1, 2]
