"""Tests that compiling ahead covers everything that jobs need later."""

import numpy as np
import pytest

from online_rnnlm.config import loading
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.engines import compilation, registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.engines.kernels.layout import measure
from online_rnnlm.engines.kernels.online import score_online
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import CompiledKernels

pytestmark = pytest.mark.slow  # processes of their own compile kernels

PAPERS = ["float32 sigmoid"]
KERNELS = (measure, train_batches, score_sentences, score_online)


@pytest.mark.parametrize(
    ("kind", "ahead", "online"),
    [("kernel", PAPERS, PAPERS), ("jax", [], PAPERS), ("graph", [], [])],
)
def test_what_an_engine_needs_is_compiled(tmp_path, monkeypatch, kind, ahead, online):
    """With JAX as engine, the kernel is used for tests in which weights learn."""
    compiled = []
    for function in ("compile_kernels", "compile_online_kernel"):
        monkeypatch.setattr(
            compilation, function, lambda run: compiled.append(f"{run.precision} {run.cell}")
        )
    values = {
        "experiment": "test",
        "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
        "training": {"engine": kind},
        "rows": [{"hidden_size": 4}],
    }
    experiment, directory = loading.parse(values, "test"), ExperimentDirectory(tmp_path)
    compilation.write_kernels(experiment, directory)
    compilation.write_online_kernels(experiment, directory)
    assert compiled == [*ahead, *online]
    assert records.read(CompiledKernels, directory.kernels).networks == tuple(ahead)
    assert records.read(CompiledKernels, directory.online_kernels).networks == tuple(online)


@pytest.mark.parametrize("layer", ["output", "both"])
def test_no_job_compiles_what_was_compiled_ahead(corpus_directory, layer, small):
    small_network = RunSettings(corpus="none", hidden_size=2)
    compilation.compile_kernels(small_network)
    compilation.compile_online_kernel(small_network)
    compiled = [list(kernel.signatures) for kernel in KERNELS]
    corpus = load_corpus(corpus_directory)
    settings = RunSettings(corpus="topics", hidden_size=4, document_size=3, document_layer=layer)
    sizes = sizes_for(settings, corpus)
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    test, numbers = corpus.splits["test"], np.arange(5)
    small.learn(registry.trainer(settings, corpus, weights, weights), numbers, 0.1)
    for hidden_states in (False, True):
        registry.scorer(settings, corpus, hidden_states=hidden_states)(weights, test, numbers, 0.1)
    for learn_after in ("word", "sentence"):
        groups = frozenset(parameters.GROUPS)
        online = OnlineSettings(groups, 0.1, 0.1, 2, learn_after, "document")
        registry.online_scorer(settings, corpus, weights, online).score(test, numbers)
    assert [list(kernel.signatures) for kernel in KERNELS] == compiled
