"""Speed of training with a large vocabulary, as at the paper's scale, and of its steps alone.

The text is random words in Zipf's frequencies. Each batch has words of nearly all classes, so that
each update reads and writes nearly all output weights: tens of megabytes, whatever the arithmetic.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from benchmarks.arithmetic import training_flops
from benchmarks.context import ONLINE, STATIC, Context, new_trainer, parts, words_in
from benchmarks.measure import Task, interleaved
from benchmarks.rows import Target, speed_row
from benchmarks.speed import TRAINING_SENTENCES, training_pass
from benchmarks.synthetic import zipf_corpus
from online_rnnlm.config.corpora import ClassSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.base import Sentences
from online_rnnlm.engines.kernels.rules import Optimizer, step_row
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for

WORDS, CLASSES, TOKENS = 50_000, 100, 2_000_000
TARGETS = {STATIC: Target(290_000), ONLINE: Target(220_000)}
_WORDS_A_STEP = 100
_MOVED = "moved"


@njit
def _step_all(weights: Any, gradient: Any, kept: Any, optimizer: Any) -> None:
    """Take a step of all rows, some at a time, by the same gradient."""
    rows = gradient.size // weights.shape[1]
    for begin in range(0, weights.shape[0] - rows + 1, rows):
        some = slice(begin, begin + rows)
        step_row(
            weights[some].reshape(gradient.size),
            gradient,
            kept[some].reshape(gradient.size),
            optimizer,
        )


def large_corpus(context: Context) -> Corpus:
    """Make the corpus; one of a fiftieth with `--quick`."""
    smaller = 50 if context.options.quick else 1
    classes = ClassSettings(count=CLASSES)
    return zipf_corpus(TOKENS // smaller, WORDS // smaller, classes)


def name_of(corpus: Corpus) -> str:
    """The corpus in words."""
    return f"{corpus.vocabulary_size:,} words in {corpus.classes} classes"


def full_scale(context: Context) -> dict[str, Any]:
    """Measure training with D = 0 and D = 20, and the bare steps of the output weights."""
    corpus = large_corpus(context)
    title = name_of(corpus)
    sentences = context.sample(corpus, TRAINING_SENTENCES)
    tasks: dict[str, Task] = {}
    flops: dict[int, float] = {}
    for size in TARGETS:
        settings = context.settings(size)
        trainer = new_trainer(settings, corpus)
        tasks[str(size)] = training_pass(trainer, settings, corpus, sentences)
        mean = corpus.mean_class_size("train")
        flops[size] = training_flops(sizes_for(settings, corpus), mean)
    tasks[_MOVED] = _steps_of_outputs(context.settings(STATIC), corpus, sentences)
    samples = interleaved(tasks, context.options.repeats)
    rows = [
        speed_row(f"training D = {size}, {title}", samples, str(size), flops[size], target)
        for size, target in TARGETS.items()
    ]
    moved = f"the AdaGrad steps of {title}, and no other work"
    return {"rows": [*rows, speed_row(moved, samples, _MOVED, flops[STATIC])]}


def _steps_of_outputs(settings: RunSettings, corpus: Corpus, sentences: Sentences) -> Task:
    """A task that steps all of W_o once for each batch of the sentences; returns their words.

    The gradient is that of some words, again and again, so that it stays in the cache.
    """
    sizes = sizes_for(settings, corpus)
    weights = parameters.filled(sizes, 0.1, settings.precision).word_output
    kept = parameters.filled(sizes, 1.0, settings.precision).word_output
    gradient = (weights[:_WORDS_A_STEP] * 1e-3).ravel()
    real = weights.dtype.type
    optimizer = Optimizer(adagrad=True, learning_rate=real(0.1), l2=real(0))

    words = words_in(corpus, sentences)

    def step() -> float:
        for _ in parts(sentences, settings.batch_sentences):
            _step_all(weights, gradient, kept, optimizer)
        return words

    return step
