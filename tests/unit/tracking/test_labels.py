"""Tests of the names that MLflow's interface shows for runs."""

import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.tracking.entries import label
from tests.unit.small_records import run_record


def test_a_run_of_a_search_has_its_values_in_its_label():
    searched = {"rate_rule": "toolkit", "learning_rate": 0.1, "batch_sentences": 16}
    found = label(run_record(searched=searched))
    assert "· rate rule toolkit · learning rate 0.1 · batch sentences 16 ·" in found


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ({}, "M100 D20 · seed 1"),
        ({"cell": "gru"}, "M100 D20 GRU · seed 1"),
        ({"context_size": 40}, "M100 C40 D20 · seed 1"),
    ],
)
def test_a_label_has_the_sizes_and_the_hidden_layer(layer, expected):
    values = {"corpus": "some", "document_size": 20, "engine": "graph", **layer}
    assert label(run_record(settings=RunSettings.model_validate(values))) == expected
