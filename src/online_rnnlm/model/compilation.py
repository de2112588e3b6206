"""Compile the kernels ahead: once, instead of in each of the jobs that start side by side."""

from __future__ import annotations

import numpy as np

from online_rnnlm.configuration import Experiment, RunSettings
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN, Corpus, Split
from online_rnnlm.model import parameters
from online_rnnlm.model.engine import sizes_for
from online_rnnlm.model.kernel_engine import KernelScorer, KernelTrainer
from online_rnnlm.runs import ExperimentDirectory, write_json

_NONE = np.empty(0, np.int64)


def write_kernels(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Compile the kernels that an experiment's runs need; write down for which types."""
    runs = [run.settings for run in experiment.runs()]
    precisions = sorted({run.precision for run in runs if run.engine == "kernel"})
    for precision in precisions:
        compile_kernels(precision)
    write_json(directory.kernels, {"precisions": precisions})


def compile_kernels(precision: str) -> None:
    """Compile training and scoring in `float32` or `float64`, and keep them in numba's cache."""
    corpus = _smallest_corpus()
    settings = RunSettings.model_validate({"corpus": "none", "precision": precision})
    weights = parameters.initialise(sizes_for(settings, corpus), 0.1, 1, precision)
    KernelTrainer(settings, corpus, weights, weights)
    KernelScorer(settings, corpus)(weights, corpus.splits["train"], _NONE, 0.0)


def _smallest_corpus() -> Corpus:
    """One sentence without words: all that the kernels' types depend on."""
    split = Split(np.zeros(2, np.int32), np.array([0, 1], np.int64))
    return Corpus(
        words=[SENTENCE_END, UNKNOWN],
        counts=np.ones(2, np.int64),
        class_offsets=np.array([0, 2], np.int64),
        unk_id=1,
        splits={"train": split},
        digest="",
    )
