"""Speed of one training by several threads, against the same training by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.context import ONLINE, STATIC, Context, new_trainer
from benchmarks.full_scale import large_corpus, name_of
from benchmarks.measure import interleaved, ratios, summary
from benchmarks.rows import Target, row
from benchmarks.speed import TRAINING_SENTENCES, training_pass
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus

LARGE = 400
"""M of a larger network; it learns from a quarter of the sentences."""
TARGET, LARGE_TARGET = Target(1.6), Target(1.8)


class Case(NamedTuple):
    """One training that is measured."""

    title: str
    corpus: Corpus
    settings: RunSettings
    target: Target


def threads(context: Context) -> dict[str, Any]:
    """Measure the words per second of the clock by one thread and by one for each core."""
    number = len(os.sched_getaffinity(0))
    return {"rows": [_ratio(context, case, number) for case in _cases(context)]}


def _cases(context: Context) -> Iterator[Case]:
    large = large_corpus(context)
    for size in (STATIC, ONLINE):
        settings = context.settings(size)
        name = f"training D = {size}"
        yield Case(f"{name} ({context.main.name})", context.main.corpus, settings, TARGET)
        yield Case(f"{name}, {name_of(large)}", large, settings, TARGET)
    wide = context.settings(STATIC, hidden_size=LARGE)
    title = f"training M = {LARGE}, D = {STATIC} ({context.main.name})"
    yield Case(title, context.main.corpus, wide, LARGE_TARGET)


def _ratio(context: Context, case: Case, number: int) -> dict[str, Any]:
    wide = case.settings.hidden_size == LARGE
    sentences = context.sample(case.corpus, TRAINING_SENTENCES // (4 if wide else 1))
    tasks = {}
    for count in (1, number):
        trainer = new_trainer(case.settings, case.corpus, threads=count)
        tasks[str(count)] = training_pass(trainer, case.settings, case.corpus, sentences)
    samples = interleaved(tasks, context.options.repeats)
    speeds = {name: [sample.per_second for sample in samples[name]] for name in tasks}
    values = ratios(speeds[str(number)], speeds["1"])
    detail = {name: summary(found)["median"] for name, found in speeds.items()}
    title = f"{number} threads against one, {case.title}"
    return row(title, "times the words/s", values, case.target, words_per_second=detail)
