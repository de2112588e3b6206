"""Tests of the verbs that rescore lists and name next words."""

import json
import math

import pytest

from online_rnnlm import load
from online_rnnlm.errors import UserError
from online_rnnlm.use.rescoring import parse, written

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


def log_probabilities(model, texts, **adaptation) -> list[float]:
    scored = model.scorer.adaptation(**adaptation)
    splits = [model.network.encode([text.split()]) for text in texts]
    return [model.network.score(split, scored).log_probabilities.sum() for split in splits]


def rows_of(found) -> list[list[str]]:
    return [line.split("\t") for line in found.out.splitlines()]


@pytest.mark.parametrize(("form", "frozen"), [("moses", False), ("kaldi", True), ("tsv", False)])
def test_hypotheses_are_scored_each_by_itself(model, model_path, run, form, frozen):
    options = ["--tokenised", "--keep-order", "--format", form, "--weight", "2"]
    adaptation = {"updates": "none"} if frozen else {}
    options += ["--frozen"] if frozen else []
    found = run("rescore", "--model", model_path, *options, text=listed(form))
    assert (found.status, found.err) == (0, "")
    texts = [text for _, texts in LISTS for text in texts]
    expected = log_probabilities(model, texts, **adaptation)
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


def test_lists_of_two_files_are_apart(model_path, run, tmp_path):
    first = tmp_path / "first"
    second = tmp_path / "second"
    first.write_text("0 ||| the cat\n0 ||| the cat sees the hen .\n")
    second.write_text("0 ||| the king\n0 ||| the ship meets the whale .\n\n1 ||| the duke\n")
    found = [run("rescore", "--model", model_path, "--best", file).out for file in (first, second)]
    assert run("rescore", "--model", model_path, "--best", first, second).out == "".join(found)
    assert [len(out.splitlines()) for out in found] == [1, 2]


@pytest.mark.parametrize("verb", ["next", "show"])
def test_json_says_what_people_read(model_path, run, verb):
    text = "The cat sees the hen .\nThe ship fears the storm .\n"
    options = (verb, "--model", model_path)
    plain = run(*options, text=text).out
    lines = run(*options, "--json", text=text).out
    for row in map(json.loads, lines.splitlines()):
        for value in row.values():
            shown = value[0][0] if verb == "show" and isinstance(value, list) else value
            assert not isinstance(shown, str) or shown in plain
