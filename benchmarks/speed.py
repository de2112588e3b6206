"""Words per second in this process: the table of workloads, a function for each section."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from unittest import mock

from benchmarks.corpora import in_documents, paper_text, random_text
from benchmarks.measure import Row, Target, Workload, measured, row
from benchmarks.workloads import (
    HIDDEN_SIZE,
    ONLINE,
    STATIC,
    Context,
    learnt_weights,
    online_scoring_task,
    reading_task,
    scoring_flops,
    scoring_task,
    training_flops,
    training_task,
)
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import kernel_engine
from online_rnnlm.core.engines.base import Sentences
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.corpora.corpus import Corpus, load_corpus

SENTENCES = 6400
TRAINING = {STATIC: Target(400_000), ONLINE: Target(300_000)}
LARGE = {STATIC: Target(330_000), ONLINE: Target(260_000)}
BATCHES = (128, 64)
"""Sentences an update in `make paper`, and by default."""
AS_COSTLY = 120
"""M of the static network that has about as many multiply-adds per word as M = 100, D = 20."""
SCORING = {STATIC: "evaluation, static", ONLINE: "evaluation, document vector learning"}
SCORING_TARGET, LEARNING_TARGET = Target(665_000), Target(100_000)
OTHERS: tuple[tuple[str, int, dict[str, Any], float], ...] = (
    ("per article", STATIC, {"unit_of_text": "document"}, 0.9),
    ("per article", ONLINE, {"unit_of_text": "document"}, 0.9),
    ("LSTM", STATIC, {"cell": "lstm"}, 0.3),
    ("dropout before the output layer", STATIC, {"dropout": 0.2}, 0.9),
)
"""Other networks and ways to read: name, D, settings, and the least ratio to the paper's."""
WIDE = 400
AXES: dict[str, tuple[int, ...]] = {
    "hidden_size": (25, 50, 100, 200, 400),
    "document_size": (0, 5, 10, 20, 35, 50, 100),
    "batch_sentences": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "vocabulary": (1_000, 5_000, 20_000, 60_000, 200_000),
    "tokens": (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
}
"""The settings that are changed one at a time; the last two are of random text."""
AXIS_TOKENS, AXIS_WORDS, AXIS_REPEATS = 1_000_000, 20_000, 3


def training(context: Context) -> dict[str, Any]:
    """Measure training with D = 0 and D = 20, in the configured batches and in batches of one."""
    rows: list[Row] = []
    for text in context.texts:
        sentences = context.sample(text.corpus, SENTENCES)
        usual = context.settings(STATIC).batch_sentences
        cases = itertools.product((usual, 1), (STATIC, ONLINE))
        group = [
            _training(
                f"training D = {size}, "
                + ("one sentence an update" if batch == 1 else f"{batch} sentences an update"),
                context.settings(size, batch_sentences=batch),
                text.corpus,
                sentences,
                TRAINING[size] if batch == usual else None,
            )
            for batch, size in cases
        ]
        rows += measured(_of(text.name, group), context.repeats)
    return {"rows": rows}


def _training(
    title: str,
    settings: RunSettings,
    corpus: Corpus,
    sentences: Sentences,
    target: Target | None = None,
) -> Workload:
    """Return a workload of training, whose speed is compared with the bound."""
    task = partial(training_task, settings, corpus, sentences)
    return Workload(title, task, target, training_flops(settings, corpus))


def _of(corpus: str, group: Iterable[Workload]) -> list[Workload]:
    return [one._replace(more={"corpus": corpus}) for one in group]


def full_scale(context: Context) -> dict[str, Any]:
    """Measure training and testing on the text, and with the vocabulary, of `make paper`."""
    title, corpus = _large(context)
    sentences = context.sample(corpus, SENTENCES)
    group = [
        _training(
            f"training {kind}D = {size}, {title}, {batch} sentences an update",
            context.settings(size, cell=cell, batch_sentences=batch),
            corpus,
            sentences,
            LARGE[size] if cell == "sigmoid" else None,
        )
        for cell, kind in (("sigmoid", ""), ("lstm", "an LSTM, "))
        for batch in BATCHES
        for size in LARGE
    ]
    rows = measured(group, context.repeats)
    static = f"evaluation, static, M = {AS_COSTLY}, {title}"
    both = f"evaluation, document vector learning, M = {HIDDEN_SIZE}, {title}"
    settings = {static: context.settings(STATIC, hidden_size=AS_COSTLY)}
    settings[both] = context.settings(ONLINE)
    group = [
        _scoring(name, one, corpus, learnt_weights(context, one, corpus))
        for name, one in settings.items()
    ]
    title = f"{both}: relative to {AS_COSTLY}/0"
    group.append(Workload(title, group[-1].make, Target(1.0), against=static))
    return {"rows": rows + measured(group, context.repeats)}


def _scoring(
    title: str,
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    target: Target | None = None,
) -> Workload:
    """Return a workload of testing, whose speed is compared with the bound."""
    task = partial(scoring_task, settings, corpus, weights)
    return Workload(title, task, target, scoring_flops(settings, corpus))


def _large(context: Context) -> tuple[str, Corpus]:
    corpus = context.main.corpus if context.options.quick else paper_text(context.scratch).corpus
    return f"{corpus.vocabulary_size:,} words in {corpus.classes} classes", corpus


def evaluation(context: Context) -> dict[str, Any]:
    """Measure scoring of test sentences while nothing, the document vector or everything learns."""
    rows: list[Row] = []
    for text in context.texts:
        group = []
        for size, title in SCORING.items():
            settings = context.settings(size)
            weights = learnt_weights(context, settings, text.corpus)
            group.append(_scoring(title, settings, text.corpus, weights, SCORING_TARGET))
        testing, few = context.experiment.testing, context.less(400)
        task = partial(online_scoring_task, settings, text.corpus, weights, few, testing)
        flops = scoring_flops(settings, text.corpus, testing.steps)
        title = "evaluation, all parameters learning after every word"
        group.append(Workload(title, task, LEARNING_TARGET, flops))
        rows += measured(_of(text.name, group), context.repeats)
    return {"rows": rows}


def networks(context: Context) -> dict[str, Any]:
    """Measure training of other networks against the paper's by sentences, on the same text."""
    corpus = in_documents(context.main.corpus, context.less(2 * SENTENCES))
    group = [
        Workload(f"D = {size}", partial(reading_task, context.settings(size), corpus), shown=False)
        for size in (STATIC, ONLINE)
    ]
    for name, size, changes, least in OTHERS:
        settings = context.settings(size, **changes)
        group.append(
            Workload(
                f"training, {name}, D = {size}: relative to the paper's network per sentence",
                partial(reading_task, settings, corpus),
                Target(least),
                training_flops(settings, corpus),
                against=f"D = {size}",
            )
        )
    return {"rows": measured(group, context.repeats)}


def operation(context: Context) -> dict[str, Any]:
    """Measure the share of the time of training that the compiled kernel takes.

    Training passes many batches in a call. One batch in a call shows the cost of the call itself.
    """
    corpus, usual = context.main.corpus, context.settings(ONLINE).batch_sentences
    cases = itertools.product((STATIC, ONLINE), (1, usual), (512, 1))
    kernel, inside = kernel_engine.train_batches, 0.0

    def clocked(*arguments: Any) -> Any:
        nonlocal inside
        began = time.perf_counter()
        result = kernel(*arguments)
        inside += time.perf_counter() - began
        return result

    rows = []
    for size, batch, a_call in cases:
        settings, sentences = context.settings(size, batch_sentences=batch), SENTENCES // 2
        sample = context.sample(corpus, sentences)
        task, shares = training_task(settings, corpus, sample, a_call=a_call), []
        with mock.patch.object(kernel_engine, "train_batches", clocked):
            for _ in range(context.repeats + 1):
                inside, began = 0.0, time.perf_counter()
                task()
                shares.append(inside / (time.perf_counter() - began))
        calls = "one batch" if a_call == 1 else "many batches"
        title = (
            f"the kernel's share of training's time, D = {size}, batches of {batch}, {calls} a call"
        )
        rows.append(row(title, "ratio", shares[1:], Target(0.9)))
    return {"rows": rows}


def scaling(context: Context) -> dict[str, Any]:
    """Measure words per second, and the bound, for every value of every setting that is changed."""
    return {"axes": {axis: [*_along(context, axis, values)] for axis, values in AXES.items()}}


def _along(context: Context, axis: str, values: Sequence[int]) -> Iterable[Row]:
    classes = next(iter(context.experiment.corpora.values())).classes
    for value in values[:2] if context.options.quick else values:
        settings, corpus = context.settings(ONLINE), context.main.corpus
        if axis in ("vocabulary", "tokens"):
            tokens = context.less(value if axis == "tokens" else AXIS_TOKENS)
            words = value if axis == "vocabulary" else AXIS_WORDS
            corpus = load_corpus(random_text(context.scratch, tokens, words, classes))
        else:
            settings = RunSettings.model_validate({**settings.model_dump(), axis: value})
        one = _training(axis, settings, corpus, context.sample(corpus, SENTENCES // 2))
        about = {"value": value, "classes": corpus.classes}
        about["mean_class_size"] = corpus.mean_class_size(corpus.splits["train"])
        yield from measured([one._replace(more=about)], min(AXIS_REPEATS, context.repeats))
