"""The kernels as PyTensor operations, each of which replaces a part of the plain graph.

The model is a PyTensor graph (`model.graph`). An operation takes and returns the same symbolic
variables as the part of the graph that it replaces, so engines make functions of both in the same
way. PyTensor keeps the weights as shared variables that a function updates, in place if the
operation declares it (`destroy_map`), and checks dtypes and dimensions once, when it makes the
function. The speed comes from the kernels, which also compute the gradients themselves.

The inputs of all operations begin with weights, or weights and accumulators. Then come a split's
`stream` and `offsets` (`kernels.data.Text`) and the numbers, int64, of what to read of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.engines.base import (
    SCORING_SENTENCES,
    OnlineSettings,
    Sentences,
    empty_scores,
    first_words,
)
from online_rnnlm.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.engines.kernels.cells import KERNEL_CELLS
from online_rnnlm.engines.kernels.copy_on_write import CopyOnWriteWeights
from online_rnnlm.engines.kernels.data import Classes, Dropout, Lanes, Model, Optimizer, Text
from online_rnnlm.engines.kernels.learning import Learning, LearningModel
from online_rnnlm.engines.kernels.online import score_online
from online_rnnlm.engines.kernels.workspace import (
    Capacity,
    Workspace,
    allocate,
    allocate_online,
)
from online_rnnlm.engines.lanes import Batches, Carried, ScoringOrder
from online_rnnlm.model.parameters import Parameters, sizes_of

_WEIGHTS = len(Parameters._fields)
_STATE = 2 * _WEIGHTS + 3
"""Number of the arrays that training changes: weights, accumulators, and the carried h, c, d."""
_Memory = TypeVar("_Memory")


class TrainingSteps(Op):
    """Updates of weights and accumulators, in place, from consecutive batches of segments.

    Equals `updates.training_updates` applied to one batch after the other.
    Inputs: weights, accumulators, the carried states h and c and vectors d, stream, offsets, the
    batches (`lanes.Batches`: segments, begins), learning rate, document rate, key of dropout.
    Outputs: weights, accumulators, h, c and d, and the words' log-probability (float64).
    """

    destroy_map = {i: [i] for i in range(_STATE)}  # read by PyTensor  # noqa: RUF012

    def __init__(self, settings: RunSettings, classes: Classes, workspace: Workspace) -> None:
        """Keep the workspace, which must suffice for all batches."""
        self._settings = settings
        self._classes = classes
        self._workspace = workspace

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the operation to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        outputs = [variable.type() for variable in variables[:_STATE]]
        return Apply(self, variables, [*outputs, pt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute the outputs; PyTensor calls this."""
        settings, state = self._settings, inputs[:_STATE]
        weights, accumulators = Parameters(*state[:_WEIGHTS]), state[_WEIGHTS : 2 * _WEIGHTS]
        stream, offsets, segments, begins, learning_rate, document_rate, key = inputs[_STATE:]
        real = weights.recurrent.dtype.type
        total = train_batches(
            _model(settings, weights, self._classes, document_rate, key),
            Parameters(*accumulators),
            Optimizer(settings.optimizer == "adagrad", learning_rate[()], real(settings.l2)),
            Text(stream, offsets),
            Batches(segments, begins),
            _lanes(settings.reading, *state[2 * _WEIGHTS :]),
            self._workspace,
        )
        _hand_back([*state, np.asarray(total)], output_storage)


class SentenceScores(Op):
    """Log-probabilities of sentences' words, the document vector learning online.

    Equals `graph.predictions`. Inputs: weights, stream, offsets, the numbers of the sentences,
    their order (the fields of `lanes.ScoringOrder`), document rate. Outputs: those of `Scores`.
    """

    def __init__(
        self, settings: RunSettings, classes: Classes, reading: Reading, *, hidden_states: bool
    ) -> None:
        self._settings = settings
        self._classes = classes
        self._reading = reading
        self._hidden_states = hidden_states
        self._memory = _GrowingMemory(allocate, settings, classes, SCORING_SENTENCES)

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the operation to symbolic inputs."""
        variables = [pt.as_tensor_variable(value) for value in inputs]
        return Apply(self, variables, _symbolic_scores(variables[0].dtype))

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute the outputs; PyTensor calls this."""
        settings, weights = self._settings, Parameters(*inputs[:_WEIGHTS])
        stream, offsets, sentences, *order, document_rate = inputs[_WEIGHTS:]
        text, real = Text(stream, offsets), weights.recurrent.dtype.type
        starts, sizes = first_words(offsets, sentences), sizes_of(weights, settings.cell_name)
        tokens = int(starts[-1])
        states = tokens if self._hidden_states else 0
        scores = empty_scores(len(sentences), tokens, sizes, real, states=states)
        lanes = order[0].shape[1]
        carried = Carried.nothing(weights, settings.cell_name, sizes.document, lanes)
        score_sentences(
            _model(settings, weights, self._classes, document_rate),
            text,
            ScoringOrder(*order),
            _lanes(self._reading, *states_of(carried), carried.documents),
            starts,
            scores,
            self._memory.for_call(weights, text, sentences),
        )
        _hand_back(scores, output_storage)


class OnlineScores(Op):
    """Log-probabilities of sentences' words while chosen weights learn.

    Equals `updates.online_updates` applied to one word, or one sentence, after the other.
    Inputs: weights, stream, offsets, sentences, and a bool for each sentence, True if a unit of
    text begins with it.
    Outputs: the fields of `Scores`, then the weights after the last sentence.
    """

    def __init__(self, settings: RunSettings, classes: Classes, online: OnlineSettings) -> None:
        self._classes = classes
        self._online = online
        self._error_clip = settings.error_clip or np.inf
        self._memory = _GrowingMemory(allocate_online, settings, classes, 1)

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
            carries_state=online.carries_state,
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
        settings: RunSettings,
        classes: Classes,
        batch_sentences: int,
    ) -> None:
        self._allocate = allocate
        self._cell = settings.cell_name
        self._classes = classes
        self._batch_sentences = batch_sentences
        self._held: tuple[Capacity, _Memory] | None = None

    def for_call(self, weights: Parameters, text: Text, sentences: Sentences) -> _Memory:
        """Return a workspace for batches of these sentences."""
        needed = Capacity.for_sentences(
            sizes_of(weights, self._cell),
            text,
            self._classes,
            sentences,
            self._batch_sentences,
        )
        if self._held is None or not self._held[0].covers(needed):
            self._held = needed, self._allocate(needed, self._classes, weights.recurrent.dtype)
        return self._held[1]


def _model(
    settings: RunSettings, weights: Parameters, classes: Classes, rate: Any, key: Any = None
) -> Model:
    """Put together a model for the kernels; `rate` is that of the document vector.

    Units are left out in training only, which gives the key of the random numbers.
    """
    real = weights.recurrent.dtype.type
    clip = real(settings.error_clip or np.inf)
    constants = KERNEL_CELLS[settings.cell_name].constants_of(settings)
    dropout = Dropout(np.uint32(0), 0.0, 0.0)
    if key is not None:
        dropout = Dropout(np.uint32(key), settings.embedding_dropout, settings.dropout)
    return Model(weights, constants, classes, rate[()], clip, dropout)


def _lanes(reading: Reading, hidden: Any, memory: Any, documents: Any) -> Lanes:
    """Put together the carried states and vectors, which the kernels change in place."""
    return Lanes(hidden, memory, documents, reading.state, reading.vector)


def states_of(carried: Carried) -> tuple[Any, Any]:
    """The carried states, h and c, as the kernels take them: (B, H), and (B, M) or (B, 0)."""
    hidden, *memory = carried.states
    return hidden, memory[0] if memory else hidden[:, :0].copy()


def _symbolic_scores(dtype: str) -> list[Any]:
    """Make symbolic outputs for the fields of `Scores`."""
    return [pt.dvector(), pt.matrix(dtype=dtype), pt.matrix(dtype=dtype)]


def _hand_back(results: Any, output_storage: Any) -> None:
    """Put the results where PyTensor looks for them."""
    for storage, array in zip(output_storage, results, strict=True):
        storage[0] = array
