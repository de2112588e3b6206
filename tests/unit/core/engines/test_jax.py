"""Tests of JAX beside those in `test_engines`: texts that no training reads."""

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import registry
from tests.unit import small_models as small

RATE = 0.3


@pytest.mark.slow  # JAX compiles
def test_no_text_a_longer_one_and_a_frozen_vector_are_scored():
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    class_sizes = (1, 40, 2, 90)
    split = small.random_split(np.random.default_rng(7), sum(class_sizes), (11, 1, 12, 3))
    corpus = small.corpus_of(class_sizes, split)
    own = {"hidden_size": 6, "document_size": 3, "precision": "float64", "batch_sentences": 4}
    every = [RunSettings(corpus="small", engine=engine, **own) for engine in ("jax", "kernel")]
    scorers = [registry.scorer(settings, corpus) for settings in every]
    weights = small.weights_for(every[0], corpus)
    longer = small.split_of([[3, 14, 3, 23, 7] * 5 + [0]])
    for sentences, rate in ((np.arange(1), RATE), (np.arange(0), RATE), (np.arange(1), 0.0)):
        found = [score(weights, longer, sentences, rate) for score in scorers]
        for array, expected in zip(*found, strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-10)
