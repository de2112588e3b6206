"""Tests of a text whose words are coloured by their surprise."""

import os
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.use import model as used
from online_rnnlm.use import model_file
from online_rnnlm.use.show import FROZEN, LEARNING, STATIC, ShownText

TEXT = "The cat sees the hen, the ship. The <b>unseen</b> storm meets the whale.\nThe king wants."


@pytest.fixture
def shown():
    """A made text: `b` became 16 times as likely, an end twice, and `a` half as likely."""
    bits = np.array([2.0, 9.0, 5.0, 1.0, 1.0]), np.array([3.0, 5.0, 4.0, 1.0, 1.0])
    readings = dict(zip((FROZEN, LEARNING), bits, strict=True))
    titles = {FROZEN: "1", LEARNING: "2"}
    return ShownText([["a", "b", "</s>"], ["c", "</s>"]], False, readings, titles)


def test_surprise_is_that_of_the_scores_sentence_by_sentence(model):
    shown = model.show(TEXT, static=model)
    texts = TEXT.splitlines()
    for name, updates in ((FROZEN, "none"), (LEARNING, None), (STATIC, "none")):
        logs = model.log_probabilities(texts, running=True, updates=updates)
        assert [len(one) for one in logs] == [len(words) for words in shown.sentences]
        np.testing.assert_allclose(shown.readings[name], -np.concatenate(logs) / np.log(2))
    assert len(shown.sentences) == 3  # two in the first line


def test_the_words_that_gained_most_are_marked_and_listed(shown):
    assert shown.gains.tolist() == [0.5, 16.0, 2.0, 1.0, 1.0]
    first, second, _, heading, *rows = str(shown).splitlines()
    assert (first, second) == ("a b ×16", "c")  # the end of a sentence is listed only
    assert heading.split() == ["bits", FROZEN, LEARNING, "×", FROZEN]
    assert [row.split() for row in rows] == [
        ["b", "9.0", "5.0", "16.0"],
        ["</s>", "5.0", "4.0", "2.0"],
        ["mean", "of", "5", "3.60", "2.80"],
    ]


def test_the_colours_are_those_of_what_learning_gained_over_the_static_network(shown):
    first, second, _, legend, *_ = shown.coloured().splitlines()
    assert re.sub("\x1b\\[[0-9;]*m", "", f"{first}\n{second}") == "a b\nc"
    lost, gained = first.split()
    assert "48;5;224" in lost and "\x1b[4;38;5;16;48;5;120m" in gained and second == "c"
    assert legend.endswith("2, against 1.")
    static = np.array([3.0, 5.0, 4.0, 7.0, 1.0])
    compared = replace(
        shown, readings={**shown.readings, STATIC: static}, titles={**shown.titles, STATIC: "3"}
    )
    assert compared.gains.tolist() == [1.0, 1.0, 1.0, 64.0, 1.0]
    first, second, _, legend, *_ = compared.coloured().splitlines()
    assert first == "a b" and "48;5;77" in second and legend.endswith("2, against 3.")
    assert "0 150 70 / 0.60" in compared.html() and "217 70 30 / 0.10" in shown.html()


def test_a_page_has_all_words_and_needs_no_other_file(model):
    shown = model.show(TEXT)
    page = shown.html()
    words = [word for sentence in shown.sentences for word in sentence[:-1]]
    marked = re.findall(r"<span[^>]*>(?:<u>)?([^<]*)", page)
    assert [unescape(word) for word in marked] == words
    assert any("<" in word for word in words)
    assert not re.search(r"\s(src|href)=", page)
    rows = page.partition("<summary>Every word</summary>")[2].count("<tr><td>")
    assert rows == len(words) + len(shown.sentences)


def test_brackets_are_explained_if_a_word_is_unknown_not_if_the_text_has_them(model_path):
    contents = model_file.read(model_path)
    words = ["[sic" if word == "rare" else word for word in contents.corpus.words]
    preparation = contents.description.preparation.model_copy(update={"tokenised": True})
    model = used.TrainedModel(
        replace(
            contents,
            description=contents.description.model_copy(update={"preparation": preparation}),
            corpus=replace(contents.corpus, words=words),
        )
    )
    known, unknown = (model.show(f"the cat sees {word} .") for word in ("[sic", "zeppelin"))
    assert "[sic" in known.html() and "In brackets" not in known.html() + str(known)
    assert "In brackets" in unknown.html() and "In brackets" in str(unknown)


def test_a_static_model_has_one_reading(supplied):
    shown = supplied.companion.show(TEXT)
    assert list(shown.readings) == [FROZEN]
    assert "×" not in str(shown)


def test_models_of_two_vocabularies_are_not_compared(model, supplied):
    with pytest.raises(UserError, match="another vocabulary"):
        model.show(TEXT, static=supplied)


@pytest.mark.parametrize("text", [" \n ", ["a text"]])
def test_no_text_is_one_line(model, text):
    with pytest.raises(UserError, match=r"no text|text is needed"):
        model.show(text)


def test_the_verb_reads_texts_files_and_its_input(model_path, run, tmp_path):
    (tmp_path / "some.txt").write_text(TEXT, encoding="utf-8")
    given = ("--model", model_path)
    adaptations = run("show", TEXT, *given), run("show", tmp_path / "some.txt", *given)
    adaptations += (run("show", *given, text=TEXT.encode()),)
    read, write = os.pipe()
    os.write(write, TEXT.encode())
    os.close(write)
    adaptations += (run("show", f"/dev/fd/{read}", *given),)
    os.close(read)
    assert len({found.out for found in adaptations}) == 1
    assert all(found.status == 0 for found in adaptations) and "[" in adaptations[0].out
    page = tmp_path / "page.html"
    assert run("show", TEXT, *given, "--html", page).out == f"{page}: written\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    # Each line by itself: no sentence is divided.
    lines = run("show", "The cat sees. The hen.", "--lines", *given).out.splitlines()
    assert lines[1] == ""


def test_an_installation_without_the_projects_model_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(used, "SUPPLIED_MODEL", tmp_path / "none.onlm")
    with pytest.raises(UserError, match="no model comes with this installation"):
        used.load()
