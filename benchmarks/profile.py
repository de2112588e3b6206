"""Time of each compiled part of the kernel, measured one by one on real batches."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.arithmetic import flops_by_part
from benchmarks.context import ONLINE, STATIC, Context, NamedCorpus, new_trainer, parts, words_in
from benchmarks.measure import REFERENCE, interleaved, rates, summary
from benchmarks.speed import training_pass
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.kernels import backward, forward, layout
from online_rnnlm.engines.kernels.batches import train_batches
from online_rnnlm.engines.kernels.cells import sigmoid
from online_rnnlm.engines.kernels.data import (
    Dropout,
    Lanes,
    Model,
    Text,
    classes_from_offsets,
)
from online_rnnlm.engines.kernels.rules import Optimizer
from online_rnnlm.engines.kernels.workspace import Capacity, Workspace, allocate
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

WARM_SENTENCES, SENTENCES = 6400, 6400


class State(NamedTuple):
    """The arguments of `train_batches`, except for the sentences and the batch size."""

    model: Model
    accumulators: Parameters
    optimizer: Optimizer
    text: Text
    workspace: Workspace
    lanes: Lanes


def profile(context: Context) -> dict[str, Any]:
    """Measure microseconds per word of every part, of its products alone, and of the whole."""
    sizes = (STATIC, ONLINE)
    return {"profiles": [_profile(context, context.main, context.settings(s)) for s in sizes]}


def _profile(context: Context, named: NamedCorpus, settings: RunSettings) -> dict[str, Any]:
    corpus = named.corpus
    state = training_state(settings, corpus)
    batch = settings.batch_sentences
    warm = context.sample(corpus, WARM_SENTENCES, seed=1)
    train_batches(*state[:4], one_by_one(warm, batch), state.lanes, state.workspace)
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


def training_state(settings: RunSettings, corpus: Corpus) -> State:
    """Return new arrays for the kernel, of the same types as in the operation."""
    sizes, real = sizes_for(settings, corpus), np.dtype(settings.precision).type
    split, classes = corpus.splits["train"], classes_from_offsets(corpus.class_offsets)
    text = Text(np.array(split.stream), np.array(split.offsets))
    for array in text:
        array.flags.writeable = False
    batch = settings.batch_sentences
    capacity = Capacity.for_sentences(sizes, text, classes, np.arange(split.sentences), batch)
    weights = parameters.initialise(sizes, settings.initial_scale, settings.seed, real)
    clip = real(settings.error_clip or np.inf)
    adagrad, rate = settings.optimizer == "adagrad", real(settings.learning_rate)
    return State(
        Model(
            weights,
            sigmoid.Constants(),
            classes,
            real(settings.document_rate),
            clip,
            False,
            Dropout(np.uint32(0), 0.0, 0.0),
        ),
        parameters.filled(sizes, settings.accumulator_start, real),
        Optimizer(adagrad, rate, real(settings.l2)),
        text,
        allocate(capacity, classes, real),
        Lanes(
            np.zeros((batch, sizes.output), real),
            np.zeros((batch, 0), real),
            np.zeros((batch, sizes.document), real),
            False,
            False,
        ),
    )


class _Clock:
    """A collector of the times of calls, in seconds, by name."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = function(*arguments)
        self.times[name].append(time.perf_counter() - began)
        return result


def _one_batch(clock: _Clock, state: State, batch: Any) -> None:
    """Time one update part by part, with the calls of `predict_batch` and `update_weights`."""
    model, accumulators, optimizer, text, space, _ = state
    weights = model.weights
    space.document[:] = 0
    clock("sort sentences", layout.sort_by_length, text.offsets, batch, space.lanes)
    places = space.lanes[: batch.size], space.first_rows, space.places, space.inputs, space.targets
    steps, tokens = clock("lay out", layout.lay_out, text, batch, *places)
    clock("hidden states", sigmoid.run, model.cell, model, steps, False, space)
    clock("scores of classes", forward.score_classes, weights, tokens, space)
    grouping = space.class_starts, space.rows_by_class, space.first_candidates
    clock("group by class", layout.group_by_class, space.targets[:tokens], model.classes, *grouping)
    clock("scores of words", forward.score_words, weights, model.classes, space)
    clock("softmax, document vectors", forward.follow_documents, model, steps, space)
    clock("deltas through classes", backward.start_hidden_gradient, weights, tokens, space)
    update = accumulators, optimizer, tokens, space
    clock("update word outputs", backward.update_words, model, accumulators, optimizer, space)
    clock("update class outputs", backward.update_class_layer, model, *update)
    first = clock("back through time", sigmoid.propagate, model.cell, model, steps, False, space)
    recurrent = weights, accumulators, optimizer, slice(first, tokens), space
    clock("update recurrent", backward.update_recurrent, *recurrent)
    clock("update embeddings", backward.update_embeddings, weights, *update)
