"""Growth of the cost of training with one setting, while all others stay as configured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.arithmetic import training_flops
from benchmarks.context import ONLINE, Context, new_trainer
from benchmarks.measure import interleaved
from benchmarks.rows import speed_row
from benchmarks.speed import training_pass
from benchmarks.synthetic import zipf_corpus
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.model.sizes import sizes_for

SENTENCES = 3200
HIDDEN = (25, 50, 100, 200, 400)
DOCUMENT = (0, 5, 10, 20, 35, 50, 100)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
VOCABULARY = (1_000, 5_000, 20_000, 60_000, 200_000)
TOKENS = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
_ZIPF_TOKENS, _ZIPF_WORDS = 1_000_000, 20_000
_REPEATS = 3

Case = tuple[float, RunSettings, Corpus]


def scaling(context: Context) -> dict[str, Any]:
    """Measure words per second, and the bound, for every value of every setting that is changed."""
    quick = context.options.quick
    axes = {
        "hidden_size": _by_setting(context, "hidden_size", HIDDEN),
        "document_size": _by_setting(context, "document_size", DOCUMENT),
        "batch_sentences": _by_setting(context, "batch_sentences", BATCHES),
        "vocabulary": _by_vocabulary(context),
        "tokens": _by_tokens(context),
    }
    return {"axes": {name: [_measure(context, case) for case in _chosen(cases, quick)]
                     for name, cases in axes.items()}}  # fmt: skip


def _chosen(cases: Iterator[Case], quick: bool) -> list[Case] | Iterator[Case]:
    """Return all cases, or the first two; each is made when needed, because a corpus is large."""
    return [next(cases), next(cases)] if quick else cases


def _by_setting(context: Context, key: str, values: tuple[int, ...]) -> Iterator[Case]:
    base = context.settings(ONLINE).model_dump()
    for value in values:
        yield value, RunSettings.model_validate({**base, key: value}), context.main.corpus


def _by_vocabulary(context: Context) -> Iterator[Case]:
    for words in VOCABULARY:
        yield words, context.settings(ONLINE), _zipf(context, _ZIPF_TOKENS, words)


def _by_tokens(context: Context) -> Iterator[Case]:
    for tokens in TOKENS:
        yield tokens, context.settings(ONLINE), _zipf(context, tokens, _ZIPF_WORDS)


def _zipf(context: Context, tokens: int, words: int) -> Corpus:
    classes = next(iter(context.experiment.corpora.values())).classes
    return zipf_corpus(tokens // (50 if context.options.quick else 1), words, classes)


def _measure(context: Context, case: Case) -> dict[str, Any]:
    value, settings, corpus = case
    sentences = context.sample(corpus, SENTENCES)
    task = training_pass(new_trainer(settings, corpus), settings, corpus, sentences)
    samples = interleaved({"training": task}, min(_REPEATS, context.options.repeats))
    sizes, mean = sizes_for(settings, corpus), corpus.mean_class_size("train")
    flops = training_flops(sizes, mean)
    about: dict[str, Any] = {"value": value, "classes": corpus.classes, "mean_class_size": mean}
    return speed_row("training", samples, "training", flops, **about)
