"""Time of each compiled part of the kernel, measured one by one on real batches."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from benchmarks.arithmetic import flops_by_part
from benchmarks.context import ONLINE, STATIC, Context, NamedCorpus, new_trainer, parts, words_in
from benchmarks.measure import REFERENCE, interleaved, rates, summary
from benchmarks.speed import training_pass
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.kernels import backward, forward, layout
from online_rnnlm.engines.kernels.batches import Rule, train_batches
from online_rnnlm.engines.kernels.blas import multiply_nn
from online_rnnlm.engines.kernels.workspace import (
    Capacity,
    Classes,
    Workspace,
    allocate,
    classes_from_offsets,
)
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

WARM_SENTENCES, SENTENCES = 6400, 6400


@njit
def _class_scores(weights, tokens, space):  # noqa: ANN001, ANN202
    space.class_output_transposed[:] = weights.class_output.T
    dtype = space.hidden.dtype.type
    transposed = space.class_output_transposed
    multiply_nn(dtype(1), space.hidden[:tokens], transposed, dtype(0), space.class_scores[:tokens])


@njit
def _class_errors(weights, tokens, space):  # noqa: ANN001, ANN202
    dtype = space.hidden.dtype.type
    errors = space.errors[:tokens]
    multiply_nn(dtype(1), space.class_scores[:tokens], weights.class_output, dtype(0), errors)


class State(NamedTuple):
    """All that a batch is computed from, and in."""

    weights: Parameters
    sums: Parameters
    classes: Classes
    stream: Any
    offsets: Any
    rate: Any
    rule: Rule
    space: Workspace


def profile(context: Context) -> dict[str, Any]:
    """Measure microseconds per word of every part, of its products alone, and of the whole."""
    sizes = (STATIC, ONLINE)
    return {"profiles": [_profile(context, context.main, context.settings(s)) for s in sizes]}


def _profile(context: Context, named: NamedCorpus, settings: RunSettings) -> dict[str, Any]:
    corpus = named.corpus
    state = _state(settings, named)
    batch = settings.batch_sentences
    warm = context.sample(corpus, WARM_SENTENCES, seed=1)
    train_batches(*state[:5], warm, batch, *state[5:])
    sentences = context.sample(corpus, SENTENCES)
    clock = _Clock()
    for part in parts(sentences, batch):
        _one_batch(clock, state, part.copy())
    batches = -(-len(sentences) // batch)
    words = words_in(corpus, sentences) / batches
    task = training_pass(new_trainer(settings, corpus), settings, corpus, sentences)
    samples = interleaved({"all": task}, min(3, context.options.repeats))
    gflops = summary(rates(samples[REFERENCE]))["median"] / 1e9
    flops = flops_by_part(sizes_for(settings, corpus), corpus.mean_class_size("train"))
    return {
        "document_size": settings.document_size,
        "batch_sentences": batch,
        "words_a_batch": words,
        "parts": {name: float(np.median(t)) / words * 1e6 for name, t in clock.times.items()},
        "arithmetic": {name: count / gflops / 1e3 for name, count in flops.items()},
        "whole": 1e6 / summary(rates(samples["all"]))["median"],
    }


def _state(settings: RunSettings, named: NamedCorpus) -> State:
    corpus = named.corpus
    sizes, real = sizes_for(settings, corpus), np.dtype(settings.precision).type
    split, classes = corpus.splits["train"], classes_from_offsets(corpus.class_offsets)
    stream, offsets = np.array(split.stream), np.array(split.offsets)
    for array in (stream, offsets):
        array.flags.writeable = False  # as the operation's: one compiled kernel for both
    capacity = Capacity.for_sentences(sizes, np.diff(offsets), settings.batch_sentences)
    clip = real(settings.error_clip or np.inf)
    return State(
        parameters.initialise(sizes, settings.initial_scale, settings.seed, real),
        parameters.filled(sizes, settings.accumulator_start, real),
        classes,
        stream,
        offsets,
        real(settings.document_rate),
        Rule(
            settings.optimizer == "adagrad", real(settings.learning_rate), real(settings.l2), clip
        ),
        allocate(capacity, classes, real),
    )


class _Clock:
    """Collects the times of calls by name."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = function(*arguments)
        self.times[name].append(time.perf_counter() - began)
        return result


def _one_batch(clock: _Clock, state: State, batch: Any) -> None:
    """One update, part by part: the same calls as `predict_batch` and `update_weights` make."""
    weights, sums, classes, stream, offsets, rate, rule, space = state
    clock("sort sentences", layout.sort_by_length, offsets, batch)
    places = space.first, space.inputs, space.targets
    steps, tokens = clock("lay out", layout.lay_out, stream, offsets, batch, *places)
    clock("hidden states", forward._run_hidden, weights, steps, tokens, space)
    clock("scores of classes", _class_scores, weights, tokens, space)
    grouping = space.targets[:tokens], classes, space.starts, space.order, space.place
    needed = clock("group by class", layout.group_by_class, *grouping)
    scores = space.word_scores
    if needed > scores.size:
        scores = np.empty(needed, scores.dtype)
    clock("gather", layout.gather, space.hidden, space.order[:tokens], space.grouped)
    clock("scores of words", forward._score_words, weights, classes, scores, space)
    space.current[:] = 0
    follow = weights, classes, rate, steps, scores, space
    clock("softmax, document vectors", forward._follow_documents, *follow)
    clock("errors through classes", _class_errors, weights, tokens, space)
    update = weights, sums, classes, rule, tokens, scores, space
    clock("update word outputs", backward._update_words, *update)
    errors = space.class_scores[:tokens]
    clock("update class outputs", backward._update_class_layer, weights, sums, rule, errors, space)
    clock("back through time", backward._propagate_through_time, weights, rule, steps, space)
    rest = weights, sums, rule, tokens, space
    clock("update recurrent", backward._update_recurrent, *rest)
    clock("update embeddings", backward._update_embeddings, *rest)
