"""PyTensor operations around the kernels: fast replacements for parts of the plain graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from online_rnnlm.model.kernels.batches import Rule, score_sentences, train_batches
from online_rnnlm.model.kernels.online import Learning, score_online
from online_rnnlm.model.kernels.workspace import Capacity, Classes, Workspace, allocate
from online_rnnlm.model.parameters import Parameters, sizes_of

_WEIGHTS = len(Parameters._fields)


class _SentenceOp(Op):
    """What the operations share: scratch memory, kept from call to call."""

    def __init__(self, classes: Classes, batch_sentences: int) -> None:
        self.classes = classes
        self.batch_sentences = batch_sentences
        self._held: tuple[Capacity, Workspace] | None = None

    def _workspace(self, weights: Parameters, offsets: Any, sentences: Any) -> Workspace:
        """Scratch memory for these sentences: what is held if it is enough, or else more."""
        lengths = offsets[sentences + 1] - offsets[sentences]
        needed = Capacity.for_sentences(sizes_of(weights), lengths, self.batch_sentences)
        if self._held is None or not self._held[0].covers(needed):
            space = allocate(needed, self.classes, weights.recurrent.dtype)
            self._held = needed, space
        return self._held[1]


class TrainingSteps(_SentenceOp):
    """Updates from consecutive batches of sentences, done in place.

    Equals `graph.training_updates` applied to one batch after the other.
    Inputs: weights, accumulators, stream, offsets, sentences (int64), learning rate,
    document rate. Outputs: weights, accumulators, the sentences' log-probability (float64).
    """

    destroy_map = {i: [i] for i in range(2 * _WEIGHTS)}  # noqa: RUF012  # read by PyTensor

    def __init__(
        self,
        classes: Classes,
        batch_sentences: int,
        *,
        optimizer: str,
        l2: float,
        error_clip: float,
    ) -> None:
        super().__init__(classes, batch_sentences)
        self.adagrad = optimizer == "adagrad"
        self.l2 = l2
        self.error_clip = error_clip or np.inf

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        outputs = [variable.type() for variable in variables[: 2 * _WEIGHTS]]
        return Apply(self, variables, [*outputs, pt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute; called by PyTensor."""
        weights = Parameters(*inputs[:_WEIGHTS])
        sums = Parameters(*inputs[_WEIGHTS : 2 * _WEIGHTS])
        stream, offsets, sentences, learning_rate, document_rate = inputs[2 * _WEIGHTS :]
        total = train_batches(
            weights,
            sums,
            self.classes,
            stream,
            offsets,
            sentences,
            self.batch_sentences,
            document_rate[()],
            self._rule(learning_rate[()]),
            self._workspace(weights, offsets, sentences),
        )
        for storage, array in zip(output_storage, [*weights, *sums], strict=False):
            storage[0] = array
        output_storage[-1][0] = np.asarray(total)

    def _rule(self, learning_rate: Any) -> Rule:
        real = type(learning_rate)
        return Rule(self.adagrad, learning_rate, real(self.l2), real(self.error_clip))


class SentenceScores(_SentenceOp):
    """Log-probabilities of sentences, the document vector learning online.

    Equals sums over `graph.predictions`. Inputs: weights, stream, offsets, sentences (int64),
    document rate. Outputs: (S, 2) float64, log P of each sentence and of its unknown words;
    (S, D), the document vector after each sentence's last word.
    """

    def __init__(self, classes: Classes, batch_sentences: int, unk: int) -> None:
        super().__init__(classes, batch_sentences)
        self.unk = unk

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        vectors = pt.matrix(dtype=variables[0].dtype)
        return Apply(self, variables, [pt.dmatrix(), vectors])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute; called by PyTensor."""
        weights = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, document_rate = inputs[_WEIGHTS:]
        scores = np.zeros((len(sentences), 2))
        vectors = np.zeros((len(sentences), sizes_of(weights).document), weights.recurrent.dtype)
        score_sentences(
            weights,
            self.classes,
            stream,
            offsets,
            sentences,
            self.batch_sentences,
            document_rate[()],
            self.unk,
            self._workspace(weights, offsets, sentences),
            scores,
            vectors,
        )
        output_storage[0][0] = scores
        output_storage[1][0] = vectors


class OnlineScores(_SentenceOp):
    """Log-probabilities of sentences while chosen weights learn after every word, in place.

    Equals `graph.online_updates` applied to one word after the other. Inputs: weights, stream,
    offsets, sentences (int64), learning rate, document rate. Outputs: weights; then (S, 2) and
    (S, D) as `SentenceScores` has them.
    """

    destroy_map = {i: [i] for i in range(_WEIGHTS)}  # noqa: RUF012  # read by PyTensor

    def __init__(
        self, classes: Classes, learning: frozenset[str], steps: int, error_clip: float, unk: int
    ) -> None:
        super().__init__(classes, batch_sentences=1)
        self.learning = learning
        self.steps = steps
        self.error_clip = error_clip or np.inf
        self.unk = unk

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        outputs = [variable.type() for variable in variables[:_WEIGHTS]]
        vectors = pt.matrix(dtype=variables[0].dtype)
        return Apply(self, variables, [*outputs, pt.dmatrix(), vectors])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute; called by PyTensor."""
        weights = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, learning_rate, document_rate = inputs[_WEIGHTS:]
        real = type(learning_rate[()])
        scores = np.zeros((len(sentences), 2))
        vectors = np.zeros((len(sentences), sizes_of(weights).document), real)
        largest = int(np.diff(self.classes.offsets).max())
        score_online(
            weights,
            self.classes,
            stream,
            offsets,
            sentences,
            Learning(
                embeddings="embeddings" in self.learning,
                recurrent="recurrent" in self.learning,
                output="output" in self.learning,
                steps=self.steps,
                learning_rate=learning_rate[()],
                document_rate=document_rate[()],
                error_clip=real(self.error_clip),
            ),
            self.unk,
            np.zeros(largest, real),
            self._workspace(weights, offsets, sentences),
            scores,
            vectors,
        )
        for storage, array in zip(output_storage, [*weights, scores, vectors], strict=True):
            storage[0] = array
