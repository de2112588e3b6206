"""The equations of `model.graph` on arranged batches, in JAX.

The cell is the graph's own, whose symbols PyTensor turns into JAX's operations. The scores of
classes and words, the softmax and the vector's updates are written here; JAX derives the gradients
of the weights, for which the vector's updates count as constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import pytensor.tensor as pt
from pytensor.gradient import GradClip
from pytensor.graph import FunctionGraph, ancestors, graph_replace
from pytensor.graph.rewriting.basic import in2out
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.rewriting.basic import constant_folding
from pytensor.tensor.shape import Shape as ShapeOf

from online_rnnlm.engines.blocks.arrangement import Arranged
from online_rnnlm.engines.blocks.products import products_on
from online_rnnlm.engines.blocks.shapes import Shape
from online_rnnlm.engines.blocks.tiles import TILE, Tiles
from online_rnnlm.model import graph
from online_rnnlm.model.cells import Words
from online_rnnlm.model.parameters import Parameters, like

_NEVER = -1e30
"""Score of a place without a word: it makes its probability exactly 0."""

_Step = Callable[[Parameters, Any, Any, tuple[Any, ...]], tuple[Any, ...]]
"""The cell: weights, ids (B,), rows of E (B, N) and states (B, ·); returns the next states."""


class Results(NamedTuple):
    """The predictions of a batch's words, and the states and vectors that it ends with."""

    log_probabilities: Any
    """log P of the words, (N,); 0 where there is none."""
    states: tuple[Any, ...]
    """The cell's states that the words are predicted from, h first: (N, ·)."""
    last_states: tuple[Any, ...]
    """The states after each sentence's last word, (B, ·)."""
    last_documents: Any
    """d after each sentence's last word, (B, D)."""


def _funcify_grad_clip(op: Any, **_: Any) -> Callable[[Any], Any]:
    """Return the identity, whose gradient is limited to the operation's bounds."""
    identity: Any = jax.custom_vjp(lambda values: values)
    identity.defvjp(
        lambda values: (values, None),
        lambda _, gradient: (jnp.clip(gradient, op.clip_lower_bound, op.clip_upper_bound),),
    )
    bounded: Callable[[Any], Any] = identity
    return bounded


jax_funcify.register(GradClip)(_funcify_grad_clip)


def _cell_step(model: graph.Model, weights: Parameters) -> _Step:
    """Make a function of JAX from the cell's symbols; d does not feed it."""
    dtype = weights.recurrent.dtype
    symbols = like(weights, (pt.tensor(dtype=dtype, shape=array.shape) for array in weights))
    ids, embedded = pt.ivector(), pt.matrix(dtype=dtype)
    states = tuple(pt.matrix(dtype=dtype) for _ in model.cell.states(weights))
    from_document = pt.zeros((1, 1), dtype=dtype)
    found = model.cell.step(symbols, Words(ids, embedded), states, from_document, model)
    inputs = [*symbols, ids, embedded, *states]
    function = jax_funcify(_with_known_shapes(inputs, found))

    def step(weights: Parameters, ids: Any, embedded: Any, states: tuple[Any, ...]) -> Any:
        return tuple(function(*weights, ids, embedded, *states))

    return step


def _with_known_shapes(inputs: list[Any], outputs: tuple[Any, ...]) -> FunctionGraph:
    """Make a graph with the shapes of weights as constants, since XLA needs fixed sizes.

    PyTensor's own choice of rewritings would leave out the bounds of the deltas, too.
    """
    known = {
        variable: pt.constant(variable.owner.inputs[0].type.shape)
        for variable in ancestors(outputs)
        if variable.owner
        and isinstance(variable.owner.op, ShapeOf)
        and None not in variable.owner.inputs[0].type.shape
    }
    replaced = graph_replace(list(outputs), known) if known else list(outputs)
    made = FunctionGraph(inputs, replaced, clone=True)
    in2out(constant_folding).rewrite(made)
    return made


class Network:
    """A model on batches of one shape; the words of W_o and V_o are cut into tiles.

    Weights are `Parameters` whose `word_output` is (tiles, S, M) and whose `word_document` is
    (tiles, S, D).
    """

    def __init__(self, model: graph.Model, tiles: Tiles, shape: Shape, device: str) -> None:
        self._model = model
        self._products = products_on(device)
        self._exists = jnp.asarray(tiles.exists)
        self._shape = shape

    def __call__(
        self,
        weights: Parameters,
        batch: Arranged,
        rate: Any,
        states: tuple[Any, ...],
        documents: Any,
    ) -> Results:
        """Predict a batch's words from these states (B, ·) and d (B, D) before the first ones."""
        every = self._states(weights, batch, states)
        hidden = every[0]
        places = batch.rows, batch.tiles
        of_tiles = self._products(_row_or_zero(hidden), weights.word_output, *places)
        of_classes = hidden @ weights.class_output.T
        if documents.shape[1]:
            before, documents = self._documents(
                jax.lax.stop_gradient(weights),
                jax.lax.stop_gradient(of_classes),
                jax.lax.stop_gradient(of_tiles),
                batch,
                rate,
                documents,
            )
            of_classes += before @ weights.class_document
            of_tiles += self._products(_row_or_zero(before), weights.word_document, *places)
        of_class = jax.nn.log_softmax(of_classes)[jnp.arange(len(hidden)), batch.classes]
        log_probabilities = of_class + self._of_words(of_tiles, batch)
        last = tuple(
            jnp.where((batch.last < len(hidden))[:, None], found[batch.last], start)
            for found, start in zip(every, states, strict=True)
        )
        masked = jnp.where(batch.mask, log_probabilities, 0)
        return Results(masked, every, last, documents)

    def _states(self, weights: Parameters, batch: Arranged, states: tuple[Any, ...]) -> Any:
        """The states that the words are predicted from, (N, ·), time after time."""
        embedded = weights.embeddings[batch.inputs]
        found, begin, step = [], 0, _cell_step(self._model, weights)

        def follow(before: tuple[Any, ...], words: tuple[Any, Any]) -> tuple[Any, Any]:
            after = step(weights, *words, before)
            return after, after

        for length, width, _ in self._shape.stretches:
            end = begin + length * width
            states = tuple(state[:width] for state in states)
            words = (batch.inputs[begin:end], embedded[begin:end])
            of_times = (array.reshape(length, width, *array.shape[1:]) for array in words)
            states, of_stretch = jax.lax.scan(follow, states, tuple(of_times))
            found.append([state.reshape(length * width, -1) for state in of_stretch])
            begin = end
        return tuple(jnp.concatenate(parts) for parts in zip(*found, strict=True))

    def _of_words(self, scores: Any, batch: Arranged) -> Any:
        """log P(w|c) of the words (N,), from the scores (I, R, S) of the products."""
        words = len(batch.inputs)
        scores = jnp.where(self._exists[batch.tiles][:, None, :], scores, _NEVER)
        largest = jnp.full(words + 1, _NEVER, scores.dtype)
        largest = largest.at[batch.rows].max(jax.lax.stop_gradient(scores.max(axis=2)))
        powers = jnp.exp(scores - largest[batch.rows][:, :, None])
        totals = jnp.zeros(words + 1, scores.dtype).at[batch.rows].add(powers.sum(axis=2))
        totals = jnp.where(batch.mask, totals[:words], 1)
        return scores.reshape(-1)[batch.target] - largest[:words] - jnp.log(totals)

    def _documents(
        self,
        weights: Parameters,
        of_classes: Any,
        of_tiles: Any,
        batch: Arranged,
        rate: Any,
        documents: Any,
    ) -> tuple[Any, Any]:
        """d before every word, (N, D), and after each sentence's last one, (B, D).

        `of_classes` (N, K) and `of_tiles` (I, R, S) are the parts of the scores that come from h.
        """
        rows = of_tiles.reshape(-1, TILE)
        found, begin, after = [], 0, documents
        for (length, width, _), pairs in zip(self._shape.stretches, batch.pairs, strict=True):
            end = begin + length * width
            of_words = (of_classes[begin:end], batch.classes[begin:end], batch.mask[begin:end])
            times = tuple(array.reshape(length, width, *array.shape[1:]) for array in of_words)

            def learn(document: Any, now: Any) -> tuple[Any, Any]:
                slope = self._slope(weights, rows, document, *now)
                return document - rate * slope, document

            documents, of_stretch = jax.lax.scan(learn, documents[:width], (*times, *pairs))
            after = after.at[:width].set(documents)
            found.append(of_stretch.reshape(length * width, -1))
            begin = end
        return jnp.concatenate(found), after

    def _slope(
        self,
        weights: Parameters,
        rows: Any,
        document: Any,
        of_classes: Any,
        classes: Any,
        mask: Any,
        sentences: Any,
        tiles: Any,
        places: Any,
        columns: Any,
    ) -> Any:
        """∂L_t/∂d_t (B, D) for the words of one time."""
        width = len(document)
        predicted = jax.nn.softmax(of_classes + document @ weights.class_document)
        class_deltas = predicted - jax.nn.one_hot(classes, predicted.shape[1], dtype=rows.dtype)
        sentences = jnp.where(sentences < 0, width, sentences)
        words = weights.word_document[tiles]  # (Q, S, D) for Q pairs
        scores = rows[places] + jnp.einsum("qsd,qd->qs", words, _row_or_zero(document)[sentences])
        scores = jnp.where(self._exists[tiles], scores, _NEVER)
        largest = jnp.full(width + 1, _NEVER, rows.dtype).at[sentences].max(scores.max(axis=1))
        powers = jnp.exp(scores - largest[sentences][:, None])
        totals = jnp.zeros(width + 1, rows.dtype).at[sentences].add(powers.sum(axis=1))
        totals = jnp.where(totals > 0, totals, 1)
        deltas = powers / totals[sentences][:, None]
        deltas -= columns[:, None] == jnp.arange(TILE)
        slopes = jnp.einsum("qs,qsd->qd", deltas, words)
        slope = jnp.zeros((width + 1, slopes.shape[1]), rows.dtype).at[sentences].add(slopes)
        slope = slope[:width] + class_deltas @ weights.class_document.T
        return jnp.where(mask[:, None], slope, 0)


def _row_or_zero(matrix: Any) -> Any:
    """The matrix with one more row, of zeros: that of no word."""
    return jnp.concatenate([matrix, jnp.zeros_like(matrix[:1])])
