"""Tests of the clock that networks are timed by."""

import time

import pytest

from online_rnnlm.config.evaluations import engine_for
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.jobs.timing import clock_for

AFTER_TEN_WORDS = Adaptation((DOCUMENT_VECTOR,), after=10, unit_of_text="document")


@pytest.mark.parametrize("engine", [{"engine": "theano"}, {"engine": "jax", "device": "gpu"}])
def test_the_clock_is_that_of_the_engine_that_scores(engine):
    """Kernels, in this process, score what an engine in another one or on a GPU cannot."""
    trained = RunSettings.model_validate({"corpus": "topics", "document_size": 3, **engine})
    assert clock_for(engine_for(trained, Adaptation((DOCUMENT_VECTOR,)))) is time.perf_counter
    assert clock_for(engine_for(trained, AFTER_TEN_WORDS)) is time.process_time
