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
OF_EVIDENCE = "docs/evidence.md"
"""The page with the names that evidence has."""
PAGES = sorted(
    page
    for pattern in ("CONTRIBUTING.md", "config/*.md", "docs/*.md", "docs/theano/*.md")
    for page in ROOT.glob(pattern)
    if page.relative_to(ROOT).as_posix() != OF_EVIDENCE and page.stem != "glossary"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_keeps_to_the_glossary(page):
    text = " ".join(page.read_text(encoding="utf-8").split())
    text = re.sub("<!-- evidence .*?<!-- end -->", "", text)  # headings of the report's tables
    found = {word: NOT_SAID[word] for word in re.findall("|".join(NOT_SAID), text)}
    assert not found, f"{page.name}: each of these words has another in docs/glossary.md"


PAPER, EARLIER = Kept("paper"), Kept("earlier")
BY_ARTICLES = "100/20 document"
N_GRAM, NEURAL, MIXTURE = "5-gram", "neural cache", "mixture"


def _cheaper_below(units: int) -> int:
    """The number of outputs below which 100/20 needs fewer multiply-adds than M/0, M `units`.

    100² + 100 n + 40 n + 20 < M² + M n; the 20 are those of the vector's own update.
    """
    return -(-(units**2 - 100**2 - 20) // (100 + 40 - units))


def readme() -> list[str]:
    """The sentences of README.md."""
    lstm, lstm_vector = "100/0 LSTM document", "100/20 LSTM document"
    of_articles = EARLIER.claimed(1, BY_ARTICLES, "100/0 document")[1:]
    over_seeds = PAPER.over_seeds(2, "100/20", "110/0")
    return [
        f"100/20 takes {PAPER.claimed(1, '100/20', '100/0')[1:]} % off 100/0 and "
        f"{PAPER.claimed(2, '100/20', '110/0')[1:]} % (95 % interval over the seeds: {over_seeds}) "
        "off 110/0",
        f"takes {PAPER.claimed(2, '100/20', '110/0')[1:]} % off the perplexity of a static network",
        f"has {PAPER.ppl('100/20', 'none')} instead of {PAPER.ppl('100/20')}",
        f"takes {of_articles} % off 100/0 and "
        f"{EARLIER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} % off 120/0, and on an LSTM "
        f"{EARLIER.claimed(1, lstm_vector, lstm)[1:]} %",
        f"110/0 needs {PAPER.adds('110/0'):,.0f} multiply-adds per word, 100/20 "
        f"{PAPER.adds('100/20'):,.0f}",
        f"{PAPER.words_per_second('110/0', 'none')} words a second, 100/20 "
        f"{PAPER.words_per_second('100/20', 'document_vector')}",
        f"takes 100/0 from {PAPER.ppl('100/0')} to {PAPER.ppl(f'100/0 + {NEURAL}')}, for "
        f"{PAPER.times_as_many(f'100/0 + {NEURAL}', '100/0'):.1f} times the multiply-adds",
        f"a short one takes it to {PAPER.ppl('100/0 + short neural cache')}; kept for the article "
        "like a cache, the vector takes 100/20 to "
        f"{PAPER.ppl('100/20', 'document_vector.word.document')}, which is undecided",
        f"100/20 has {PAPER.ppl(f'100/20 + {MIXTURE}')} ± {PAPER.sd(f'100/20 + {MIXTURE}')}, "
        f"135/0 {PAPER.ppl(f'135/0 + {MIXTURE}')} ± {PAPER.sd(f'135/0 + {MIXTURE}')}",
    ]


def evidence() -> list[str]:
    """The sentences of docs/evidence.md."""
    lstm, lstm_vector = "100/0 LSTM document", "100/20 LSTM document"
    of_articles = EARLIER.claimed(1, BY_ARTICLES, "100/0 document")[1:]
    return [
        f"The vector takes {of_articles} % off the paper's hidden layer and "
        f"{EARLIER.claimed(1, lstm_vector, lstm)[1:]} % off the LSTM; with all rivals mixed in on "
        f"both sides {EARLIER.better(f'{BY_ARTICLES} + {MIXTURE}', f'100/0 document + {MIXTURE}')} "
        f"% and {EARLIER.better(f'{lstm_vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} %.",
        "Against 120/0 by articles it is "
        f"{EARLIER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} %",
        f"135/0 has {PAPER.ppl('135/0')}, 100/20 {PAPER.ppl('100/20')}",
        f"100/0 with it reaches {PAPER.ppl(f'100/0 + {N_GRAM}')}, for 100/20 alone "
        f"{PAPER.ppl('100/20')}",
        f"with both 100/20 reaches {PAPER.ppl(f'100/20 + {N_GRAM}')}",
        f"135/0 reaches {PAPER.ppl(f'135/0 + {NEURAL}')} with a neural cache, 100/20 "
        f"{PAPER.ppl(f'100/20 + {NEURAL}')}",
        f"100/0 goes from {PAPER.ppl('100/0')} to {PAPER.ppl('100/0', 'all.word.document')}, and "
        f"100/20 to {PAPER.ppl('100/20', 'document_vector.word.document')}",
        f"100/0 here {PAPER.ppl('100/0')} ",
        f"learn more: {PAPER.ppl('100/20 + dynamic evaluation')}.",
    ]


def method() -> list[str]:
    """The sentences of docs/method.md."""
    return [
        f"100/20 needs fewer multiply-adds than 120/0 only while n < {_cheaper_below(120)}, and "
        f"than 110/0 only while n < {_cheaper_below(110)}",
        f"n is {PAPER.outputs():.0f}, so 110/0 is cheaper",
    ]


@pytest.mark.parametrize(
    ("name", "made"),
    [("README.md", readme), ("docs/evidence.md", evidence), ("docs/method.md", method)],
)
def test_the_sentences_give_the_numbers_of_the_evidence(name, made):
    text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    assert [sentence for sentence in made() if sentence not in text] == []
