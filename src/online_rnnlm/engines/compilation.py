"""Compilation of the kernels in advance: once, instead of in every job that starts in parallel."""

from __future__ import annotations

import numpy as np

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.training import SENTENCES, RunSettings
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN, Corpus, Split
from online_rnnlm.engines.base import NO_SENTENCES, OnlineSettings
from online_rnnlm.engines.kernel_scorers import KernelOnlineScorer, KernelScorer
from online_rnnlm.engines.kernel_trainer import KernelTrainer
from online_rnnlm.engines.lanes import Carried
from online_rnnlm.engines.names import kernel_networks, names_of
from online_rnnlm.engines.teams import Team
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import CompiledKernels


def write_kernels(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Compile the kernels that an experiment's runs need; record for which networks."""
    networks = kernel_networks(experiment)
    for network in networks:
        compile_kernels(network)
    records.write(directory.kernels, CompiledKernels(networks=names_of(networks)))


def write_online_kernels(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Compile the kernels that test while weights learn; record for which networks.

    They are compiled apart from the others, so that training neither waits for them nor is repeated
    when they change.
    """
    networks = kernel_networks(experiment, online=True)
    for network in networks:
        compile_online_kernel(network)
    records.write(directory.online_kernels, CompiledKernels(networks=names_of(networks)))


def compile_kernels(settings: RunSettings) -> None:
    """Compile training and scoring for a cell and a precision into numba's cache."""
    corpus = _smallest_corpus()
    weights = _weights(settings, corpus)
    nothing = Carried.nothing(weights, settings.cell_name, 0, 1)
    KernelTrainer(settings, corpus, weights, weights, nothing, Team())
    score = KernelScorer(settings, corpus, SENTENCES)
    score(weights, corpus.splits["train"], NO_SENTENCES, 0.0)


def compile_online_kernel(settings: RunSettings) -> None:
    """Compile testing while weights learn: one compilation serves all choices of what learns."""
    corpus = _smallest_corpus()
    online = OnlineSettings(frozenset(), learning_rate=0.0, document_rate=0.0, bptt_steps=1)
    KernelOnlineScorer(settings, corpus, _weights(settings, corpus), online)


def _weights(settings: RunSettings, corpus: Corpus) -> Parameters:
    return parameters.initialise(sizes_for(settings, corpus), 0.1, 1, settings.precision)


def _smallest_corpus() -> Corpus:
    """A corpus of one sentence without words: enough to determine the kernels' types."""
    split = Split(np.zeros(2, np.int32), np.array([0, 1], np.int64))
    return Corpus(
        words=[SENTENCE_END, UNKNOWN],
        counts=np.ones(2, np.int64),
        class_offsets=np.array([0, 2], np.int64),
        unk_id=1,
        splits={"train": split},
        digest="",
    )
