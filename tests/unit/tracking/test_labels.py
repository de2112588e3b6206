"""Tests of the names that MLflow's interface shows for runs."""

from online_rnnlm.tracking.entries import label
from tests.unit.small_records import run_record


def test_a_run_of_a_search_has_its_values_in_its_label():
    searched = {"rate_rule": "toolkit", "learning_rate": 0.1, "batch_sentences": 16}
    found = label(run_record(searched=searched))
    assert "· rate rule toolkit · learning rate 0.1 · batch sentences 16 ·" in found
