"""Fixtures for all tests of this folder: small models and corpora."""

import sys

import numpy as np
import pytest

from online_rnnlm.core import cells
from tests.unit import small_models as small
from tests.unit.core import leaky
from tests.unit.core.numpy_cells import CLASS_SIZES, LENGTHS


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
