"""Time of each compiled part of the kernel, measured one by one on real batches."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
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
from online_rnnlm.engines.kernels.team import Member, members, start_tasks
from online_rnnlm.engines.kernels.workspace import Capacity, Workspace, allocate
from online_rnnlm.engines.lanes import Batches, one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

WARM_SENTENCES, SENTENCES = 6400, 6400


class State(NamedTuple):
    """The arguments of `train_batches`, except for the sentences and the batch size; one thread."""

    model: Model
    accumulators: Parameters
    optimizer: Optimizer
    text: Text
    workspace: Workspace
    lanes: Lanes
    member: Member

    def learn(self, batches: Batches) -> None:
        """Train on these batches."""
        train_batches(*self[:4], batches, self.lanes, self.member, self.workspace)


def profile(context: Context) -> dict[str, Any]:
    """Measure microseconds per word of every part, of its products alone, and of the whole."""
    sizes = (STATIC, ONLINE)
    return {"profiles": [_profile(context, context.main, context.settings(s)) for s in sizes]}


def _profile(context: Context, named: NamedCorpus, settings: RunSettings) -> dict[str, Any]:
    corpus = named.corpus
    state = training_state(settings, corpus)
    batch = settings.batch_sentences
    warm = context.sample(corpus, WARM_SENTENCES, seed=1)
    state.learn(one_by_one(warm, batch))
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
        *members(1),
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
    """Time one update part by part: the calls of `predict` and `update_weights`.

    Without a document vector, training predicts the words of a class together with the update of
    its weights; here both are timed by themselves.
    """
    model, accumulators, optimizer, text, space, _, member = state
    weights, update = model.weights, (model, accumulators, optimizer)
    space.document[:] = 0
    start_tasks(member)
    sections, tokens = clock("lay out", layout.lay_out, text, batch, space)
    every = [layout.section_of.py_func(space, number) for number in range(sections)]
    clock("group by class", layout.group_by_class, tokens, model.classes, space)
    space.recurrent_transposed[:] = weights.recurrent.T
    space.class_output_transposed[:] = weights.class_output.T

    def each(name: str, function: Callable[..., Any], of: Iterable[Any]) -> None:
        clock(name, lambda: [function(one) for one in of])

    each("hidden states", lambda one: sigmoid.run(model.cell, model, one, False, space), every)
    clock("scores of classes", forward.score_classes, 0, tokens, space)
    clock("scores of words", forward.score_words, weights, model.classes, False, member, space)
    softmax = "softmax, document vectors"
    each(softmax, lambda one: forward.follow_documents(model, one, space), every)
    through_classes, through_time = backward.go_back_through_classes, backward.go_back_through_time
    numbers = range(sections)
    each("back through classes", lambda n: through_classes(model, n, space), numbers)
    clock(
        "update outputs", backward.update_outputs, *update, sections, tokens, False, member, space
    )
    each("back through time", lambda n: through_time(model, n, space), numbers)
    clock("update inputs", backward.update_inputs, *update, sections, tokens, member, space)
