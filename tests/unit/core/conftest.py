"""Fixtures for all tests of this folder: small models and corpora, and quick graphs."""

import sys
from functools import partial

import numpy as np
import pytensor
import pytest
from pytensor.tensor.subtensor import AdvancedIncSubtensor1

from online_rnnlm.core import cells
from tests.unit import small_models as small
from tests.unit.core import leaky
from tests.unit.core.numpy_cells import CLASS_SIZES, LENGTHS


@pytest.fixture
def quick_graph(monkeypatch):
    """PyTensor compiles in a second instead of most of a minute, to slower code."""
    # Compiled code lacks this check; in Python it mistakes one row for broadcasting to a table.
    monkeypatch.setattr(AdvancedIncSubtensor1, "_check_runtime_broadcasting", lambda *_: None)
    # A scan compiles its inner function for itself, to slow code unless there is a C++ compiler.
    monkeypatch.setattr(pytensor, "scan", partial(pytensor.scan, mode="FAST_COMPILE"))
    # Notes of where each node was made take time, too.
    with pytensor.config.change_flags(mode="FAST_COMPILE", traceback__limit=0):
        yield


@pytest.fixture
def leaky_in_package(monkeypatch):
    """The package has the cell `leaky`, as if a user had added its file."""
    monkeypatch.setitem(sys.modules, f"{cells.__name__}.leaky", leaky)


@pytest.fixture
def split():
    """Three sentences of random words."""
    return small.random_split(np.random.default_rng(3), sum(CLASS_SIZES), LENGTHS)


@pytest.fixture
def corpus(split):
    """A corpus with these sentences and four word classes."""
    return small.corpus_of(CLASS_SIZES, split)
