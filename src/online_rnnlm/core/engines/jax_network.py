"""The equations of `core.graph` in JAX.

A scan over time computes hidden states, predicts words and updates the document vector. JAX
derives all gradients of the weights, from the whole batch.

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
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.cells import Words
from online_rnnlm.core.engines.padded import Found
from online_rnnlm.core.graph import Model, Padded
from online_rnnlm.core.parameters import Parameters

_NEVER = -1e30
"""Score of a place without a word: it makes its probability exactly 0."""

_Step = Callable[[Any, Any, Any, Any], "tuple[Any, Any]"]
"""The cell: ids (B,), rows of E (B, N), h and memory (B, ·); returns the next h and memory."""


class Network:
    """A model's predictions of batches."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._classes = jax.tree.map(jnp.asarray, vars(model.classes))

    def __call__(self, weights: Parameters, batch: Padded, rate: Any, start: Carried) -> Found:
        """Predict a batch's words from the state before the first ones."""
        step = _cell_step(self._model, weights)

        def follow(before: Carried, now: Padded) -> tuple[Carried, tuple[Any, Any]]:
            words, targets, mask = now
            state = step(words, weights.embeddings[words], before.hidden, before.memory)
            exists = mask[:, None] > 0  # the others have ended
            hidden = jnp.where(exists, state[0], before.hidden)
            memory = jnp.where(exists, state[1], before.memory)

            def loss(document: Any) -> tuple[Any, Any]:
                logs = mask * self._log_probability(weights, targets, hidden, document)
                return -logs.sum(), logs

            gradient, logs = jax.grad(loss, has_aux=True)(before.vector)
            if not self._model.network.steps_by_error:
                gradient = -mask[:, None] * self._of_words(weights, targets)
            lost = (1 - self._model.network.document_decay) * mask[:, None] * before.vector
            document = before.vector - lost - rate * gradient
            if not self._model.network.through_updates:
                document = jax.lax.stop_gradient(document)
            after = before._replace(hidden=hidden, memory=memory, vector=document)
            return after, (logs, hidden)

        # The rows of W_o are copied for each word, so they are not kept for the gradients.
        carried, (logs, hidden) = jax.lax.scan(jax.checkpoint(follow), start, batch)
        return Found(logs, hidden, carried)

    def _of_words(self, weights: Parameters, targets: Any) -> Any:
        """V_c[c] + V_o[w] of the words `targets`, (B, D); of a word alone in its class V_c[c]."""
        of_target = self._classes["of_word"][targets]
        has_others = self._classes["exists"].sum(1)[of_target] > 1
        words = jnp.where(has_others[:, None], weights.word_document.T[targets], 0)
        return weights.class_document.T[of_target] + words

    def _log_probability(
        self, weights: Parameters, targets: Any, hidden: Any, document: Any
    ) -> Any:
        """log P(c) + log P(w|c) of the words `targets` (B,), given h and d.

        The words of all classes are padded to those of the largest class.
        """
        classes = self._classes
        rows = jnp.arange(len(targets))
        of_target = classes["of_word"][targets]
        words = classes["words"][of_target]
        exists = classes["exists"][of_target]
        class_scores = hidden @ weights.class_output.T + document @ weights.class_document
        word_scores = jnp.einsum("bm,blm->bl", hidden, weights.word_output[words])
        word_scores += jnp.einsum("bd,dbl->bl", document, weights.word_document[:, words])
        word_scores = jnp.where(exists, word_scores, _NEVER)
        of_class = jax.nn.log_softmax(class_scores)[rows, of_target]
        return of_class + jax.nn.log_softmax(word_scores)[rows, classes["within"][targets]]


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
    ids = pt.ivector()
    embedded, hidden, memory = (pt.matrix(dtype=dtype) for _ in range(3))
    found = model.cell.step(symbols, Words(ids, embedded), hidden, memory, model)
    function = _as_jax([*symbols, ids, embedded, hidden, memory], found)

    def step(ids: Any, embedded: Any, hidden: Any, memory: Any) -> Any:
        return function(*weights, ids, embedded, hidden, memory)

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
