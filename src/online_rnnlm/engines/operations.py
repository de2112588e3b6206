"""The kernels as PyTensor operations, each of which replaces a part of the plain graph.

The model is a PyTensor graph (`model.graph`). An operation takes and returns the same symbolic
variables as the part of the graph that it replaces, so engines make functions of both in the same
way. PyTensor keeps the weights as shared variables that a function updates, in place if the
operation declares it (`destroy_map`), and checks dtypes and dimensions once, when it makes the
function. The speed comes from the kernels, which also compute the gradients themselves.

The inputs of all operations begin with weights, or weights and accumulators. Then come a split's
`stream` and `offsets` (`kernels.data.Text`) and the numbers, int64, of its sentences to read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from online_rnnlm.engines.base import OnlineSettings, Sentences, empty_scores, first_words
from online_rnnlm.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.engines.kernels.copy_on_write import CopyOnWriteWeights
from online_rnnlm.engines.kernels.data import Classes, Model, Optimizer, Text
from online_rnnlm.engines.kernels.learning import Learning, LearningModel
from online_rnnlm.engines.kernels.online import score_online
from online_rnnlm.engines.kernels.workspace import (
    Capacity,
    Workspace,
    allocate,
    allocate_online,
)
from online_rnnlm.model.parameters import Parameters, sizes_of

_WEIGHTS = len(Parameters._fields)
_Memory = TypeVar("_Memory")


class TrainingSteps(Op):
    """Updates of weights and accumulators, in place, from consecutive batches of sentences.

    Equals `graph.training_updates` applied to one batch after the other.
    Inputs: weights, accumulators, stream, offsets, sentences, learning rate, document rate.
    Outputs: weights, accumulators, the sentences' log-probability (float64).
    """

    destroy_map = {i: [i] for i in range(2 * _WEIGHTS)}  # read by PyTensor  # noqa: RUF012

    def __init__(
        self,
        classes: Classes,
        workspace: Workspace,
        *,
        optimizer: str,
        l2: float,
        error_clip: float,
    ) -> None:
        """Keep the workspace, which sets the size of batches and must suffice for all sentences."""
        self._classes = classes
        self._workspace = workspace
        self._adagrad = optimizer == "adagrad"
        self._l2 = l2
        self._error_clip = error_clip or np.inf

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the operation to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        outputs = [variable.type() for variable in variables[: 2 * _WEIGHTS]]
        return Apply(self, variables, [*outputs, pt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute the outputs; PyTensor calls this."""
        weights = Parameters(*inputs[:_WEIGHTS])
        accumulators = Parameters(*inputs[_WEIGHTS : 2 * _WEIGHTS])
        stream, offsets, sentences, learning_rate, document_rate = inputs[2 * _WEIGHTS :]
        real = weights.recurrent.dtype.type
        total = train_batches(
            Model(weights, self._classes, document_rate[()], real(self._error_clip)),
            accumulators,
            Optimizer(self._adagrad, learning_rate[()], real(self._l2)),
            Text(stream, offsets),
            sentences,
            len(self._workspace.document),
            self._workspace,
        )
        _hand_back([*weights, *accumulators, np.asarray(total)], output_storage)


class SentenceScores(Op):
    """Log-probabilities of sentences' words, the document vector learning online.

    Equals `graph.predictions`. Inputs: weights, stream, offsets, sentences, document rate.
    Outputs: the fields of `Scores`.
    """

    def __init__(
        self, classes: Classes, batch_sentences: int, error_clip: float, *, hidden_states: bool
    ) -> None:
        self._classes = classes
        self._batch_sentences = batch_sentences
        self._error_clip = error_clip or np.inf
        self._hidden_states = hidden_states
        self._memory = _GrowingMemory(allocate, classes, batch_sentences)

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the operation to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        return Apply(self, variables, _symbolic_scores(variables[0].dtype))

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute the outputs; PyTensor calls this."""
        weights = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, document_rate = inputs[_WEIGHTS:]
        text, real = Text(stream, offsets), weights.recurrent.dtype.type
        starts = first_words(offsets, sentences)
        tokens = int(starts[-1])
        states = tokens if self._hidden_states else 0
        scores = empty_scores(len(sentences), tokens, sizes_of(weights), real, states=states)
        score_sentences(
            Model(weights, self._classes, document_rate[()], real(self._error_clip)),
            text,
            sentences,
            self._batch_sentences,
            starts,
            scores,
            self._memory.for_call(weights, text, sentences),
        )
        _hand_back(scores, output_storage)


class OnlineScores(Op):
    """Log-probabilities of sentences' words while chosen weights learn.

    Equals `graph.online_updates` applied to one word, or one sentence, after the other.
    Inputs: weights, stream, offsets, sentences, and a bool for each sentence, True if a unit of
    text begins with it.
    Outputs: the fields of `Scores`, then the weights after the last sentence.
    """

    def __init__(self, classes: Classes, online: OnlineSettings, error_clip: float) -> None:
        self._classes = classes
        self._online = online
        self._error_clip = error_clip or np.inf
        self._memory = _GrowingMemory(allocate_online, classes, batch_sentences=1)

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the operation to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        learnt = [variable.type() for variable in variables[:_WEIGHTS]]
        return Apply(self, variables, [*_symbolic_scores(variables[0].dtype), *learnt])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute the outputs; PyTensor calls this."""
        trained = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, unit_begins = inputs[_WEIGHTS:]
        text, sizes = Text(stream, offsets), sizes_of(trained)
        real = trained.recurrent.dtype.type
        scores = empty_scores(len(sentences), int(first_words(offsets, sentences)[-1]), sizes, real)
        weights = CopyOnWriteWeights(
            learnt=Parameters(*map(np.empty_like, trained)),
            trained=trained,
            learnt_words=np.zeros(sizes.vocabulary, np.bool_),
            learnt_classes=np.zeros(sizes.classes, np.bool_),
        )
        score_online(
            LearningModel(weights, self._classes, self._learning(real)),
            text,
            sentences,
            unit_begins,
            scores,
            self._memory.for_call(trained, text, sentences),
        )
        _hand_back([*scores, *weights.learnt], output_storage)

    def _learning(self, real: Any) -> Learning:
        online = self._online
        return Learning(
            embeddings="embeddings" in online.learning,
            recurrent="recurrent" in online.learning,
            output="output" in online.learning,
            after_sentence=online.learn_after == "sentence",
            bptt_steps=online.bptt_steps,
            learning_rate=real(online.learning_rate),
            document_rate=real(online.document_rate),
            error_clip=real(self._error_clip),
        )


class _GrowingMemory(Generic[_Memory]):
    """A workspace that is kept from call to call, and allocated again when it does not suffice.

    Values left from an earlier call have no effect: every call writes what it reads.
    """

    def __init__(
        self,
        allocate: Callable[[Capacity, Classes, Any], _Memory],
        classes: Classes,
        batch_sentences: int,
    ) -> None:
        self._allocate = allocate
        self._classes = classes
        self._batch_sentences = batch_sentences
        self._held: tuple[Capacity, _Memory] | None = None

    def for_call(self, weights: Parameters, text: Text, sentences: Sentences) -> _Memory:
        """Return a workspace for batches of these sentences."""
        needed = Capacity.for_sentences(
            sizes_of(weights), text, self._classes, sentences, self._batch_sentences
        )
        if self._held is None or not self._held[0].covers(needed):
            self._held = needed, self._allocate(needed, self._classes, weights.recurrent.dtype)
        return self._held[1]


def _symbolic_scores(dtype: str) -> list[Any]:
    """Make symbolic outputs for the fields of `Scores`."""
    return [pt.dvector(), pt.matrix(dtype=dtype), pt.matrix(dtype=dtype)]


def _hand_back(results: Any, output_storage: Any) -> None:
    """Put the results where PyTensor looks for them."""
    for storage, array in zip(output_storage, results, strict=True):
        storage[0] = array
