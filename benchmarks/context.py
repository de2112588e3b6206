"""The context of every measurement: options, corpora, settings and a folder for temporary files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus, read_statistics
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import Sentences, Trainer
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage.paths import CorpusDirectory

HIDDEN_SIZE = 100
STATIC, ONLINE = 0, 20
"""The two document sizes that every section measures."""
REFERENCE_TRAIN = "6e524fef3eddd0e1bc1d0901ed48f58779bb694810a56a2b5d875ba9e91caad1"
"""sha256 of the training text of the reference split, to which the target perplexities belong."""


@dataclass(frozen=True)
class NamedCorpus:
    """A prepared corpus, with its name and its folder."""

    name: str
    directory: CorpusDirectory
    corpus: Corpus
    is_reference: bool


@dataclass(frozen=True)
class Options:
    """The options of the measurements."""

    quick: bool = False
    repeats: int = 7
    seeds: tuple[int, ...] = (1, 2, 3)
    thresholds: dict[int, float] = field(default_factory=lambda: {STATIC: 108.1, ONLINE: 92.0})
    """Validation perplexity to reach, by document size."""
    device: str = "cpu"
    """The device that JAX computes on."""
    batches: tuple[int, ...] = (64, 256, 1024)
    """Numbers of sentences per update, with JAX."""
    articles: Path | None = None
    """A large text, for the preparation of texts of growing size."""
    torch_python: Path | None = None
    torch_seconds: float = 300.0
    """Seconds of processor time that PyTorch gets to learn."""


@dataclass(frozen=True)
class Context:
    """All that a measurement needs; every section is measured on `corpora[0]`."""

    corpora: list[NamedCorpus]
    experiment: Experiment
    options: Options
    scratch: Path

    @property
    def main(self) -> NamedCorpus:
        """The corpus that every section is measured on."""
        return self.corpora[0]

    def settings(self, document_size: int, **changes: Any) -> RunSettings:
        """Return the settings of the experiment's row of that document size, or the defaults."""
        rows = [run.settings for run in self.experiment.runs()]
        key = HIDDEN_SIZE, document_size
        found = [row for row in rows if (row.hidden_size, row.document_size) == key]
        values = (found or [RunSettings(corpus=self.main.name)])[0].model_dump()
        values |= {"corpus": self.main.name, "hidden_size": key[0], "document_size": key[1]}
        return RunSettings.model_validate({**values, **changes})

    def sample(self, corpus: Corpus, sentences: int, seed: int = 0) -> Sentences:
        """Draw at most `sentences` training sentences at random; a fiftieth with `--quick`."""
        split = corpus.splits["train"]
        order = np.random.default_rng(seed).permutation(split.sentences)
        return order[: sentences // 50 if self.options.quick else sentences].astype(np.int64)


def new_trainer(settings: RunSettings, corpus: Corpus, *, threads: int = 1) -> Trainer:
    """Make a trainer with the weights that training starts from."""
    sizes = sizes_for(settings, corpus)
    return registry.trainer(
        settings,
        corpus,
        parameters.initialise(sizes, settings.initial_scale, settings.seed, settings.precision),
        parameters.filled(sizes, settings.accumulator_start, settings.precision),
        threads=threads,
    )


def learn_from(trainer: Trainer, settings: RunSettings, sentences: Sentences) -> None:
    """Let a trainer learn from sentences, each by itself, in the order given."""
    lanes = len(trainer.carried.documents)
    trainer.update(one_by_one(np.asarray(sentences), lanes), settings.learning_rate)


def parts(sentences: Sentences, size: int) -> Iterator[Sentences]:
    """Yield the sentences in parts of `size`."""
    for begin in range(0, len(sentences), size):
        yield sentences[begin : begin + size]


def words_in(corpus: Corpus, sentences: Sentences, split: str = "train") -> int:
    """Return the number of words to predict in these sentences, `</s>` included."""
    offsets = corpus.splits[split].offsets
    return int((offsets[sentences + 1] - offsets[sentences]).sum())


def open_corpus(directory: CorpusDirectory) -> NamedCorpus:
    """Load a prepared corpus; raises UserError if that is not possible."""
    corpus = load_corpus(directory)
    statistics = read_statistics(directory)
    is_reference = statistics.files.get("train.txt") == REFERENCE_TRAIN
    return NamedCorpus(statistics.corpus, directory, corpus, is_reference)
