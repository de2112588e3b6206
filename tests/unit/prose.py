"""The sentences of README.md and docs/evidence.md that give numbers, made from the evidence."""

from __future__ import annotations

from online_rnnlm.analysis.wording import signed
from tests.unit.kept import Kept

ALL_KEPT, VECTOR_KEPT = "all.word.document", "document_vector.word.document"
DEMO, COMPARISON, DOCUMENTS = Kept("demo"), Kept("comparison"), Kept("documents")
FULL, PAPER = Kept("full-scale"), Kept("paper")
REFERENCE, GRADIENTS, SOFTMAX = Kept("reference"), Kept("gradients"), Kept("full-softmax")
CLASSES, VECTORS = Kept("full-scale-classes"), Kept("full-scale-vectors")
BY_ARTICLES = "100/20 document"
KEPT, MIXED_IN = ", its vector kept for the document", "with a 5-gram model mixed in"
NGRAMS_OF_COMPARISON = f"{COMPARISON.row('5-gram, modified Kneser-Ney')['parameters'] / 1e6:.1f}"
N_GRAM, NEURAL, DYNAMIC, MIXTURE = "5-gram", "neural cache", "dynamic evaluation", "mixture"


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
        f"100/20 is {FULL.claimed(2, '100/20', '120/0')[1:]} % better than 120/0",
        f"for {FULL.claimed(3, '100/20', '120/0')[1:]} % fewer multiply-adds",
        f"(100/0: {PAPER.ppl('100/0 document')}, 120/0: {PAPER.ppl('120/0 document')})",
        f"the vector's gain is {dynamic_documents} % and "
        f"{PAPER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} %, not "
        f"{FULL.claimed(1, BY_ARTICLES, '100/0')[1:]} % and "
        f"{FULL.claimed(2, BY_ARTICLES, '120/0')[1:]} %.",
        f"takes 100/0 from {FULL.ppl('100/0')} to {FULL.ppl(f'100/0 + {N_GRAM}')}",
        f"a neural cache takes it to {FULL.ppl(f'100/0 + {NEURAL}')}, for "
        f"{FULL.times_as_many(f'100/0 + {NEURAL}', '100/0'):.1f} times the multiply-adds",
        f"{FULL.ppl(BY_ARTICLES, ALL_KEPT)} instead of {FULL.ppl(BY_ARTICLES)}, for "
        f"{FULL.times_as_many(BY_ARTICLES, BY_ARTICLES, ALL_KEPT):.1f} times the multiply-adds",
        f"{PAPER.ppl(lstm)} to {PAPER.ppl(lstm_vector)} by articles; a 5-gram takes it to "
        f"{PAPER.ppl(f'{lstm} + {N_GRAM}')} instead, and with everything mixed in on both sides "
        f"{PAPER.better(f'{lstm_vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} % is left",
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
        f"sentences by themselves are {GRADIENTS.better('100/20 through', '100/20')} % better",
    ]


def evidence() -> list[str]:
    """The sentences of docs/evidence.md."""
    through = f"{BY_ARTICLES} through"
    return [
        *_at_full_scale(),
        *_by_articles(),
        *_cost_by_classes(),
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


def _at_full_scale() -> list[str]:
    dynamic = f"{BY_ARTICLES} + {DYNAMIC}"
    more = FULL.row("5-gram, modified Kneser-Ney")["parameters"] / FULL.row("100/0")["parameters"]
    return [
        f"**By sentences the vector is better than 120/0 ({FULL.claimed(2, '100/20', '120/0')} "
        f"%).** It is {FULL.better('100/20', '135/0')} % better than 135/0, too "
        f"({FULL.ppl('100/20')} against {FULL.ppl('135/0')})",
        f"it is {PAPER.claimed(1, BY_ARTICLES, '100/0 document')[1:]} %, not "
        f"{FULL.claimed(1, BY_ARTICLES, '100/0')[1:]}.",
        f"100/0 with it reaches {FULL.ppl(f'100/0 + {N_GRAM}')}, 100/20 {FULL.ppl('100/20')}. (By "
        f"articles 100/0 with it reaches {PAPER.ppl(f'100/0 document + {N_GRAM}')}, 100/20 "
        f"{FULL.ppl(BY_ARTICLES)}.) It has 36 million parameters, {more:.1f} times as many as "
        f"100/0. The vector and the 5-gram together reach {FULL.ppl(f'100/20 + {N_GRAM}')} by "
        f"sentences and {FULL.ppl(f'{BY_ARTICLES} + {N_GRAM}')} by articles.",
        f"135/0 with a neural cache ({FULL.ppl(f'135/0 + {NEURAL}')}) or with dynamic evaluation "
        f"({FULL.ppl(f'135/0 + {DYNAMIC}')}). 100/20 by articles with a neural cache reaches "
        f"{FULL.ppl(f'{BY_ARTICLES} + {NEURAL}')}. By sentences, with one on both sides, 100/20 "
        f"({FULL.ppl(f'100/20 + {NEURAL}')}) is no better than 120/0 "
        f"({FULL.ppl(f'120/0 + {NEURAL}')}) or 135/0 ({FULL.ppl(f'135/0 + {NEURAL}')}).",
        f"for {FULL.times_as_many(BY_ARTICLES, BY_ARTICLES, ALL_KEPT):.1f} times the "
        f"multiply-adds, 100/20 by articles reaches {FULL.ppl(BY_ARTICLES, ALL_KEPT)} instead of "
        f"{FULL.ppl(BY_ARTICLES, VECTOR_KEPT)}. Dynamic evaluation, in which everything learns, "
        f"too, reaches {FULL.ppl(dynamic)} for {FULL.times_as_many(dynamic, BY_ARTICLES):.0f} "
        f"times. 100/20 by sentences gains little or nothing from plain steps if its vector is "
        f"kept for the article ({FULL.ppl('100/20', ALL_KEPT)} and "
        f"{FULL.ppl('100/20', VECTOR_KEPT)}), but from dynamic evaluation it does "
        f"({FULL.ppl(f'100/20 + {DYNAMIC}')}).",
        f"100/0 reaches {FULL.ppl('100/0', ALL_KEPT)} with everything learning, and 135/0 "
        f"{FULL.ppl('135/0', ALL_KEPT)}, where 100/20 by sentences has {FULL.ppl('100/20')}, and "
        f"{FULL.ppl('100/20', VECTOR_KEPT)} with its vector kept for the article.",
    ]


def _by_articles() -> list[str]:
    static, lstm, vector = "100/0 document", "100/0 LSTM document", "100/20 LSTM document"
    mixed = [PAPER.ppl(f"{n} document + {MIXTURE}") for n in ("100/20", "120/0", "135/0")]
    return [
        f"100/0 has {PAPER.ppl(static)} instead of {FULL.ppl('100/0')}, 120/0 "
        f"{PAPER.ppl('120/0 document')} instead of {FULL.ppl('120/0')}.",
        f"it is {PAPER.claimed(2, BY_ARTICLES, '120/0 document')[1:]} % better than 120/0",
        f"(± {PAPER.sd('135/0 document')})",
        f"it is {mixed[0]} against {mixed[1]} and {mixed[2]}.",
        f"{PAPER.claimed(1, BY_ARTICLES, static)} % on the paper's hidden layer, "
        f"{PAPER.claimed(1, vector, lstm)} % on the LSTM. With all rivals mixed in, "
        f"{PAPER.change(f'{BY_ARTICLES} + {MIXTURE}', f'{static} + {MIXTURE}')} % and "
        f"{PAPER.change(f'{vector} + {MIXTURE}', f'{lstm} + {MIXTURE}')} %.",
        f"the static LSTM reaches {PAPER.ppl(f'{lstm} + {N_GRAM}')}, with a neural cache "
        f"{PAPER.ppl(f'{lstm} + {NEURAL}')}, where the vector reaches {PAPER.ppl(vector)}. Vector "
        f"and neural cache together ({PAPER.ppl(f'{vector} + {NEURAL}')})",
        f"the LSTM with a vector ({PAPER.ppl(f'{vector} + {DYNAMIC}')}) is worse than the LSTM "
        f"without ({PAPER.ppl(f'{lstm} + {DYNAMIC}')}).",
    ]


def _cost_by_classes() -> list[str]:
    """The rows of the table of multiply-adds by text."""
    texts = [
        ("full scale, 100 classes", FULL, ""),
        ("full scale, 50 classes", CLASSES, "wikipedia-50"),
        ("full scale, 200 classes", CLASSES, "wikipedia-200"),
        ("smaller text, 30 classes", COMPARISON, ""),
        ("reference split, 100 exchange classes", REFERENCE, ""),
        ("demo, one class (the full softmax)", SOFTMAX, ""),
    ]
    return [_cost_row(name, kept, corpus) for name, kept, corpus in texts]


def _cost_row(name: str, kept: Kept, corpus: str) -> str:
    outputs, vector = kept.outputs(corpus), kept.adds("100/20", corpus=corpus)
    static = 120**2 + 120 * outputs
    shown = f"{outputs:,.1f}".removesuffix(".0")
    change = signed(100 * (vector / static - 1))
    return f"| {name} | {shown} | {static:,.0f} | {vector:,.0f} | {change} % |"
