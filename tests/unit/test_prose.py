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


PAPER, ARTICLES, LSTMS = (Kept(name) for name in ("paper", "articles", "lstm"))
SIZES = [Kept("sizes", name) for name in ("wikipedia-600k", "wikipedia-2500k", "wikipedia")]
WHOLE = SIZES[-1]
"""The networks of `config/sizes.yaml` on the whole text."""
VECTOR, LEARNING = "100/20", "document_vector"
KEPT, EVERYTHING = "document_vector.word.document", "all.word.document"
N_GRAM, NEURAL, SHORT, MIXTURE = "5-gram", "neural cache", "short neural cache", "mixture"


def _cheaper_below(units: int) -> int:
    """The number of outputs below which 100/20 needs fewer multiply-adds than M/0, M `units`.

    100² + 100 n + 40 n + 20 < M² + M n; the 20 are those of the vector's own update.
    """
    return -(-(units**2 - 100**2 - 20) // (100 + 40 - units))


def per_article(network: str) -> str:
    """The name of a network of `config/articles.yaml`."""
    return f"{network} per article"


def readme() -> list[str]:
    """The sentences of README.md."""
    here = per_article(VECTOR)
    over_seeds = PAPER.over_seeds(2, VECTOR, "110/0")
    parameters = PAPER.claimed(2, VECTOR, "110/0")[1:]
    return [
        f"perplexity is {parameters} % lower than that of a static network of as many parameters, "
        f"and {WHOLE.claimed(2, here, '110/0')[1:]} % lower on whole articles",
        f"{VECTOR} takes {PAPER.claimed(1, VECTOR, '100/0')[1:]} % off 100/0, {parameters} % (95 % "
        f"interval over the seeds: {over_seeds}) off 110/0",
        "{} % ({}) off 120/0, and ".format(*PAPER.off("120/0", VECTOR))
        + "{} % ({}) off 135/0".format(*PAPER.off("135/0", VECTOR)),
        f"The gain here, {Kept('demo').claimed(2, VECTOR, '110/0')[1:]} % against 110/0,",
        f"the network has {PAPER.ppl(VECTOR, 'none')}, more than 100/0",
        f"it gains more:** {WHOLE.claimed(1, here, '100/0')[1:]} % off 100/0, "
        f"{WHOLE.claimed(2, here, '110/0')[1:]} % "
        f"({WHOLE.over_seeds(2, here, '110/0')}) off 110/0, and as much on 0.6 million words; "
        "by rates from a shorter search, {} % ({}) off 135/0".format(
            *ARTICLES.off(per_article("135/0"), here)
        ),
        f"in testing {VECTOR} reads {PAPER.words_per_second(VECTOR, 'document_vector')} words a "
        f"second; 110/0 reads {PAPER.words_per_second('110/0', 'none')}, with "
        f"{-PAPER.more_adds('110/0', VECTOR)} % fewer multiply-adds, 120/0 "
        f"{PAPER.words_per_second('120/0', 'none')} with as many, and 135/0 "
        f"{PAPER.words_per_second('135/0', 'none')} with {PAPER.more_adds('135/0', VECTOR)} % "
        f"more. Per article {VECTOR} reads {ARTICLES.words_per_second(here, LEARNING)}, and 110/0 "
        f"{ARTICLES.words_per_second(per_article('110/0'), 'none')}.",
        f"takes 100/0 to {PAPER.ppl(f'100/0 + {SHORT}')}, a 5-gram that is mixed in to "
        f"{PAPER.ppl(f'100/0 + {N_GRAM}')}, dynamic evaluation, by which all weights learn, to "
        f"{PAPER.ppl('100/0 + dynamic evaluation')}. {VECTOR} has {PAPER.ppl(VECTOR, KEPT)} if its "
        "vector is reset only after an article, "
        f"{PAPER.ppl(VECTOR, EVERYTHING)} if all weights learn so. Trained per article it has "
        f"{ARTICLES.ppl(here)}, 100/0 with the short cache "
        f"{ARTICLES.ppl(per_article('100/0') + f' + {SHORT}')} (undecided, short search)",
        f"135/0 has {PAPER.ppl(f'135/0 + {MIXTURE}')} and {VECTOR} "
        f"{PAPER.ppl(f'{VECTOR} + {MIXTURE}')}.",
        f"per sentence it takes {PAPER.off('110/0', VECTOR, 'technical')[0]} % off 110/0 on "
        f"technical prose, on fiction nothing ({PAPER.on('fiction', VECTOR, LEARNING)} and "
        f"{PAPER.on('fiction', '110/0', 'none')}; 135/0: {PAPER.on('fiction', '135/0', 'none')})",
    ]


def evidence() -> list[str]:
    """The sentences of docs/evidence.md."""
    mixed, here = f"{VECTOR} + {MIXTURE}", per_article(VECTOR)
    lstm, larger, with_vector = (per_article(f"LSTM {one}") for one in ("100/0", "104/0", VECTOR))
    elsewhere = {
        text: f"{ARTICLES.on(text, here, 'document_vector')} "
        f"(110/0: {ARTICLES.on(text, per_article('110/0'), 'none')})"
        for text in ("fiction", "technical")
    }
    cached = [PAPER.on(text, "100/0", "short_neural_cache") for text in elsewhere]
    cached_here = [
        ARTICLES.on(text, per_article("100/0"), "short_neural_cache") for text in elsewhere
    ]
    sizes = {
        network: [size.claimed(2, network, "110/0")[1:] for size in SIZES]
        for network in (VECTOR, here)
    }
    speeds = PAPER.claimed_speeds(6, f"{VECTOR} kept for the article", "100/0 with a short")
    return [
        f"{ARTICLES.better(here, per_article('100/0'))} % off 100/0, "
        f"{ARTICLES.better(here, per_article('110/0'))} % off 110/0, "
        f"{ARTICLES.better(here, per_article('135/0'))} % off 135/0, and",
        f"takes 100/0 to {ARTICLES.ppl(per_article('100/0') + f' + {SHORT}')}, and a 5-gram to "
        f"{ARTICLES.ppl(per_article('100/0') + f' + {N_GRAM}')}.",
        f"the vector's as in training, they reach {ARTICLES.ppl(here, EVERYTHING)}.",
        f"it takes {LSTMS.claimed(2, with_vector, larger)[1:]} % "
        f"({LSTMS.over_seeds(2, with_vector, larger)}) off LSTM 104/0, of as many parameters, for "
        f"{LSTMS.more_adds(with_vector, larger)} % more multiply-adds ({LSTMS.ppl(larger)} and "
        f"{LSTMS.ppl(with_vector)}). A short cache takes LSTM 100/0 to "
        f"{LSTMS.ppl(f'{lstm} + {SHORT}')}, dynamic evaluation to "
        f"{LSTMS.ppl(f'{lstm} + dynamic evaluation')}; with all rivals mixed in, 104/0 has "
        f"{LSTMS.ppl(f'{larger} + {MIXTURE}')} and {VECTOR} "
        f"{LSTMS.ppl(f'{with_vector} + {MIXTURE}')}: undecided.",
        "the vector takes {} % off it (over the seeds {} %). ".format(*PAPER.off("120/0", VECTOR))
        + "It takes {} % ({} %) off 135/0, which needs ".format(*PAPER.off("135/0", VECTOR))
        + f"{PAPER.more_adds('135/0', VECTOR)} % more multiply-adds",
        f"{speeds[1]} words a second in its tests, the vector {speeds[0]}.",
        f"100/0 with it reaches {PAPER.ppl(f'100/0 + {N_GRAM}')}.",
        f"With it {VECTOR} reaches {PAPER.ppl(f'{VECTOR} + {N_GRAM}')}",
        f"A unigram cache takes 100/0 to {PAPER.ppl('100/0 + unigram cache')} for one multiply-add "
        f"more, a short neural cache to {PAPER.ppl(f'100/0 + {SHORT}')} for as many as the "
        f"vector needs. Reset only at an article's end, the vector has {PAPER.ppl(VECTOR, KEPT)}",
        f"135/0 reaches {PAPER.ppl(f'135/0 + {NEURAL}')}, {VECTOR} "
        f"{PAPER.ppl(f'{VECTOR} + {NEURAL}')} (short: {PAPER.ppl(f'{VECTOR} + {SHORT}')})",
        "{} takes {}, {} and {} % ".format(VECTOR, *sizes[VECTOR])
        + f"({WHOLE.over_seeds(2, VECTOR, '110/0')}; by five seeds "
        + f"{PAPER.claimed(2, VECTOR, '110/0')[1:]}) off 110/0, "
        + "per article {}, {} and {} % (".format(*sizes[here]),
        f"100/0 has {WHOLE.ppl(per_article('100/0'))} then, 110/0 "
        f"{WHOLE.ppl(per_article('110/0'))} and {VECTOR} {WHOLE.ppl(here)}, so the vector takes "
        f"{WHOLE.claimed(1, here, '100/0')[1:]} % and {sizes[here][2]} % "
        f"({WHOLE.over_seeds(2, here, '110/0')}) off",
        f"takes {PAPER.better(mixed, f'100/0 + {MIXTURE}')} % off 100/0, and nothing off 135/0 "
        f"({PAPER.ppl(mixed)} and {PAPER.ppl(f'135/0 + {MIXTURE}')})",
        f"100/0 goes from {PAPER.ppl('100/0')} to {PAPER.ppl('100/0', EVERYTHING)}, and {VECTOR} "
        f"to {PAPER.ppl(VECTOR, KEPT)} with its vector alone, to "
        f"{PAPER.ppl(VECTOR, EVERYTHING)} with all weights",
        f"100/0 here {PAPER.ppl('100/0')} ",
        f"100/0 goes to {PAPER.ppl('100/0 + dynamic evaluation')}.",
        "than on Wikipedia, {} % ({} %) off 135/0".format(*PAPER.off("135/0", VECTOR, "technical")),
        f"it has {PAPER.on('fiction', VECTOR, KEPT)} on fiction and "
        f"{PAPER.on('technical', VECTOR, KEPT)} on technical prose, where 100/0 with a short cache "
        f"has {' and '.join(cached)}; trained per article, {elsewhere['fiction']} and "
        f"{elsewhere['technical']}, where 100/0 with a short cache has "
        f"{' and '.join(cached_here)}.",
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
