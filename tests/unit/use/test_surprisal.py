"""Tests of the surprisal of each word of a text."""

import re

import numpy as np
import pytest

from online_rnnlm.errors import UserError
from tests.project import ROOT
from tests.rounding import same_but_for_rounding

TEXT = """\
The composer "Mozart" couldn't attend.  His op\u0065\u0301ra wasn't liked in Vienna\u2026

An ``old'' \u0130stanbul caf\xe9 (na\xefve) cannot <unk> now: 3.5 km... """


def test_each_word_of_the_text_as_it_stands_has_a_row(supplied):
    table = supplied.surprisal(TEXT)
    assert table["word"].tolist() == TEXT.split()
    assert [TEXT[start:end] for start, end in zip(table["start"], table["end"], strict=True)] == (
        TEXT.split()
    )
    assert table["sentence"].tolist() == [0] * 5 + [1] * 6 + [2] * 10
    assert table["position"].tolist() == [*range(5), *range(6), *range(10)]
    by_word = dict(zip(table["word"], table["tokens"], strict=True))
    assert by_word['"Mozart"'] == 3 and by_word["couldn't"] == 2 and by_word["``old''"] == 3
    assert by_word["\u0130stanbul"] == 1 and by_word["cannot"] == 2 and by_word["km..."] == 2
    unknown = set(table["word"][~table["known"]])
    assert "\u0130stanbul" in unknown and "composer" not in unknown


def test_the_bits_are_those_of_the_scores_summed_over_a_words_tokens(supplied):
    text = "The opera premiered in Vienna. It wasn't liked.\n\nMozart died."
    table = supplied.surprisal(text)
    documents = ["The opera premiered in Vienna. It wasn't liked.", "Mozart died."]
    readings = {"static": (supplied.companion, {}), "frozen": (supplied, {"updates": "none"})}
    readings["learning"] = (supplied, {})
    for name, (model, adaptation) in readings.items():
        words = model.score_words(documents, running=True, **adaptation)
        words = words[words["word"] != "</s>"]
        bits = -words["log_probability"] / np.log(2)
        assert table[name].sum() == pytest.approx(bits.sum(), rel=1e-5)
        assert table[name][0] == pytest.approx(bits.iloc[0], rel=1e-5)
        liked = words["word"].isin(["liked"]).idxmax()
        assert table[name][7] == pytest.approx(bits[liked] + bits[liked + 1], rel=1e-5)
    assert list(table.columns[-4:]) == ["static", "frozen", "learning", "entropy"]


def test_the_entropy_is_that_before_the_words_first_token(supplied):
    table = supplied.surprisal("The opera wasn't liked. It closed.\n\nMozart died.")
    state = supplied.start()
    read = ["the", "opera", "was", "n't", "liked", ".", "</s>", "it", "closed", ".", "</s>"]
    entropies = []
    for word in read:
        entropies.append(supplied.entropy(state) / np.log(2))
        _, state = supplied.continue_(state, [word])
    expected = [entropies[place] for place in (0, 1, 2, 4, 7, 8)] + [entropies[0]]
    np.testing.assert_allclose(table["entropy"][:7], expected, rtol=1e-5)


def test_only_the_projects_model_brings_a_static_one(model):
    columns = model.surprisal("The cat sees the hen.").columns
    assert "static" not in columns and {"frozen", "learning"} <= {*columns}
    assert "static" in model.surprisal("The cat.", static=model).columns
    for use in (model.surprisal, model.show):
        with pytest.raises(UserError, match=r"^`static`: a model that `load` returns .*, not 3$"):
            use("The cat.", static=3)


def test_the_page_prints_what_its_example_does(capsys):
    page = (ROOT / "docs" / "surprisal.md").read_text(encoding="utf-8")
    code, output = re.search(
        r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", page, re.DOTALL
    ).groups()
    exec(code, {})
    shown = "".join(f"{line[4:]}\n" for line in output.splitlines())
    assert same_but_for_rounding(capsys.readouterr().out, shown)
