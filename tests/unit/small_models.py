"""Small models and corpora."""

import shutil
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Adaptation
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Engine, Scores
from online_rnnlm.core.order import Order, one_by_one, order_to_train, segments_of
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.scoring import score_text
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.core.text import Split, sum_by_sentence
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.corpora.records import SentenceSplitter
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.model_file import Contents, ModelDescription
from online_rnnlm.use.network import split_of
from tests.unit.small_records import PREPARATION, run_record, run_result

UNTRAINED = RunSettings(
    corpus="topics", hidden_size=10, document_size=3, document_rate=0.15, max_epochs=2
)
RATE = 0.03
"""The learning rate where tests compare a model as a tool with its evaluations."""
STEPS = 3
"""The number of hidden states that a loss goes back through in these."""
VECTOR = (DOCUMENT_VECTOR,)
ADAPTATIONS = {
    adaptation.name: adaptation
    for adaptation in (
        Adaptation(),
        Adaptation(VECTOR),
        Adaptation(VECTOR, unit_of_text="sentence"),
        Adaptation(VECTOR, unit_of_text="document"),
        Adaptation(VECTOR, unit_of_text="stream"),
        Adaptation(VECTOR, after=4, unit_of_text="stream"),
        Adaptation(VECTOR, after=5, unit_of_text="stream"),
        Adaptation(VECTOR, after=5, unit_of_text="document"),
        Adaptation(VECTOR, after="sentence", unit_of_text="stream"),
        Adaptation(("output",), unit_of_text="sentence", steps=STEPS),
        Adaptation((*VECTOR, "output"), unit_of_text="stream", steps=STEPS),
        Adaptation(PARTS, unit_of_text="sentence", steps=STEPS),
        Adaptation(PARTS, unit_of_text="stream", steps=STEPS),
        Adaptation(PARTS, after="sentence", unit_of_text="stream", steps=STEPS),
    )
}
"""The adaptations that tests try, by their names."""


def settings(**changes: Any) -> RunSettings:
    """Settings of a model of six units in double precision."""
    values = {"corpus": "small", "hidden_size": 6, "precision": "float64", "document_rate": 0.3}
    return RunSettings.model_validate(values | changes)


def rates_of(adaptation: Adaptation) -> TestingSettings:
    """The settings of such an evaluation; beside weights, the vector keeps its rate of training."""
    vector_rate = RATE if adaptation.parts == VECTOR else UNTRAINED.document_rate
    return TestingSettings(learning_rates=[RATE], document_rates=[vector_rate], steps=STEPS)


def write_untrained_run(
    directory: ExperimentDirectory, corpus: CorpusDirectory, settings: RunSettings = UNTRAINED
) -> None:
    """Write a corpus `topics`, and a run `run` as if it had ended with random weights."""
    shutil.copytree(corpus.path, directory.corpus("topics").path)
    run = directory.run("run")
    loaded = load_corpus(corpus)
    weight_files.save(weights_for(settings, loaded), run.model)
    records.write(run.record, run_record(settings=settings, corpus_digest=loaded.digest))
    records.write(run.result, run_result(files={run.model.name: sha256_of(run.model)}))


def model_of(settings: RunSettings, corpus: Corpus) -> TrainedModel:
    """Return a model with `weights_for`, which takes tokenised text."""
    preparation = PREPARATION.model_copy(update={"tokenised": True})
    described = ModelDescription.model_construct(settings=settings, preparation=preparation)
    nothing = SentenceSplitter.nothing()
    weights = weights_for(settings, corpus)
    return TrainedModel(Contents(described, corpus, weights, nothing, b""))


def random_split(chance: np.random.Generator, vocabulary: int, lengths: Sequence[int]) -> Split:
    """Return random sentences of these lengths, with `</s>`; one word is frequent."""
    words = [chance.integers(1, vocabulary, length - 1) for length in lengths]
    often = [np.where(chance.random(len(w)) < 0.3, vocabulary // 2, w) for w in words]
    return split_of([[*sentence, 0] for sentence in often])


def corpus_of(class_sizes: Sequence[int], train: Split, valid: Split | None = None) -> Corpus:
    """Return a corpus of these splits; `<unk>` is word 2, or the last word of fewer."""
    offsets = np.concatenate([[0], np.cumsum(class_sizes)]).astype(np.int64)
    words = [f"w{number}" for number in range(offsets[-1])]
    counts = np.ones(len(words), np.int64)
    unk = min(2, len(words) - 1)
    splits = {"train": train, "valid": valid or train, "test": train}
    return Corpus(words, counts, offsets, unk, splits, "digest")


def sizes_of(settings: RunSettings, corpus: Corpus) -> Sizes:
    """Return the sizes of a network on a corpus."""
    return Sizes.of(settings.network, corpus.vocabulary_size, corpus.classes)


def weights_for(settings: RunSettings, corpus: Corpus) -> Parameters:
    """Return weights so large that all of the model's parts matter."""
    return parameters.initialise(sizes_of(settings, corpus), 0.7, settings.seed, settings.precision)


def adaptation_of(
    groups: Sequence[str],
    weight_rate: float | None,
    vector_rate: float | None,
    steps: int = 5,
    after: int | Literal["word", "sentence"] = "word",
    unit: UnitOfText = "sentence",
) -> Adaptation:
    """An adaptation of these parts and, if it has a rate, of the vector."""
    named = {*groups, *([DOCUMENT_VECTOR] if vector_rate else [])}
    return Adaptation(
        tuple(part for part in PARTS if part in named),
        weight_rate=weight_rate if groups else None,
        vector_rate=vector_rate or None,
        after=1 if after == "word" else after,
        unit_of_text=unit,
        steps=steps,
    )


def words_of(split: Split, sentence: int) -> list[int]:
    """Return the words of a sentence that are predicted."""
    first, end = split.offsets[sentence : sentence + 2] + 1
    words: list[int] = split.stream[first:end].tolist()
    return words


def engine_of(settings: RunSettings, corpus: Corpus) -> Engine:
    """Return the engine of these settings."""
    return load_engine(settings.engine, settings.network, settings.rule, corpus.class_offsets)


class Trainer:
    """A training by an engine on a corpus's `train`, which a test drives batch by batch."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, accumulators: Parameters
    ) -> None:
        self.settings = settings
        self.engine = engine_of(settings, corpus)
        self.segments = segments_of(corpus.splits["train"], settings.network, settings.rule)
        self.lanes = self.segments.lanes(settings.batch_sentences)
        nothing = Carried.nothing(weights, settings.cell, self.lanes)
        copies = parameters.copy(weights), parameters.copy(accumulators)
        self.state = self.engine.start(*copies, nothing)

    def order(self, units: Sequence[int]) -> Order:
        """Return the order that reads these units of text."""
        numbers = np.asarray(units)
        return order_to_train(self.segments, self.settings.rule, numbers)

    def learn(self, order: Order, learning_rate: float, key: int = 0) -> float:
        """Learn from segments in an order; return their log P."""
        split = self.segments.split
        total, self.state = self.engine.train(self.state, split, order, learning_rate, key)
        return total

    def learn_from(self, sentences: Sequence[int], learning_rate: float) -> float:
        """Learn from sentences, each a unit of its own; return their log P."""
        return self.learn(one_by_one(np.asarray(sentences), self.lanes), learning_rate)

    def apply_deferred(self, learning_rate: float) -> None:
        """Apply all deferred updates."""
        self.state = self.engine.apply_deferred(self.state, learning_rate)

    @property
    def weights(self) -> Parameters:
        """Copies of the weights now."""
        return parameters.copy(self.state.weights)

    @property
    def accumulators(self) -> Parameters:
        """Copies of the accumulators now."""
        return parameters.copy(self.state.accumulators)


def scored(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    split: Split,
    adaptation: Adaptation,
    *,
    hidden_states: bool = False,
) -> Scores:
    """Score a text by the engine of these settings."""
    engine = engine_of(settings, corpus)
    return score_text(engine, weights, adaptation, split, hidden_states=hidden_states)


def chosen(split: Split, sentences: Sequence[int]) -> Split:
    """Return a text of these sentences of another, in this order."""
    articles = split.articles[sentences].tolist() if split.articles.size else ()
    return split_of([words_of(split, number) for number in sentences], articles)


def assert_same(found: Iterable[ArrayLike], expected: Iterable[ArrayLike]) -> None:
    """Assert that arrays have the same bits, one by one."""
    for array, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, other)


def sentence_table(directory: ExperimentDirectory, run: str, evaluation: str) -> pd.DataFrame:
    """Add up an evaluation's scores of each sentence of `test`, of the corpus `topics`."""
    corpus = load_corpus(directory.corpus("topics"))
    split = corpus.splits["test"]
    scores = np.load(directory.token_scores(run, evaluation))
    columns = {
        "tokens": split.lengths,
        "unknown": sum_by_sentence(split.stream[1:] == corpus.unk_id, split.lengths, np.int64),
        "log_probability": sum_by_sentence(scores, split.lengths),
    }
    return pd.DataFrame(columns)
