"""The equations of `model.graph` in JAX, in the order that a GPU likes.

The hidden states of all words come first, in a scan over time. The scores of words are then large
products (`jax_batches`). The document vector learns in a second scan, which needs no products with
W_o any more. JAX derives all gradients of the weights, from the whole batch.

The cell and the optimiser are the graph's own, whose symbols PyTensor turns into JAX's operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import pytensor.tensor as pt
from pytensor.gradient import GradClip
from pytensor.graph import FunctionGraph, ancestors, graph_replace
from pytensor.graph.rewriting.basic import in2out
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.rewriting.basic import constant_folding
from pytensor.tensor.shape import Shape

from online_rnnlm.core import updates
from online_rnnlm.core.cells import Words
from online_rnnlm.core.engines.jax_batches import ROWS, Batch, Tiles
from online_rnnlm.core.engines.padded import Found
from online_rnnlm.core.graph import Model
from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters

_NEVER = -1e30
"""Score of a place without a word: it makes its probability exactly 0."""

_Step = Callable[[Any, Any, tuple[Any, ...]], tuple[Any, ...]]
"""The cell: ids (B,), rows of E (B, N), and states (B, ·); returns the next states."""


class Network:
    """A model's predictions of batches."""

    def __init__(self, model: Model, tiles: Tiles) -> None:
        self._model = model
        arrays = tiles.class_of_word, tiles.starts
        self._class_of_word, self._starts = (jnp.asarray(a, jnp.int32) for a in arrays)
        self._exists = jnp.asarray(tiles.exists)

    def __call__(self, weights: Parameters, batch: Batch, rate: Any, start: Carried) -> Found:
        """Predict a batch's words from the states and d before the first ones."""
        states, documents = start
        # In the gradients the updates of d are constants, unless the model says otherwise.
        through = self._model.through_updates
        fixed = (lambda values: values) if through else jax.lax.stop_gradient
        times, width = batch.padded.mask.shape
        states, hidden = self._states(weights, batch, states)
        of_classes = hidden @ weights.class_output.T
        of_tiles = self._products(hidden, weights.word_output, batch)
        if len(weights.class_document):
            given = of_classes, of_tiles.reshape(-1, of_tiles.shape[-1])[batch.pairs]
            documents, before = self._learn(fixed(weights), batch, rate, documents, fixed(given))
            of_classes += before @ weights.class_document
            of_tiles += self._products(before, weights.word_document.T, batch)
        of_tiles = jnp.where(self._exists[batch.tiles][:, None], of_tiles, _NEVER)
        classes = self._class_of_word[batch.padded.targets.reshape(-1)]
        log_probabilities = _log_probabilities(
            of_classes.reshape(times * width, -1),
            classes,
            of_tiles.reshape(-1, of_tiles.shape[-1]),
            batch.rows.reshape(-1),
            batch.targets.reshape(-1),
        )
        logs = log_probabilities.reshape(times, width) * batch.padded.mask
        return Found(batch.padded.mask, logs, hidden, Carried(states, documents))

    def _states(self, weights: Parameters, batch: Batch, states: tuple[Any, ...]) -> Any:
        """The states after each sentence's last word, (B, ·), and h after every word, (T, B, ·)."""
        step = _cell_step(self._model, weights)
        inputs, _, mask = batch.padded

        def follow(states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, Any]:
            inputs, embedded, mask = now
            states = _where(mask, step(inputs, embedded, states), states)
            return states, states[0]

        now = inputs, weights.embeddings[inputs], mask
        return jax.lax.scan(follow, states, now)

    def _products(self, vectors: Any, matrix: Any, batch: Batch) -> Any:
        """The scores (I, R, S) of blocks of vectors (T, B, M) and tiles of a matrix (V, M)."""
        blocks = _taken(vectors.reshape(-1, vectors.shape[-1]), batch.rows)
        return jnp.einsum("irm,ism->irs", blocks, self._rows(matrix, batch.tiles))

    def _rows(self, matrix: Any, tiles: Any) -> Any:
        """The rows of a matrix (V, M) that belong to tiles (I,): (I, S, M)."""
        size = self._exists.shape[1]
        cut = jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(matrix, start, size))
        return cut(self._starts[tiles])

    def _learn(
        self,
        weights: Parameters,
        batch: Batch,
        rate: Any,
        documents: Any,
        given: tuple[Any, Any],
    ) -> Any:
        """Let d learn; return d after each sentence (B, D), and d before all words (T, B, D).

        `given` are the parts of the scores that come from h: those of classes, (T, B, K), and of
        pairs, (T, Q, S).
        """
        _, targets, mask = batch.padded
        rows: Any = batch.rows.reshape(-1)
        owners = rows.at[batch.pairs].get(mode="fill", fill_value=mask.size)
        owners = jnp.where(owners < mask.size, owners % mask.shape[1], mask.shape[1])
        tiles = _taken(batch.tiles, batch.pairs // ROWS)
        classes = self._class_of_word[targets]

        def learn(document: Any, now: tuple[Any, ...]) -> tuple[Any, Any]:
            mask, classes, targets, owners, tiles, (of_classes, of_pairs) = now

            def loss(document: Any) -> Any:
                rows = self._rows(weights.word_document.T, tiles)
                words = of_pairs + jnp.einsum("qd,qsd->qs", _taken(document, owners), rows)
                words = jnp.where(self._exists[tiles], words, _NEVER)
                scores = of_classes + document @ weights.class_document
                logs = _log_probabilities(scores, classes, words, owners, targets)
                return -(mask * logs).sum()

            return document - rate * jax.grad(loss)(document), document

        now = mask, classes, batch.pair_targets, owners, tiles, given
        return jax.lax.scan(learn, documents, now)


def _log_probabilities(
    of_classes: Any, classes: Any, scores: Any, owners: Any, targets: Any
) -> Any:
    """log P(c) + log P(w|c) of N words of these classes (N,), from scores of classes (N, K).

    `scores` (P, S) are those of words' tiles, `owners` (P,) their words, or N for none, and
    `targets` (N,) the places of the words to predict among these scores.
    """
    words = len(classes)
    largest = jax.ops.segment_max(jax.lax.stop_gradient(scores).max(1), owners, words + 1)
    powers = jnp.exp(scores - largest[owners][:, None])
    totals = jax.ops.segment_sum(powers.sum(1), owners, words + 1)[:words]
    exists = totals > 0
    log_totals = jnp.where(exists, largest[:words], 0) + jnp.log(jnp.where(exists, totals, 1))
    of_class = jax.nn.log_softmax(of_classes)[jnp.arange(words), classes]
    return of_class + scores.reshape(-1)[targets] - log_totals


def _taken(values: Any, places: Any) -> Any:
    """Values at these places; a place of no word, beyond the end, takes the last value."""
    return values.at[places].get(mode="clip")


def _where(mask: Any, values: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values (B, ·) of the sentences that have a word (B,), and others for those that ended."""
    pairs = zip(values, others, strict=True)
    return tuple(jnp.where(mask[:, None] > 0, value, other) for value, other in pairs)


def _funcify_grad_clip(op: Any, **_: Any) -> Any:
    """Return the identity, whose gradient is limited to the operation's bounds."""
    identity: Any = jax.custom_vjp(lambda values: values)
    identity.defvjp(
        lambda values: (values, None),
        lambda _, gradient: (jnp.clip(gradient, op.clip_lower_bound, op.clip_upper_bound),),
    )
    return identity


jax_funcify.register(GradClip)(_funcify_grad_clip)


def _as_jax(inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Make a function of JAX from symbols, with known shapes as constants: XLA needs fixed sizes.

    PyTensor's own choice of rewritings would leave out the bounds of the deltas, too.
    """
    known = {
        variable: pt.constant(variable.owner.inputs[0].type.shape)
        for variable in ancestors(outputs)
        if variable.owner
        and isinstance(variable.owner.op, Shape)
        and None not in variable.owner.inputs[0].type.shape
    }
    replaced = graph_replace(list(outputs), known) if known else list(outputs)
    graph = FunctionGraph(list(inputs), replaced, clone=True)
    in2out(constant_folding).rewrite(graph)
    return jax_funcify(graph)


def _symbols(arrays: Sequence[Any]) -> list[Any]:
    return [pt.tensor(dtype=str(array.dtype), shape=array.shape) for array in arrays]


def _cell_step(model: Model, weights: Parameters) -> _Step:
    """Make a function of JAX from the cell's symbols."""
    dtype = str(weights.recurrent.dtype)
    symbols = Parameters(*_symbols(weights))
    ids, embedded = pt.ivector(), pt.matrix(dtype=dtype)
    states = tuple(pt.matrix(dtype=dtype) for _ in model.cell.states(weights))
    found = model.cell.step(symbols, Words(ids, embedded), states, model)
    function = _as_jax([*symbols, ids, embedded, *states], found)

    def step(ids: Any, embedded: Any, states: tuple[Any, ...]) -> Any:
        return tuple(function(*weights, ids, embedded, *states))

    return step


def optimizer_step(
    optimizer: str,
    weights: Parameters,
    accumulators: Parameters,
    gradients: Parameters,
    learning_rate: Any,
) -> tuple[Parameters, Parameters]:
    """The weights and accumulators after `updates.steps`."""
    given = weights, accumulators, gradients, learning_rate
    leaves, structure = jax.tree.flatten(given)
    symbols = _symbols(leaves)
    steps = updates.steps(optimizer, *jax.tree.unflatten(structure, symbols))
    found = _as_jax(symbols, [value for _, value in steps])(*leaves)
    return Parameters(*found[::2]), Parameters(*found[1::2])
