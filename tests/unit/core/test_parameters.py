"""Tests of the parameters' shapes, numbers and files, for every cell and an added one."""

from typing import get_args

import numpy as np
import pytest

from online_rnnlm.config.evaluations import engine_for, usable_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import cells, parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, WEIGHTS, Adaptation
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.sizes import Sizes, count
from tests.unit.core import leaky
from tests.unit.core.numpy_cells import settings

pytestmark = pytest.mark.usefixtures("quick_graph", "leaky_in_package")

SHIPPED = get_args(RunSettings.model_fields["cell"].annotation)


@pytest.mark.parametrize("name", [*SHIPPED, "leaky"])
@pytest.mark.parametrize("document", [0, 5])
def test_a_cell_is_consistent(name, document):
    cell = cells.load_cell(name)
    sizes = Sizes(11, 3, 4, document, name, context=2 if name == "slow_context" else 0)
    assert {*cell.shapes(sizes)} == {"embeddings", "recurrent"}
    assert cell.shapes(sizes)["embeddings"][0] == 11
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    assert cell.memory_size(weights) == {"lstm": 3, "leaky": leaky.SLOW}.get(name, 0)
    assert sizes.output == weights.word_output.shape[1]
    assert count(sizes) == sum(array.size for array in weights)
    assert (*parameters.BY_PART,) == WEIGHTS == PARTS[1:]
    assert sorted(name for names in parameters.BY_PART.values() for name in names) == sorted(
        Parameters._fields
    )


def test_the_graph_scores_what_the_kernels_cannot():
    on_gpu = settings("leaky", engine="jax", device="gpu")
    everything = Adaptation(PARTS, weight_rate=0.1, unit_of_text="stream")
    assert engine_for(on_gpu, everything).engine == "graph"
    assert engine_for(on_gpu.model_copy(update={"cell": "sigmoid"}), everything).engine == "kernel"
    assert engine_for(on_gpu, Adaptation()) == on_gpu
    vector = Adaptation((DOCUMENT_VECTOR,), after=5, unit_of_text="stream")
    with_kernels = [settings("lstm", engine=engine) for engine in ("kernel", "jax")]
    assert {engine_for(one, vector).engine for one in with_kernels} == {"kernel"}
    served = usable_anywhere(on_gpu)
    assert (served.engine, served.device, served.cell) == ("graph", "cpu", "leaky")


def test_weights_are_drawn_from_a_normal_distribution_by_the_seed():
    sizes = Sizes(300, 40, 10, 5)
    first, again, other = (parameters.initialise(sizes, 0.2, s, "float32") for s in (1, 1, 2))
    for array, same, different in zip(first, again, other, strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, same)
        assert not np.array_equal(array, different)
    assert first.embeddings.std() == pytest.approx(0.2, rel=0.03)
    assert abs(first.embeddings.mean()) < 0.01
    assert not np.array_equal(first.embeddings, first.word_output)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_found_in_every_array(bad):
    sizes = Sizes(7, 3, 2, 1)
    for name in Parameters._fields:
        weights = parameters.filled(sizes, 1.0, "float32")
        assert parameters.all_finite(weights)
        getattr(weights, name)[-1, -1] = bad
        assert not parameters.all_finite(weights)
