"""The training kernel as a PyTensor operation, which replaces a part of the plain graph.

The model is a PyTensor graph (`model.graph`). The operation takes and returns the same symbolic
variables as the part of the graph that it replaces, so engines make functions of both in the same
way. PyTensor keeps the weights as shared variables that a function updates, in place if the
operation declares it (`destroy_map`), and checks dtypes and dimensions once, when it makes the
function. The speed comes from the kernel, which also computes the gradients itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.kernel_arguments import kernel_lanes, kernel_model
from online_rnnlm.engines.kernels.batches import train_batches
from online_rnnlm.engines.kernels.data import Classes, Text
from online_rnnlm.engines.kernels.rules import Optimizer
from online_rnnlm.engines.kernels.workspace import Workspace, for_members
from online_rnnlm.engines.lanes import Batches
from online_rnnlm.engines.teams import Team
from online_rnnlm.model.parameters import Parameters

_WEIGHTS = len(Parameters._fields)
_STATE = 2 * _WEIGHTS + 3
"""Number of the arrays that training changes: weights, accumulators, and the carried h, c, d."""


class TrainingSteps(Op):
    """Updates of weights and accumulators, in place, from consecutive batches of segments.

    Equals `updates.training_updates` applied to one batch after the other.
    Inputs: weights, accumulators, the carried states h and c and vectors d, stream, offsets, the
    batches (`lanes.Batches`: segments, begins), learning rate, document rate, key of dropout.
    Outputs: weights, accumulators, h, c and d, and the words' log-probability (float64).
    """

    destroy_map = {i: [i] for i in range(_STATE)}  # read by PyTensor  # noqa: RUF012

    def __init__(
        self, settings: RunSettings, classes: Classes, workspace: Workspace, team: Team
    ) -> None:
        """Keep the workspace, which must suffice for all batches, and the threads."""
        self._settings = settings
        self._classes = classes
        self._workspaces = for_members(workspace, team.size)
        self._team = team

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
        arguments = (
            kernel_model(settings, weights, self._classes, document_rate, key),
            Parameters(*accumulators),
            Optimizer(settings.optimizer == "adagrad", learning_rate[()], real(settings.l2)),
            Text(stream, offsets),
            Batches(segments, begins),
            kernel_lanes(settings.reading, *state[2 * _WEIGHTS :]),
        )
        spaces = self._workspaces
        total = self._team.run(lambda one: train_batches(*arguments, one, spaces[one.number]))
        _hand_back([*state, np.asarray(total)], output_storage)


def _hand_back(results: Any, output_storage: Any) -> None:
    """Put the results where PyTensor looks for them."""
    for storage, array in zip(output_storage, results, strict=True):
        storage[0] = array
