"""PyTensor operations around the kernels: fast replacements for parts of the plain graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from online_rnnlm.engines.base import OnlineSettings, empty_scores, first_words
from online_rnnlm.engines.kernels.batches import Rule, score_sentences, train_batches
from online_rnnlm.engines.kernels.learning import Learning
from online_rnnlm.engines.kernels.online import score_online
from online_rnnlm.engines.kernels.units import Unit
from online_rnnlm.engines.kernels.workspace import Capacity, Classes, Workspace, allocate
from online_rnnlm.model.parameters import Parameters, sizes_of

_WEIGHTS = len(Parameters._fields)


class _SentenceOp(Op):
    """What the operations share: scratch memory, kept from call to call."""

    def __init__(self, classes: Classes, batch_sentences: int) -> None:
        self.classes = classes
        self.batch_sentences = batch_sentences
        self._split: Any = None
        self._held: tuple[Capacity, Workspace] | None = None

    def _workspace(self, weights: Parameters, offsets: Any) -> Workspace:
        """Scratch memory for any batch of a split's sentences: what is held, if that is enough.

        A split that is the same array as in the last call is not measured again: with a sentence
        a call that would take long.
        """
        sizes = sizes_of(weights)
        if self._held is None or self._split is not offsets or self._held[0].sizes != sizes:
            needed = Capacity.for_sentences(sizes, np.diff(offsets), self.batch_sentences)
            if self._held is None or not self._held[0].covers(needed):
                self._held = needed, allocate(needed, self.classes, weights.recurrent.dtype)
            self._split = offsets
        return self._held[1]


class TrainingSteps(_SentenceOp):
    """Updates from consecutive batches of sentences, done in place.

    Equals `graph.training_updates` applied to one batch after the other.
    Inputs: weights, accumulators, stream, offsets, sentences (int64), learning rate,
    document rate. Outputs: weights, accumulators, the sentences' log-probability (float64).
    """

    destroy_map = {i: [i] for i in range(2 * _WEIGHTS)}  # read by PyTensor  # noqa: RUF012

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
            self._workspace(weights, offsets),
        )
        for storage, array in zip(output_storage, [*weights, *sums], strict=False):
            storage[0] = array
        output_storage[-1][0] = np.asarray(total)

    def _rule(self, learning_rate: Any) -> Rule:
        real = type(learning_rate)
        return Rule(self.adagrad, learning_rate, real(self.l2), real(self.error_clip))


class SentenceScores(_SentenceOp):
    """Log-probabilities of sentences' words, the document vector learning online.

    Equals `graph.predictions`. Inputs: weights, stream, offsets, sentences (int64), document
    rate. Outputs: what `Scores` has.
    """

    def __init__(
        self, classes: Classes, batch_sentences: int, error_clip: float, *, hidden_states: bool
    ) -> None:
        super().__init__(classes, batch_sentences)
        self.error_clip = error_clip or np.inf
        self.hidden_states = hidden_states

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        return Apply(self, variables, _scores(variables[0].dtype))

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute; called by PyTensor."""
        weights = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, document_rate = inputs[_WEIGHTS:]
        real = weights.recurrent.dtype.type
        starts = first_words(offsets, sentences)
        scores = empty_scores(len(sentences), int(starts[-1]), sizes_of(weights), real)
        if self.hidden_states:
            states = np.zeros((starts[-1], sizes_of(weights).hidden), real)
            scores = scores._replace(hidden_states=states)
        score_sentences(
            weights,
            self.classes,
            stream,
            offsets,
            sentences,
            self.batch_sentences,
            document_rate[()],
            real(self.error_clip),
            starts,
            self._workspace(weights, offsets),
            *scores,
        )
        for storage, array in zip(output_storage, scores, strict=True):
            storage[0] = array


class OnlineScores(_SentenceOp):
    """Log-probabilities of sentences' words while chosen weights learn.

    Equals `graph.online_updates` applied to one word, or one sentence, after the other. Inputs:
    weights, stream, offsets, sentences (int64), whether a unit of text begins with each of them.
    Outputs: what `Scores` has; then the weights as the last sentence leaves them.
    """

    def __init__(self, classes: Classes, online: OnlineSettings, error_clip: float) -> None:
        super().__init__(classes, batch_sentences=1)
        self.online = online
        self.error_clip = error_clip or np.inf

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        learnt = [variable.type() for variable in variables[:_WEIGHTS]]
        return Apply(self, variables, [*_scores(variables[0].dtype), *learnt])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute; called by PyTensor."""
        trained = Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, begins = inputs[_WEIGHTS:]
        real = trained.recurrent.dtype.type
        tokens = int((offsets[sentences + 1] - offsets[sentences]).sum())
        scores = empty_scores(len(sentences), tokens, sizes_of(trained), real)
        unit = Unit(
            learnt=Parameters(*map(np.empty_like, trained)),
            trained=trained,
            words=np.zeros(sizes_of(trained).vocabulary, np.bool_),
            classes=np.zeros(sizes_of(trained).classes, np.bool_),
        )
        score_online(
            unit,
            self.classes,
            stream,
            offsets,
            sentences,
            begins,
            self._learning(real),
            self._workspace(trained, offsets),
            scores.log_probabilities,
            scores.document_vectors,
        )
        for storage, array in zip(output_storage, [*scores, *unit.learnt], strict=True):
            storage[0] = array

    def _learning(self, real: Any) -> Learning:
        online = self.online
        return Learning(
            embeddings="embeddings" in online.learning,
            recurrent="recurrent" in online.learning,
            output="output" in online.learning,
            after_sentence=online.learn_after == "sentence",
            steps=online.steps,
            learning_rate=real(online.learning_rate),
            document_rate=real(online.document_rate),
            error_clip=real(self.error_clip),
        )


def _scores(dtype: str) -> list[Any]:
    """Symbolic outputs for `Scores`."""
    return [pt.dvector(), pt.matrix(dtype=dtype), pt.matrix(dtype=dtype)]
