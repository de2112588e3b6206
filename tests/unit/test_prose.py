"""Tests that documents keep to the glossary, and that results in sentences are of the evidence."""

import re

import pytest

from tests.unit.kept import ROOT, Kept

NOT_SAID = {
    "held still": "frozen",
    "by sentences": "per sentence",
    "by articles": "per article",
    "kept for the document": "kept for the article",
    "baseline": "static network",
}
"""Words that docs/glossary.md has others for."""
OF_EVIDENCE = ("docs/evidence.md", "docs/using-a-model.md")
"""Pages with the names that evidence has, and pages that are being rewritten."""
PAGES = sorted(
    page
    for pattern in ("CONTRIBUTING.md", "config/*.md", "docs/*.md", "docs/theano/*.md")
    for page in ROOT.glob(pattern)
    if page.relative_to(ROOT).as_posix() not in OF_EVIDENCE and page.stem != "glossary"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_keeps_to_the_glossary(page):
    text = " ".join(page.read_text(encoding="utf-8").split()).replace("*Vector held still*", "")
    text = re.sub("<!-- evidence .*?<!-- end -->", "", text)  # headings of the report's tables
    found = {word: NOT_SAID[word] for word in re.findall("|".join(NOT_SAID), text)}
    assert not found, f"{page.name}: each of these words has another in docs/glossary.md"


FULL, PAPER = Kept("full-scale"), Kept("paper")
BY_ARTICLES = "100/20 document"
N_GRAM, NEURAL, MIXTURE = "5-gram", "neural cache", "mixture"


def _cheaper_below() -> int:
    """The number of outputs below which 100/20 needs fewer multiply-adds than 120/0.

    100² + 100 n + 40 n + 20 < 120² + 120 n; the 20 are those of the vector's own update.
    """
    return -(-(120**2 - 100**2 - 20) // (100 + 40 - 120))


def readme() -> list[str]:
    """The sentences of README.md."""
    lstm, lstm_vector = "100/0 LSTM document", "100/20 LSTM document"
    dynamic_documents = PAPER.claimed(1, BY_ARTICLES, "100/0 document")[1:]
    return [
        f"takes {FULL.claimed(1, '100/20', '100/0')[1:]} % off 100/0 and "
        f"{FULL.claimed(2, '100/20', '120/0')[1:]} % (2.1 to 6.7 over the seeds) off 120/0",
        f"has {FULL.ppl('100/20', 'none')} instead of {FULL.ppl('100/20')}",
        f"(100/0: {PAPER.ppl('100/0 document')}, 120/0: {PAPER.ppl('120/0 document')}), its gain "
        f"is {dynamic_documents} % and {PAPER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} %, "
        f"and on an LSTM {PAPER.claimed(1, lstm_vector, lstm)[1:]} %",
        f"takes 100/0 from {FULL.ppl('100/0')} to {FULL.ppl(f'100/0 + {N_GRAM}')}",
        f"a neural cache takes it to {FULL.ppl(f'100/0 + {NEURAL}')}, for "
        f"{FULL.times_as_many(f'100/0 + {NEURAL}', '100/0'):.1f} times the multiply-adds",
        f"it is {PAPER.ppl(f'{BY_ARTICLES} + {MIXTURE}')} "
        f"± {PAPER.sd(f'{BY_ARTICLES} + {MIXTURE}')} against "
        f"{PAPER.ppl(f'135/0 document + {MIXTURE}')} "
        f"± {PAPER.sd(f'135/0 document + {MIXTURE}')} for 135/0",
        f"100/20 has {FULL.ppl(BY_ARTICLES)} there",
        f"on the LSTM {PAPER.better(f'{lstm_vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} % is "
        "left",
    ]


def evidence() -> list[str]:
    """The sentences of docs/evidence.md."""
    lstm, lstm_vector = "100/0 LSTM document", "100/20 LSTM document"
    dynamic_documents = PAPER.claimed(1, BY_ARTICLES, "100/0 document")[1:]
    return [
        f"The vector takes {dynamic_documents} % off the paper's hidden layer and "
        f"{PAPER.claimed(1, lstm_vector, lstm)[1:]} % off the LSTM; with all rivals mixed in on "
        f"both sides {PAPER.better(f'{BY_ARTICLES} + {MIXTURE}', f'100/0 document + {MIXTURE}')} "
        f"% and {PAPER.better(f'{lstm_vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} %.",
        f"Against 120/0 by articles it is {PAPER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} %",
        f"100/0 here {FULL.ppl('100/0')} ",
        f"than 120/0 only while n < {_cheaper_below()}; here n is {FULL.outputs():.0f}",
    ]


@pytest.mark.parametrize(("name", "made"), [("README.md", readme), ("docs/evidence.md", evidence)])
def test_the_sentences_give_the_numbers_of_the_evidence(name, made):
    text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    assert [sentence for sentence in made() if sentence not in text] == []
