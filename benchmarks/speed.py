"""Words per second of the engine in training and in scoring, without compilation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.arithmetic import learning_flops, scoring_flops, training_flops
from benchmarks.context import (
    ONLINE,
    STATIC,
    Context,
    NamedCorpus,
    learn_from,
    new_trainer,
    parts,
    words_in,
)
from benchmarks.measure import Task, interleaved
from benchmarks.rows import Target, speed_row
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, Sentences, Trainer
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.training.epoch import SEGMENTS_A_CALL

TRAINING_SENTENCES = 6400
LEARNING_SENTENCES = 400
TRAINING_TARGETS = {STATIC: Target(400_000), ONLINE: Target(300_000)}
VECTOR_TARGET, SCORING_TARGET, LEARNING_TARGET = Target(665_000), Target(665_000), Target(100_000)
LEARNING_TITLE = "evaluation, all parameters learning after every word"


def training_pass(
    trainer: Trainer, settings: RunSettings, corpus: Corpus, sentences: Sentences
) -> Task:
    """Return a task that learns from these sentences as training does: many batches in a call."""
    batch = settings.batch_sentences
    size = batch * max(1, SEGMENTS_A_CALL // batch)
    words = words_in(corpus, sentences)

    def learn() -> float:
        for part in parts(sentences, size):
            learn_from(trainer, settings, part)
        return words

    return learn


def training(context: Context) -> dict[str, Any]:
    """Measure training with D = 0 and D = 20, in the configured batches and in batches of one."""
    return {"rows": [line for named in context.corpora for line in _training(context, named)]}


def _training(context: Context, named: NamedCorpus) -> list[dict[str, Any]]:
    corpus, tasks, rows = named.corpus, {}, []
    sentences = context.sample(corpus, TRAINING_SENTENCES)
    usual = context.settings(STATIC).batch_sentences
    cases = [(size, batch) for batch in (usual, 1) for size in (STATIC, ONLINE)]
    for size, batch in cases:
        settings = context.settings(size, batch_sentences=batch)
        task = training_pass(new_trainer(settings, corpus), settings, corpus, sentences)
        tasks[f"{size}/{batch}"] = task
    samples = interleaved(tasks, context.options.repeats)
    for size, batch in cases:
        sizes = sizes_for(context.settings(size), corpus)
        flops = training_flops(sizes, corpus.mean_class_size("train"))
        title = f"training D = {size}, {_batches(batch)}"
        target = TRAINING_TARGETS[size] if batch == usual else None
        name = f"{size}/{batch}"
        rows.append(speed_row(title, samples, name, flops, target, corpus=named.name))
    return rows


def _batches(batch: int) -> str:
    return "one sentence an update" if batch == 1 else f"{batch} sentences an update"


def evaluation(context: Context) -> dict[str, Any]:
    """Measure scoring of test sentences while nothing, the document vector or everything learns."""
    return {"rows": [line for named in context.corpora for line in _evaluation(context, named)]}


def _evaluation(context: Context, named: NamedCorpus) -> list[dict[str, Any]]:
    corpus = named.corpus
    cases = {
        STATIC: ("evaluation, static", SCORING_TARGET),
        ONLINE: ("evaluation, document vector learning", VECTOR_TARGET),
    }
    weights = {size: _learnt_weights(context, corpus, size) for size in cases}
    tasks = {
        str(size): _scoring_pass(context.settings(size), corpus, weights[size]) for size in cases
    }
    few = _few(context, corpus)
    tasks["all"] = _learning_pass(context, corpus, weights[ONLINE], few)
    samples = interleaved(tasks, context.options.repeats)
    mean = corpus.mean_class_size("test")
    rows = []
    for size, (title, target) in cases.items():
        flops = scoring_flops(sizes_for(context.settings(size), corpus), mean)
        rows.append(speed_row(title, samples, str(size), flops, target, corpus=named.name))
    sizes = sizes_for(context.settings(ONLINE), corpus)
    flops = learning_flops(sizes, mean, context.experiment.testing.steps)
    last = speed_row(LEARNING_TITLE, samples, "all", flops, LEARNING_TARGET, corpus=named.name)
    return [*rows, last]


def _learnt_weights(context: Context, corpus: Corpus, document_size: int) -> Parameters:
    """Return weights after brief training, because random ones give unrealistic probabilities."""
    settings = context.settings(document_size)
    trainer = new_trainer(settings, corpus)
    training_pass(trainer, settings, corpus, context.sample(corpus, TRAINING_SENTENCES))()
    return trainer.weights


def _few(context: Context, corpus: Corpus) -> Sentences:
    most = LEARNING_SENTENCES // 50 if context.options.quick else LEARNING_SENTENCES
    return np.arange(min(most, corpus.splits["test"].sentences))


def _scoring_pass(settings: RunSettings, corpus: Corpus, weights: Parameters) -> Task:
    score = registry.scorer(settings, corpus)
    split = corpus.splits["test"]
    sentences = np.arange(split.sentences)
    rate = settings.document_rate if settings.document_size else 0.0

    def run() -> float:
        score(weights, split, sentences, rate)
        return split.tokens

    return run


def _learning_pass(
    context: Context, corpus: Corpus, weights: Parameters, sentences: Sentences
) -> Task:
    """Return a task that scores test sentences while all parameters learn, as in `testing`."""
    settings, testing = context.settings(ONLINE), context.experiment.testing
    groups = frozenset(parameters.GROUPS)
    rate = testing.learning_rates[0]
    online = OnlineSettings(groups, rate, settings.document_rate, testing.steps)
    scorer = registry.online_scorer(settings, corpus, weights, online)
    split, words = corpus.splits["test"], words_in(corpus, sentences, "test")

    def run() -> float:
        scorer.score(split, sentences)
        return words

    return run
