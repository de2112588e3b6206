"""Training and scoring by JAX in blocks of words of the same class, for vectors that feed no h.

The padding does not change the results. One program is compiled for each shape that occurs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    Array,
    Scores,
    Sentences,
    empty_scores,
    first_words,
)
from online_rnnlm.engines.blocks.arrangement import Arranged, Arrangement, Arranger
from online_rnnlm.engines.blocks.learning import rules_of, touched
from online_rnnlm.engines.blocks.network import Network, Results
from online_rnnlm.engines.blocks.shapes import Shape, Shapes
from online_rnnlm.engines.blocks.tiles import Tiles
from online_rnnlm.engines.graph_engine import symbolic_model
from online_rnnlm.engines.jax_device import bits_of
from online_rnnlm.engines.jax_trainer import JaxTrainer
from online_rnnlm.engines.lanes import (
    NOTHING,
    Booleans,
    Carried,
    Integers,
    scoring_order,
    segments_of,
)
from online_rnnlm.model.parameters import Parameters, like, without_document
from online_rnnlm.model.sizes import sizes_for

_Update = Callable[..., tuple[Parameters, Parameters, Any]]
"""Returns the weights, the accumulators, and log P with the states and d after the last words."""


class BlockTrainer(JaxTrainer):
    """Training by the updates of `updates.training_updates`; the weights stay on the device."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried,
    ) -> None:
        self._settings, self.carried = settings, carried
        self._weights, self._sums = weights, accumulators
        split = corpus.splits["train"]
        offsets = segments_of(split, settings).offsets
        self._tiles = Tiles(corpus.class_offsets)
        learns, lanes = settings.document_size > 0, len(carried.documents)
        shapes = _shapes(split, offsets, 0, self._tiles, lanes, learns=learns)
        self._arranger = Arranger(split.stream, offsets, shapes)
        self._model = symbolic_model(settings, corpus)
        self.restore(weights, accumulators)
        self._update_of = cache(self._compile)

    def _compile(self, shape: Shape) -> _Update:
        settings = self._settings
        network = Network(self._model, self._tiles, shape, settings.device)
        rule = rules_of(settings.optimizer, settings.precision)

        def update(
            weights: Parameters,
            sums: Parameters,
            batch: Arranged,
            rates: list[Any],
            start: tuple[Any, ...],
        ) -> tuple[Parameters, Parameters, tuple[Any, ...]]:
            def loss(weights: Parameters) -> tuple[Any, Results]:
                results = network(weights, batch, rates[1], start[:-1], start[-1])
                return -results.log_probabilities.sum(), results

            (total, results), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
            if settings.l2:
                every = zip(
                    gradients,
                    touched(self._model, self._tiles, weights, batch),
                    weights,
                    strict=True,
                )
                gradients = like(weights, (g + settings.l2 * r * w for g, r, w in every))
            learnt = [
                rule[weight.ndim](weight, gradient, sum_, rates[0])
                for weight, gradient, sum_ in zip(weights, gradients, sums, strict=True)
            ]
            weights, sums = (like(weights, values) for values in zip(*learnt, strict=True))
            return weights, sums, (-total, *results.last_states, results.last_documents)

        compiled: _Update = jax.jit(update, donate_argnums=(0, 1))
        return compiled

    def lowered(self, segments: Integers) -> jax.stages.Lowered:
        """The update by segments (B,) of the training text as a program that XLA has not compiled.

        All segments begin a unit of text.
        """
        with bits_of(self._settings.precision):
            batch = self._arranger.arrange(segments)
            begins = np.ones(len(segments), np.bool_)
            start = _start(batch, self.carried, begins, self._settings.reading)
            rates = [np.asarray(0.1, self._settings.precision)] * 2
            update: Any = self._update_of(batch.shape)
            found: jax.stages.Lowered = update.lower(
                self._weights, self._sums, batch.arrays, rates, start
            )
            return found

    def _learn(self, segments: Integers, begins: Booleans, rates: list[Array]) -> Any:
        settings = self._settings
        batch = self._arranger.arrange(segments)
        start = _start(batch, self.carried, begins, settings.reading)
        update = self._update_of(batch.shape)
        self._weights, self._sums, (total, *last) = update(
            self._weights, self._sums, batch.arrays, rates, start
        )
        if settings.unit_of_text == "document":
            self.carried = _carried(batch, last)
        return total

    @property
    def weights(self) -> Parameters:
        """Copies of the current weights."""
        return _joined(self._tiles, self._weights)

    @property
    def accumulators(self) -> Parameters:
        """Copies of AdaGrad's current sums of squared gradients."""
        return _joined(self._tiles, self._sums)

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        with bits_of(self._settings.precision):
            self._weights = _cut(self._tiles, weights, 0.0)
            # A sum of 0 would make 0 / 0 of the places without a word.
            self._sums = _cut(self._tiles, accumulators, 1.0)


class BlockScorer:
    """Scoring as by `graph.predictions`."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        reading: Reading,
        *,
        hidden_states: bool = False,
    ) -> None:
        self._settings, self._reading = settings, reading
        self._hidden_states = hidden_states
        self._tiles = Tiles(corpus.class_offsets)
        self._model = symbolic_model(settings, corpus)
        split = corpus.splits["train"]
        longest = max(int(np.diff(s.offsets).max(initial=1)) for s in corpus.splits.values())
        width = ENGINES[settings.engine].scoring_sentences(settings.batch_sentences)
        self._sizes = sizes_for(settings, corpus)
        make = partial(_shapes, split, split.offsets, longest, self._tiles, width)
        self._shapes_of = cache(lambda learns: make(learns=learns))
        self._score_of = cache(self._compile)

    def _compile(self, shape: Shape) -> Callable[..., Results]:
        def score(
            weights: Parameters, batch: Arranged, rate: Any, start: tuple[Any, ...]
        ) -> Results:
            network = Network(self._model, self._tiles, shape, self._settings.device)
            found = network(weights, batch, rate, start[:-1], start[-1])
            return found._replace(states=found.states[:1] if self._hidden_states else ())

        compiled: Callable[..., Results] = jax.jit(score)
        return compiled

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        precision, cell, sizes = self._settings.precision, self._settings.cell_name, self._sizes
        if document_rate == 0:
            weights, sizes = without_document(weights), sizes.without_document()
        shapes = self._shapes_of(sizes.document > 0)
        arranger = Arranger(split.stream, split.offsets, shapes)
        starts = first_words(split.offsets, sentences)
        states = int(starts[-1]) if self._hidden_states else 0
        scores = empty_scores(len(sentences), int(starts[-1]), sizes, precision, states=states)
        carried = Carried.nothing(weights, cell, sizes.document, shapes.width)
        rate = np.asarray(document_rate, precision)
        order = scoring_order(split, sentences, self._reading, shapes.width, mixed=True)
        with bits_of(precision):
            on_device = _cut(self._tiles, weights, 0.0)
            for numbers, begins, places in zip(*order, strict=True):
                batch = arranger.arrange(numbers)
                score = self._score_of(batch.shape)
                start = _start(batch, carried, begins, self._reading)
                found = score(on_device, batch.arrays, rate, start)
                carried = _carried(batch, [*found.last_states, found.last_documents])
                _fill(scores, batch, places, starts, found, carried.documents)
        return scores


def _shapes(
    split: Split,
    offsets: Integers,
    longest: int,
    tiles: Tiles,
    width: int,
    *,
    learns: bool,
) -> Shapes:
    """The shapes of batches of a split's segments, which may be longer elsewhere."""
    lengths, labels = np.diff(offsets), tiles.class_of_word[split.stream[1:]]
    longest = max(longest, int(lengths.max(initial=1)))
    return Shapes(lengths, labels, longest, tiles, width, learns)


def _cut(tiles: Tiles, weights: Parameters, filler: float) -> Parameters:
    """Copy parameters to the device, those of words cut into tiles."""
    cut = weights._replace(
        word_output=tiles.cut(weights.word_output, filler),
        word_document=tiles.cut(weights.word_document.T, filler),
    )
    return like(weights, map(jnp.array, cut))


def _joined(tiles: Tiles, weights: Parameters) -> Parameters:
    """Copy parameters from the device, those of words put together."""
    host = like(weights, map(np.array, weights))
    document = np.ascontiguousarray(tiles.joined(host.word_document).T)
    return host._replace(word_output=tiles.joined(host.word_output), word_document=document)


def _start(
    batch: Arrangement, carried: Carried, begins: Booleans, reading: Reading
) -> tuple[Array, ...]:
    """The states and d before the next segments, in the batch's order."""
    before = carried.before(begins, reading)
    return tuple(values[batch.order] for values in (*before.states, before.documents))


def _carried(batch: Arrangement, last: list[Any]) -> Carried:
    """The states and d that the lanes take on; `last` are those after a batch's segments."""
    lanes = []
    for values in map(np.asarray, last):
        array = np.empty_like(values)
        array[batch.order] = values
        lanes.append(array)
    return Carried(tuple(lanes[:-1]), lanes[-1])


def _fill(
    scores: Scores,
    batch: Arrangement,
    places: Integers,
    starts: Integers,
    found: Results,
    documents: Array,
) -> None:
    """Copy a batch's results into the rows of the scores that they belong to.

    `places` (B,) are the numbers of the sentences in the scores, or `NOTHING`; `starts` is that of
    `first_words`; `documents` (B, D) is d after the last words, by lane.
    """
    rows = starts[places[batch.order[batch.ranks]]] + batch.times
    scores.log_probabilities[rows] = np.asarray(found.log_probabilities)[batch.places]
    reads = places != NOTHING
    scores.document_vectors[places[reads]] = documents[reads]
    if len(scores.hidden_states):
        scores.hidden_states[rows] = np.asarray(found.states[0])[batch.places]
