"""Time of each compiled part of the kernel, measured one by one on real batches."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from unittest import mock

from benchmarks.measure import Workload, measured
from benchmarks.speed import SENTENCES
from benchmarks.workloads import ONLINE, STATIC, Context, parts, training_task, words_in
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import kernel_engine
from online_rnnlm.core.engines.kernels import backward, forward, layout
from online_rnnlm.core.engines.kernels.team import start_tasks
from online_rnnlm.core.sizes import Sizes, sizes_for
from online_rnnlm.corpora.corpus import Corpus


def profile(context: Context) -> dict[str, Any]:
    """Measure microseconds per word of every part, of its products alone, and of the whole."""
    return {"profiles": [_profile(context, context.settings(size)) for size in (STATIC, ONLINE)]}


def _profile(context: Context, settings: RunSettings) -> dict[str, Any]:
    corpus, batch = context.main.corpus, settings.batch_sentences
    sentences = context.sample(corpus, SENTENCES)
    task = training_task(settings, corpus, sentences)
    arguments = _arguments_of_kernel(settings, corpus, context.sample(corpus, SENTENCES, seed=1))
    times: dict[str, list[float]] = defaultdict(list)
    for part in parts(sentences, batch):
        _one_batch(times, arguments, part.copy())
    words = words_in(corpus, sentences) / -(-len(sentences) // batch)
    [whole] = measured([Workload("all", lambda: task, flops=1.0)], min(3, context.repeats))
    flops = flops_by_part(sizes_for(settings, corpus), corpus.mean_class_size("train"))
    return {
        "document_size": settings.document_size,
        "words_a_batch": words,
        "parts": {name: statistics.median(found) / words * 1e6 for name, found in times.items()},
        "arithmetic": {name: count / whole["bound"] * 1e6 for name, count in flops.items()},
        "whole": 1e6 / whole["median"],
    }


def _arguments_of_kernel(settings: RunSettings, corpus: Corpus, sentences: Any) -> tuple[Any, ...]:
    """Train on sentences, and return the arguments with which training calls the kernel."""
    kernel, seen = kernel_engine.train_batches, []

    def noted(*arguments: Any) -> Any:
        seen.append(arguments)
        return kernel(*arguments)

    with mock.patch.object(kernel_engine, "train_batches", noted):
        training_task(settings, corpus, sentences)()
    return tuple(seen[-1])


def _one_batch(times: dict[str, list[float]], arguments: tuple[Any, ...], batch: Any) -> None:
    """Time one update part by part: the calls of `batches.predict` and `update_weights`.

    Without a document vector, training predicts the words of a class together with the update of
    its weights; here both are timed by themselves.
    """
    model, accumulators, optimizer, text, _, _, member, space = arguments
    weights, update = model.weights, (model, accumulators, optimizer)
    space.document[:] = space.hidden_before[:] = 0

    def clock(name: str, function: Callable[..., Any], *given: Any) -> Any:
        began = time.perf_counter()
        result = function(*given)
        times[name].append(time.perf_counter() - began)
        return result

    def each(name: str, function: Callable[..., Any], of: Iterable[Any], *given: Any) -> None:
        clock(name, lambda: [function(model, one, *given, space) for one in of])

    start_tasks(member)
    number, tokens = clock("lay out", layout.lay_out, text, batch, space)
    clock("group by class", layout.group_by_class, tokens, model.classes, space)
    space.recurrent_transposed[:] = weights.recurrent.T
    space.class_output_transposed[:] = weights.class_output.T
    numbers, words = range(number), (False, member, space)
    sections = [layout.section_of.py_func(space, section) for section in numbers]
    each("hidden states, scores of classes", forward.run_section, sections, False)
    clock("scores of words", forward.score_words, weights, model.classes, *words)
    each("softmax, document vectors", forward.follow_documents, sections)
    each("back through classes", backward.go_back_through_classes, numbers)
    clock("update outputs", backward.update_outputs, *update, number, tokens, *words)
    each("back through time", backward.go_back_through_time, numbers)
    clock("update inputs", backward.update_inputs, *update, number, tokens, member, space)


def flops_by_part(sizes: Sizes, mean_class_size: float) -> dict[str, float]:
    """Return the FLOPs of learning from a word by the part of the kernel that computes them.

    Only products count. Parts without products are left out, and so are AdaGrad's steps and the
    exponentials of the other parts.
    """
    m, k, c, d = sizes.hidden, sizes.classes, mean_class_size, sizes.document
    multiply_adds = {
        "hidden states, scores of classes": m * m + k * m,
        "scores of words": c * m,
        "softmax, document vectors": 2 * (k + c) * d + d,
        "back through classes": 2 * k * m + k * d,
        "update outputs": 2 * c * m + c * d,
        "back through time": 2 * m * m,
    }
    return {name: 2 * float(count) for name, count in multiply_adds.items()}
