"""Training by the fast kernels, as one operation of PyTensor's."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.kernel_arguments import read_only, states_of
from online_rnnlm.engines.kernel_cache import compiled_once
from online_rnnlm.engines.kernels.data import Text, classes_from_offsets
from online_rnnlm.engines.kernels.workspace import Capacity, allocate
from online_rnnlm.engines.lanes import NO_BATCHES, Batches, Carried, segments_of
from online_rnnlm.engines.operations import TrainingSteps
from online_rnnlm.engines.shared import SharedState, StateTrainer
from online_rnnlm.engines.teams import Team
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

# The function is a single operation, so there is nothing to optimise, and PyTensor's virtual
# machine in Python runs it without a compiler.
_MODE = Mode(linker="vm", optimizer=None)


class KernelTrainer(StateTrainer[SharedState]):
    """Training by `TrainingSteps`."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried,
        team: Team,
    ) -> None:
        super().__init__(settings, SharedState(weights, accumulators))
        split, dtype = corpus.splits["train"], settings.precision
        self._text = Text(read_only(split.stream), read_only(segments_of(split, settings).offsets))
        classes = classes_from_offsets(corpus.class_offsets)
        self._states = len(carried.states)
        kept = (*states_of(carried), carried.documents)
        self._kept = [pytensor.shared(array) for array in kept]
        inputs = [pt.ivector(), pt.lvector(), pt.lmatrix(), pt.matrix(dtype="bool")]
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype), pt.lscalar()]
        sizes, segments = sizes_for(settings, corpus), np.arange(len(self._text.offsets) - 1)
        capacity = Capacity.for_sentences(
            sizes, self._text, classes, segments, len(carried.documents)
        )
        workspace = allocate(
            capacity,
            classes,
            dtype,
            dropout=settings.dropout > 0,
            goes_through=settings.goes_through_updates,
        )
        state = [*self._state.weights, *self._state.accumulators, *self._kept]
        *updated, total = TrainingSteps(settings, classes, workspace, team)(*state, *inputs, *rates)
        self._update = pytensor.function(
            [*inputs, *rates],
            total,
            updates=list(zip(state, updated, strict=True)),
            mode=_MODE,
            accept_inplace=True,
            trust_input=True,
        )
        with compiled_once(settings.precision, settings.cell_name):
            self.update(NO_BATCHES, settings.learning_rate)

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        rates = self._real(learning_rate), self._real(self._settings.document_rate)
        arrays = [np.asarray(value) for value in (*rates, key)]
        return float(self._update(*self._text, *batches, *arrays))

    @property
    def carried(self) -> Carried:
        """The states and vectors after the segments read last, by lane; not copies."""
        hidden, memory, documents = (v.get_value(borrow=True) for v in self._kept)
        return Carried((hidden, memory)[: self._states], documents)
