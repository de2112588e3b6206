"""Tests that every result in the sentences of README.md and docs/evidence.md is of the evidence."""

import re

import pytest

from tests.unit import prose
from tests.unit.kept import ROOT

MADE = re.compile(r"<!-- evidence .*?<!-- end -->\n", re.DOTALL)
"""A part that `make document` makes; another test compares these."""
RESULT = re.compile(r"(?<![\w.,/])[−+]?\d+\.\d+(?![\w.]*\d)|\d+ %|\d+ times")
"""A number as results have it: with a decimal point, in per cent, or so many times."""
PLANNED = (
    "What is asked",
    "What is compared",
    "Which tests decide",
    "What was changed after the plan",
    "What was seen before",
    "The RNNLM Toolkit on the same text",
)
"""Sections with settings, and with results that were measured outside of what is kept."""
DOCUMENTS = {"README.md": prose.readme, "docs/evidence.md": prose.evidence}
SETTINGS = {
    "README.md": (
        "Python 3.11 to 3.13",
        "Python 3.8 or 3.9",
        "at most 1 % better",
        "On 1.28 million words",
        "On 0.8 million words",
        "the rate α = 0.15",
    ),
    "docs/evidence.md": (
        "(9.9 million training words;",
        "(13.5 million)",
        "a 5-gram of 0.8 million words",
        "dropouts of 0.1 and 0.2 and learning rates of 0.2 and 0.3",
        "of the grid, 0.1 and 0.2, were each chosen by some; 0 and 0.1, which are smaller",
        "chose its smallest rate, 0.15",
        "In the comparison above 0.15 is the smallest",
        "of 1.28 million words",
        "the neural cache's θ of 2",
        "in testing of 0.3 where 100/20 by articles",
        "the rate 0.003 where everything learns",
        "the vector's rate in testing of 0.3, kept",
        "the dropout 0.2, and all but",
        "the learning rate 0.2: these are the largest",
        "has the rate 0.3 if it is kept",
        "those that chose 0.25 in training",
        "All have a learning rate of 0.2 and a dropout of 0.2",
        "The grid of the vector's rate was 0.15 to 0.35 at first; 0.1, 0.05 and 0.02 were added",
        "The learning rate (0.1, 0.2, 0.3), the dropout (0.2, 0.3)",
        "the vector's rate (0.15, 0.25) are the best",
        "135/0 chose the learning rate 0.3, the largest of its grid, and all chose the dropout 0.2",
    ),
}
"""Numbers of settings, versions and sizes of text, which are no results."""
MEASURED_ELSEWHERE = {
    "README.md": ("the original RNNLM Toolkit reaches 140.5",),
    "docs/evidence.md": (
        "found 102.2, 98.1, 87.4 and 84.5 for these four networks",
        "by 5 to 6 %",
        "had found 75.0, 72.9, 72.3, 65.0, 63.7, 75.8 and 57.1 for the seven networks",
    ),
}
"""Results that do not follow from what is kept; the documents say so."""


def _prose(name: str) -> str:
    """The sentences of a document, on one line, without code and the parts that are made."""
    text = MADE.sub("", (ROOT / name).read_text(encoding="utf-8"))
    sections = re.split(r"(?m)^(?=## )", text)
    kept = [
        section for section in sections if not section.startswith(tuple(f"## {p}" for p in PLANNED))
    ]
    lines = "".join(kept).splitlines()
    return " ".join(" ".join(line for line in lines if not line.startswith("    ")).split())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_sentences_give_the_numbers_of_the_evidence(name):
    text = _prose(name)
    assert [sentence for sentence in DOCUMENTS[name]() if sentence not in text] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_of_a_sentence_is_tested(name):
    text = _prose(name)
    known = [*DOCUMENTS[name](), *SETTINGS[name], *MEASURED_ELSEWHERE[name]]
    for sentence in sorted(known, key=len, reverse=True):
        assert sentence in text, f"it does not say: {sentence}"
        text = text.replace(sentence, "")
    around = [
        text[max(0, found.start() - 40) : found.end() + 20] for found in RESULT.finditer(text)
    ]
    assert around == []
