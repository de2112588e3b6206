"""Speed of the PyTensor operation relative to the compiled kernel that it calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from benchmarks.context import ONLINE, STATIC, Context, learn_from, new_trainer, parts, words_in
from benchmarks.measure import Task, interleaved, rates, ratios, summary
from benchmarks.profile import training_state
from benchmarks.rows import Target, row
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.base import Sentences
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.training.epoch import SEGMENTS_A_CALL

SENTENCES = 3200
TARGET = Target(0.9)


def operation(context: Context) -> dict[str, Any]:
    """Measure the words per second through the operation, divided by those of the kernel alone.

    Training passes many batches in a call. One batch in a call shows the cost of the call itself.
    """
    corpus = context.main.corpus
    sentences = context.sample(corpus, SENTENCES)
    rows = []
    for size, batch, calls in _cases(context):
        settings = context.settings(size, batch_sentences=batch)
        a_call = batch if calls == "one batch" else batch * max(1, SEGMENTS_A_CALL // batch)
        tasks = {
            "operation": _by_operation(settings, corpus, sentences, a_call),
            "kernel": _by_kernel(settings, corpus, sentences, a_call),
        }
        samples = interleaved(tasks, context.options.repeats)
        speeds = {name: rates(samples[name]) for name in tasks}
        title = f"the Op against the bare kernel, D = {size}, batches of {batch}, {calls} a call"
        values = ratios(speeds["operation"], speeds["kernel"])
        detail = {name: summary(values)["median"] for name, values in speeds.items()}
        rows.append(row(title, "ratio", values, TARGET, words_per_second=detail))
    return {"rows": rows}


def _cases(context: Context) -> Iterator[tuple[int, int, str]]:
    batches = dict.fromkeys([1, 16, context.settings(ONLINE).batch_sentences])
    yield from itertools.product((STATIC, ONLINE), batches, ("many batches", "one batch"))


def _by_operation(settings: RunSettings, corpus: Corpus, sentences: Sentences, a_call: int) -> Task:
    trainer = new_trainer(settings, corpus)
    words = words_in(corpus, sentences)

    def learn() -> float:
        for part in parts(sentences, a_call):
            learn_from(trainer, settings, part)
        return words

    return learn


def _by_kernel(settings: RunSettings, corpus: Corpus, sentences: Sentences, a_call: int) -> Task:
    """Return a task that calls the kernel directly, with a workspace that is allocated before."""
    state, batch = training_state(settings, corpus), settings.batch_sentences
    words = words_in(corpus, sentences)

    def learn() -> float:
        for part in parts(sentences, a_call):
            state.learn(one_by_one(part, batch))
        return words

    return learn
