"""Tests of the comparison of two models on a text."""

import re

import pytest

from online_rnnlm.use.model import TrainedModel

pytestmark = pytest.mark.slow  # two trainings

LINE = re.compile(
    r"(.+) against (.+): perplexity ([\d.]+) against ([\d.]+): (.+) \(([+-][\d.]+) nats a token, "
    r"95 % interval ([+-][\d.]+) to ([+-][\d.]+), p ([\d.]+), "
    r"over (\d+) (sentence|document|block)s\)\n"
)


def text_of(results) -> str:
    return results.corpus("topics").split("test").read_text(encoding="utf-8")


def test_two_models_are_compared(results, names, model_path, model, run):
    other, text = results.run(names.STATIC).path, text_of(results)
    found = run("compare", model_path, other, "--tokenised", text=text)
    assert (found.status, found.err) == (0, "")
    line = LINE.fullmatch(found.out)
    table = model.score(text.splitlines(), tokenised=True)
    total = table["log_probability"].sum() / table["tokens"].sum()
    assert float(line[3]) == pytest.approx(2.718281828**-total, abs=0.006)
    assert float(line[7]) < float(line[6]) < float(line[8])
    assert line[10] == str(len(table))
    back = LINE.fullmatch(run("compare", other, model_path, "--tokenised", text=text).out)
    assert float(back[6]) == -float(line[6])


@pytest.mark.parametrize(
    ("other", "differ"), [(["mouse", "cat"], False), (["cat"], True), (["cat", "hen"], True)]
)
def test_models_of_the_same_words_in_another_order_have_the_same_vocabulary(
    results, model_path, run, monkeypatch, other, differ
):
    vocabularies = iter([["cat", "mouse"], other])
    monkeypatch.setattr(TrainedModel, "words", property(lambda _: next(vocabularies)))
    found = run("compare", model_path, model_path, "--tokenised", text=text_of(results))
    assert ("vocabularies differ" in found.out) == differ


def test_two_ways_to_use_a_model_are_compared(results, model_path, run):
    text = text_of(results)
    options = ("compare", model_path, model_path, "--tokenised")
    found = LINE.fullmatch(run(*options, "--static", "second", text=text).out)
    assert found[5] == f"{model_path} is better" and float(found[7]) > 0
    same = LINE.fullmatch(run(*options, text=text).out)
    assert same[5] == "no clear difference" and float(same[6]) == 0
    few = "\n".join(text.splitlines()[:3])  # too few for any test, whatever the interval is
    found = LINE.fullmatch(run(*options, "--static", "second", text=few).out)
    assert float(found[7]) > 0 and found[5] == "no clear difference"
    lines = text.splitlines()
    documents = "\n".join(lines[:20]) + "\n\n" + "\n".join(lines[20:40]) + "\n"
    options = (*options, "--static", "first")
    for more, drawn in (((), "2"), (("--per", "document"), "2"), (("--per", "sentence"), "40")):
        assert LINE.fullmatch(run(*options, *more, text=documents).out)[10] == drawn
    # The sentences of one document depend on each other if something is kept from one to the next.
    kept = ("--unit-of-text", "document")
    for more, drawn in ((kept, "14 block"), ((*kept, "--per", "sentence"), "40 sentence")):
        found = LINE.fullmatch(run(*options, *more, text="\n".join(lines[:40])).out)
        assert f"{found[10]} {found[11]}" == drawn


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ([], "The cat.\n", "the text has one sentence: at least two are needed"),
        (["--per", "document"], "The cat.\nThe hen.\n", "the text has one document"),
        ([], "", "standard input: no text in it"),
    ],
)
def test_a_text_that_cannot_be_compared_on_is_one_line(
    model_path, refused, options, text, expected
):
    assert expected in refused("compare", model_path, model_path, *options, text=text)
