"""Tests of which engine computes what."""

import pytest

from online_rnnlm.config.training import RunSettings


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"segment_tokens": 9, "carry": "vector", "unit_of_text": "document"}, "carry"),
        ({"segment_tokens": 9, "carry": "state", "unit_of_text": "stream"}, "carry"),
        ({"dropout": 1.0}, "dropout"),
        ({"engine": "jax", "dropout": 0.2}, "dropout"),
        ({"engine": "jax", "rare_class_words": 8}, "rare_class_words: 8"),
        ({"engine": "theano", "rare_class_words": 8}, "rare_class_words: 8"),
        ({"engine": "graph", "device": "gpu"}, "`device: gpu` needs `engine: jax`, not"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        RunSettings(corpus="c", document_size=3, **changes)
