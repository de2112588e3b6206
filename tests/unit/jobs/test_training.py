"""Tests of whole trainings by the kernels and by JAX on a small corpus."""

import time

import pytest

from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.train import train
from online_rnnlm.process.stop_signals import END_TIME, Stopped
from online_rnnlm.storage import weight_files
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import read_epochs
from tests.unit.jobs.runs import assert_same_run, record_of, result_of, run_of, trained

pytestmark = pytest.mark.slow  # kernels are compiled, and networks trained


@pytest.mark.parametrize("document_size", [0, 4])
def test_it_learns(corpus_directory, tmp_path, document_size):
    run = run_of(document_size=document_size, max_epochs=6)
    directory = trained(run, corpus_directory, tmp_path)
    epochs = read_epochs(directory)
    result = result_of(directory)
    # 12 nouns, 9 verbs, `the`, `<unk>`, `</s>`; a bigram model would have a perplexity near 6.
    assert load_corpus(corpus_directory).vocabulary_size == 24
    assert epochs[0].valid_perplexity < 18
    assert result.valid_perplexity < 7
    weights = weight_files.read(directory.model)
    assert result.parameters == sum(array.size for array in weights)
    assert all(entry.words_per_second > 0 and entry.seconds > 0 for entry in epochs)
    assert all(entry.peak_memory_megabytes > 10 for entry in epochs)


def test_an_online_vector_learns_what_a_sentence_is_about(corpus_directory, tmp_path):
    perplexities = [
        result_of(trained(run, corpus_directory, tmp_path / f"{number}")).valid_perplexity
        for number, run in enumerate((run_of(), run_of(document_rate=0.0)))
    ]
    assert perplexities[0] < 0.9 * perplexities[1]


@pytest.mark.parametrize("engine", ["kernel", "jax"])
def test_a_run_goes_on_within_an_epoch(documents_directory, tmp_path, monkeypatch, engine):
    """The state between two calls of an engine's trainer is all in the checkpoint."""
    if engine == "jax":
        pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    changes = {"dropout": 0.3, "embedding_dropout": 0.2} if engine == "kernel" else {}
    run = run_of(engine=engine, max_epochs=2, unit_of_text="document", segment_tokens=3, **changes)
    unbroken = trained(run, documents_directory, tmp_path / "unbroken")
    stopped = RunDirectory(tmp_path / "stopped")
    with monkeypatch.context() as change, pytest.raises(Stopped):
        change.setenv(END_TIME, str(time.time()))  # it ends after a part of the epoch
        train(run, documents_directory, stopped)
    assert "% of epoch 1: stopped by" in stopped.log.read_text()
    train(run, documents_directory, stopped)
    assert_same_run(stopped, unbroken)
    if engine == "jax":
        assert "jax" in record_of(unbroken).packages
