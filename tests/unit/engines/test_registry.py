"""Tests of which engine computes what."""

import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import registry
from tests.unit.small_models import corpus_of, split_of


@pytest.mark.parametrize("others", [{"cell": "lstm"}, {"cell": "gru"}, {"context_size": 2}])
@pytest.mark.parametrize("layer", ["hidden", "both"])
def test_a_vector_that_feeds_the_hidden_layer_is_never_left_out(others, layer):
    """The kernels of these cells have no part for it."""
    own = {"document_size": 2, "document_layer": layer, **others}
    trained = RunSettings(corpus="c", hidden_size=3, engine="jax", **own)
    engines = registry.usable_anywhere(trained).engine, registry.online_engine(trained)
    assert engines == ("graph", "graph")
    corpus = corpus_of([2, 3], split_of([[3, 4, 0]]))
    with pytest.raises(ValueError, match="engine: kernel"):
        registry.scorer(trained.model_copy(update={"engine": "kernel"}), corpus)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"segment_tokens": 9, "carry": "vector", "unit_of_text": "document"}, "carry"),
        ({"segment_tokens": 9, "carry": "state", "unit_of_text": "stream"}, "carry"),
        ({"document_layer": "both", "document_gradient": "through"}, "document_gradient"),
        ({"cell": "lstm", "document_layer": "both"}, "document_layer"),
        ({"dropout": 0.2, "document_layer": "hidden"}, "document_layer"),
        ({"dropout": 1.0}, "dropout"),
        ({"cell": "gru", "context_size": 3}, "cell"),
        ({"engine": "jax", "dropout": 0.2}, "dropout"),
        ({"engine": "graph", "device": "gpu"}, "`device: gpu` needs `engine: jax`, not"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        RunSettings(corpus="c", document_size=3, **changes)
