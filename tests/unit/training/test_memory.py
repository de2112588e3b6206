"""Tests that a network too large for the machine is refused before its training begins."""

from contextlib import nullcontext

import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import read_statistics
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import count
from online_rnnlm.model.sizes import sizes_of_run
from online_rnnlm.process import hardware
from online_rnnlm.training.memory import require_memory


@pytest.fixture
def weights(corpus_directory):
    """A function that returns the number of a network's weights on the small corpus."""
    corpus = read_statistics(corpus_directory)

    def weights(settings):
        return count(sizes_of_run(settings, corpus.vocabulary_size, corpus.classes))

    return weights


@pytest.mark.parametrize(("precision", "fits"), [("float32", True), ("float64", False)])
def test_three_copies_must_fit(corpus_directory, weights, monkeypatch, precision, fits):
    settings = RunSettings(corpus="topics", hidden_size=1000, precision=precision)
    monkeypatch.setattr(hardware, "memory", lambda: 4 * weights(settings) * 4)
    refused = pytest.raises(UserError, match=r"`hidden_size`: 1000: .* GB.*$")
    with nullcontext() if fits else refused:
        require_memory(settings, corpus_directory)


def test_this_machine_has_memory():
    assert hardware.memory() > 2**28
