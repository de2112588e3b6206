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


ALL_KEPT = "all.word.document"
DEMO, COMPARISON, DOCUMENTS = Kept("demo"), Kept("comparison"), Kept("documents")
FULL, PAPER = Kept("full-scale"), Kept("paper")
REFERENCE, GRADIENTS, SOFTMAX = Kept("reference"), Kept("gradients"), Kept("full-softmax")
CLASSES, VECTORS = Kept("full-scale-classes"), Kept("full-scale-vectors")
BY_ARTICLES = "100/20 document"
KEPT, MIXED_IN = ", its vector kept for the document", "with a 5-gram model mixed in"
NGRAMS_OF_COMPARISON = f"{COMPARISON.row('5-gram, modified Kneser-Ney')['parameters'] / 1e6:.1f}"
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
    through = f"{BY_ARTICLES} through"
    return [
        f"The vector takes {dynamic_documents} % off the paper's hidden layer and "
        f"{PAPER.claimed(1, lstm_vector, lstm)[1:]} % off the LSTM; with all rivals mixed in on "
        f"both sides {PAPER.better(f'{BY_ARTICLES} + {MIXTURE}', f'100/0 document + {MIXTURE}')} "
        f"% and {PAPER.better(f'{lstm_vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} %.",
        f"Against 120/0 by articles it is {PAPER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} %",
        f"the LSTM gains {DOCUMENTS.claimed(1, lstm_vector, lstm)[1:]} %.)",
        f"takes {COMPARISON.claimed(1, '100/20', '100/0')[1:]} % off 100/0 and "
        f"{COMPARISON.claimed(2, '100/20', '120/0')[1:]} % off 120/0 by sentences",
        f"({COMPARISON.claimed(6, f'100/20{KEPT}', f'100/0 {MIXED_IN}')} % with the vector kept "
        f"for the article, {COMPARISON.claimed(6, BY_ARTICLES, f'100/0 {MIXED_IN}')} % by "
        f"articles); at any cost it holds by articles "
        f"({COMPARISON.claimed(6, BY_ARTICLES, f'135/0 {MIXED_IN}')} %)",
        f"{COMPARISON.ppl('100/0 document')} ± {COMPARISON.sd('100/0 document')} over its seeds, "
        f"and at full scale 135/0 by articles {PAPER.ppl('135/0 document')} "
        f"± {PAPER.sd('135/0 document')}.",
        f"100/0 here {FULL.ppl('100/0')} ",
        f"100/0 reaches {REFERENCE.ppl('100/0')}, 135/0 {REFERENCE.ppl('135/0')}, 100/20 "
        f"{REFERENCE.ppl('100/20')}, and a static LSTM {REFERENCE.ppl('100/0 LSTM')} ",
        f"reach {DOCUMENTS.ppl('100+20/0 document')}, the vector {DOCUMENTS.ppl(BY_ARTICLES)}; "
        f"with a neural cache {DOCUMENTS.ppl(f'100+20/0 document + {NEURAL}')} and "
        f"{DOCUMENTS.ppl(f'{BY_ARTICLES} + {NEURAL}')} ",
        f"only while fewer than {_cheaper_below()} outputs are computed",
        f"with 100 classes there are {FULL.outputs():.0f}, with 50 or 200 classes more",
        f"a gain of {COMPARISON.gain('120/0', '100/0')} nats a word for 1,000 more multiply-adds, "
        f"a vector for the article {COMPARISON.gain(BY_ARTICLES, '100/0')}",
        f"no worse for that ({COMPARISON.ppl(BY_ARTICLES)}).",
        f"for {NGRAMS_OF_COMPARISON} million more parameters",
        f"So it helps by {GRADIENTS.better('100/20 through', '100/20')} % by sentences. By "
        f"articles it does not: {GRADIENTS.better(through, BY_ARTICLES)} % is",
        f"At full scale, by whole articles, 100/20 reaches {FULL.ppl(BY_ARTICLES)}.",
        f"a vector of 50 numbers takes {_percent_less(VECTORS, '100/50 document', FULL)} % more "
        f"off the perplexity, and one of 100 only another "
        f"{VECTORS.better('100/100 document', '100/50 document', 0)} %",
        f"135/0 ({FULL.adds('135/0'):,.0f} multiply-adds, {FULL.ppl('135/0')})",
        f"vector's gain over 135/0 stays {REFERENCE.change('100/20', '135/0', 0)} %",
        f"With the demo's 30 classes they reach {DEMO.ppl('100/0')} and {DEMO.ppl('100/20')}. So "
        f"the full softmax is {_percent_less(SOFTMAX, '100/0', DEMO)} and "
        f"{_percent_less(SOFTMAX, '100/20', DEMO)} % better, for "
        f"{SOFTMAX.adds('100/0') / DEMO.adds('100/0'):.0f} and "
        f"{SOFTMAX.adds('100/20') / DEMO.adds('100/20'):.0f} times the computation, and the "
        f"vector's gain is almost the same: {SOFTMAX.change('100/20', '100/0')} % in place of "
        f"{DEMO.change('100/20', '100/0')} %.",
        f"`config/full-scale.yaml` ({FULL.ppl('100/0')} and {FULL.ppl('100/20')}, three seeds)",
        f"changes: {CLASSES.change('100/20', '100/0', corpus='wikipedia-50')} % with 50 classes, "
        f"{FULL.change('100/20', '100/0')} % with 100, "
        f"{CLASSES.change('100/20', '100/0', corpus='wikipedia-200')} % with 200.",
    ]


def _percent_less(kept: Kept, model: str, other: Kept) -> str:
    """The reduction of the test perplexity, in per cent, against a model of another experiment."""
    against = BY_ARTICLES if other is FULL else model
    ratio = kept.row(model)["test_perplexity"] / other.row(against)["test_perplexity"]
    return f"{100 * (1 - ratio):.0f}"


@pytest.mark.parametrize(("name", "made"), [("README.md", readme), ("docs/evidence.md", evidence)])
def test_the_sentences_give_the_numbers_of_the_evidence(name, made):
    text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    assert [sentence for sentence in made() if sentence not in text] == []
