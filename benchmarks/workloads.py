"""The workloads that are measured: settings, sentences, and tasks that train or score."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import Text
from benchmarks.measure import Task
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Sentences, Trainer
from online_rnnlm.core.lanes import one_by_one, segments_of, side_by_side
from online_rnnlm.core.parameters import GROUPS, Parameters
from online_rnnlm.core.sizes import sizes_for
from online_rnnlm.core.training import INITIAL_SCALE
from online_rnnlm.core.way import PARTS, Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.jobs import cost

HIDDEN_SIZE = 100
STATIC, ONLINE = 0, 20
"""The two document sizes that every section measures."""
SENTENCES_A_CALL = 512
"""Number of sentences that training learns from in one call of the engine."""
QUICK = 100
"""`--quick` does so many times less."""


@dataclass(frozen=True)
class Context:
    """All that a measurement needs."""

    texts: list[Text]
    experiment: Experiment
    options: argparse.Namespace
    scratch: Path

    @property
    def main(self) -> Text:
        """The text that every section is measured on."""
        return self.texts[0]

    @property
    def repeats(self) -> int:
        """Number of rounds."""
        return min(2, self.options.repeats) if self.options.quick else self.options.repeats

    def less(self, work: int) -> int:
        """Return an amount of work, or a part of it with `--quick`."""
        return max(1, work // QUICK) if self.options.quick else work

    def settings(self, document_size: int, **changes: Any) -> RunSettings:
        """Return the settings of the experiment's row of that document size, or the defaults."""
        size = {"hidden_size": HIDDEN_SIZE, "document_size": document_size}
        found = [one.settings.model_dump() for one in self.experiment.networks]
        alike = [values for values in found if values.items() >= size.items()]
        values = alike[0] if alike else size
        return RunSettings.model_validate({**values, "corpus": self.main.name, **changes})

    def sample(self, corpus: Corpus, sentences: int, seed: int = 0) -> Sentences:
        """Draw at most `sentences` training sentences at random, fewer with `--quick`."""
        order = np.random.default_rng(seed).permutation(corpus.splits["train"].sentences)
        return order[: self.less(sentences)].astype(np.int64)


def new_trainer(settings: RunSettings, corpus: Corpus) -> Trainer:
    """Make a trainer with the weights that training starts from."""
    sizes, precision = sizes_for(settings, corpus), settings.precision
    weights = parameters.initialise(sizes, INITIAL_SCALE, settings.seed, precision)
    sums = parameters.filled(sizes, settings.accumulator_start, precision)
    return load_engine(settings).Trainer(settings, corpus, weights, sums)


def learn_from(trainer: Trainer, settings: RunSettings, sentences: Sentences) -> None:
    """Let a trainer learn from sentences, each by itself, in the order given."""
    lanes = len(trainer.carried.documents)
    trainer.update(one_by_one(sentences, lanes), settings.learning_rate)


def training_task(
    settings: RunSettings,
    corpus: Corpus,
    sentences: Sentences,
    *,
    a_call: int = SENTENCES_A_CALL,
) -> Task:
    """Return a task that learns from these sentences, `a_call` or a batch of them in a call."""
    trainer, words = new_trainer(settings, corpus), words_in(corpus, sentences)
    batch = settings.batch_sentences
    size = batch * max(1, a_call // batch)

    def learn() -> float:
        for part in parts(sentences, size):
            learn_from(trainer, settings, part)
        return words

    return learn


def reading_task(settings: RunSettings, corpus: Corpus) -> Task:
    """Return a task that trains on the whole text once, read as the settings say."""
    trainer, segments = new_trainer(settings, corpus), segments_of(corpus.splits["train"], settings)
    order = np.random.default_rng(0).permutation(len(segments.units) - 1)
    batches = side_by_side(segments.units, order, len(trainer.carried.documents))

    def learn() -> float:
        trainer.update(batches, settings.learning_rate)
        return corpus.splits["train"].tokens

    return learn


def scoring_task(settings: RunSettings, corpus: Corpus, weights: Parameters) -> Task:
    """Return a task that scores `test`; the document vector learns, if there is one."""
    score, split = load_engine(settings).Scorer(settings, corpus), corpus.splits["test"]
    rate = settings.document_rate if settings.document_size else 0.0

    def run() -> float:
        score(weights, split, np.arange(split.sentences), rate)
        return split.tokens

    return run


def online_scoring_task(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    sentences: int,
    testing: TestingSettings,
) -> Task:
    """Return a task that scores some test sentences while everything learns after every word."""
    way = Way(
        PARTS,
        weight_rate=testing.learning_rates[0],
        unit_of_text="sentence",
        steps=testing.steps,
    )
    scorer = load_engine(settings).OnlineScorer(settings, corpus, weights, way)
    split = corpus.splits["test"]
    few = np.arange(min(sentences, split.sentences))
    words = words_in(corpus, few, "test")

    def run() -> float:
        scorer.score(split, few)
        return words

    return run


def learnt_weights(context: Context, settings: RunSettings, corpus: Corpus) -> Parameters:
    """Return weights after brief training, because random ones give unrealistic probabilities."""
    trainer = new_trainer(settings, corpus)
    for part in parts(context.sample(corpus, 6400), SENTENCES_A_CALL):
        learn_from(trainer, settings, part)
    return trainer.weights


def parts(sentences: Sentences, size: int) -> Iterator[Sentences]:
    """Yield the sentences in parts of `size`."""
    for begin in range(0, len(sentences), size):
        yield sentences[begin : begin + size]


def words_in(corpus: Corpus, sentences: Sentences, split: str = "train") -> int:
    """Return the number of words to predict in these sentences, `</s>` included."""
    offsets = corpus.splits[split].offsets
    return int((offsets[sentences + 1] - offsets[sentences]).sum())


def training_flops(settings: RunSettings, corpus: Corpus) -> float:
    """Return the FLOPs to learn from a word: two for each multiply-add."""
    sizes, mean = sizes_for(settings, corpus), corpus.mean_class_size(corpus.splits["train"])
    return 2 * cost.training_multiply_adds_per_word(sizes, mean)


def scoring_flops(settings: RunSettings, corpus: Corpus, steps: int = 0) -> float:
    """Return the FLOPs to predict a word and to update the document vector, if there is one.

    With `steps`, all weights learn after the word through so many hidden states.
    """
    sizes, mean = sizes_for(settings, corpus), corpus.mean_class_size(corpus.splits["test"])
    flops = 2 * cost.multiply_adds_per_word(sizes, mean)
    if steps:
        flops += 2 * cost.update_multiply_adds_per_word(sizes, mean, GROUPS, steps)
    return flops
