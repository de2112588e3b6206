"""Tests of the package's cells and of an added one with two states and other shapes."""

from typing import get_args

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from online_rnnlm.config.evaluations import PARTS
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.names import online_engine, usable_anywhere
from online_rnnlm.errors import UserError
from online_rnnlm.model import cells, cost, graph, parameters, updates, weight_files
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.training import checkpoint
from online_rnnlm.training.checkpoint import Progress
from online_rnnlm.training.schedule import Schedule
from tests.unit.model import leaky
from tests.unit.model.numpy_cells import settings

pytestmark = [
    pytest.mark.slow,  # PyTensor and JAX compile the plain graph for each case
    pytest.mark.usefixtures("quick_graph", "leaky_in_package"),
]

SHIPPED = get_args(RunSettings.model_fields["cell"].annotation)


@pytest.mark.parametrize("name", [*SHIPPED, "slow_context", "leaky"])
@pytest.mark.parametrize("layer", ["output", "both"])
def test_a_cell_is_consistent(name, layer):
    context = 2 if name == "slow_context" else 0
    cell, sizes = cells.load_cell(name), Sizes(11, 3, 4, 5, layer, name, context)
    found = cell.shapes(sizes)
    grouped = [parameter for names in cell.GROUPS.values() for parameter in names]
    assert sorted(grouped) == sorted(found)
    assert all(found[parameter][0] == 11 for parameter in cell.GROUPS["embeddings"])
    fed = found["embeddings"][1] - context  # a context unit reads words alone
    assert found["hidden_document"] == (sizes.hidden_document, fed)
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    assert cell.states(weights)[0] == sizes.output == weights.word_output.shape[1]
    assert parameters.sizes_of(weights, name) == sizes
    assert parameters.count(sizes) == sum(array.size for array in weights)
    assert (*parameters.groups_of(cell),) == GROUPS == PARTS[1:]


def test_a_cell_that_is_not_there_is_one_line():
    with pytest.raises(UserError, match=r"`cell: gro`: no such cell; allowed: .*sigmoid"):
        cells.load_cell("gro")


def test_l2_shrinks_only_what_a_batch_reaches(small):
    # Words read: 0, 1, 4. Words predicted: 1, 4, 0.
    split = small.split_of([[1, 4, 0]])
    classes = graph.WordClasses.from_offsets(np.array([0, 2, 4, 5, 7]))
    model, batch = graph.Model(leaky, classes, 0.0), graph.padded_symbols("float64")
    symbols = parameters.shapes(Sizes(7, 3, 4, 2, "both", "leaky"))
    symbols = parameters.like(symbols, (pt.matrix(dtype="float64") for _ in symbols))
    weights = parameters.initialise(Sizes(7, 3, 4, 2, "both", "leaky"), 0.1, 1, "float64")
    reached = pytensor.function(
        [*symbols, *batch], list(updates.touched(model, symbols, batch)), on_unused_input="ignore"
    )(*weights, *graph.pad(split.stream, split.offsets, np.arange(1), "float64"))
    found = parameters.like(weights, reached)
    for name in leaky.GROUPS["embeddings"]:
        np.testing.assert_array_equal(getattr(found, name)[:, 0], [1, 1, 0, 0, 1, 0, 0])
    for name in leaky.GROUPS["recurrent"]:
        np.testing.assert_array_equal(getattr(found, name), [[1]])


def test_where_the_kernels_lack_the_cell_the_graph_scores_online_and_serves():
    on_gpu = settings("leaky", engine="jax", device="gpu")
    assert online_engine(on_gpu) == "graph"
    assert online_engine(on_gpu.model_copy(update={"cell": "sigmoid"})) == "kernel"
    served = usable_anywhere(on_gpu)
    assert (served.engine, served.device, served.cell) == ("graph", "cpu", "leaky")


def test_its_cost_by_hand():
    # M = 10, D = 4, V = 50, 6 classes, 5 words in the target's class.
    sizes = Sizes(50, 10, 6, 4, "both", "leaky")
    products = 2 * 10 * (10 + 4) + 2 * 10
    scores = (6 + 5) * (10 + 4)
    assert cost.training_multiply_adds_per_word(sizes, 5.0) == 3 * (products + scores) + 4
    # The gradient of d: through W_c and W_o to h, through V_h to d, and through V_c and V_o.
    back = (6 + 5) * 10 + 2 * 10 * 4 + (6 + 5) * 4
    assert cost.multiply_adds_per_word(sizes, 5.0) == products + scores + back + 4
    # Two steps: back through one state, which is computed again, and the gradients of both steps.
    learning = (products - 2 * 10 * 4) + products + 2 * products
    assert cost.update_multiply_adds_per_word(sizes, 5.0, {"recurrent"}, 2) == learning
    own = 2 * 10 * 10 + 4 * 2 * 10 + 2 * 10 + 10
    assert parameters.count(sizes) == own + 50 * (20 + 2) + (6 + 50) * (10 + 4)


def test_weights_and_checkpoints_are_read_back(small, corpus, tmp_path):
    weights = small.weights_for(settings("leaky"), corpus)
    sums = parameters.like(weights, (array + 1 for array in weights))
    weight_files.save(weights, tmp_path / "model.npz")
    run = RunDirectory(tmp_path)
    checkpoint.save(Progress(Schedule(0.1, 2.0, 1.003), weights, sums), run, "identity")
    progress = checkpoint.load(run, "identity")
    assert progress is not None
    read = weight_files.read(tmp_path / "model.npz")
    for found, expected in (
        (read, weights), (progress.weights, weights), (progress.accumulators, sums)
    ):  # fmt: skip
        assert found._fields == expected._fields
        for array, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(array, other)
