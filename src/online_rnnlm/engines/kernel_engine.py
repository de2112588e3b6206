"""Training and scoring by the fast kernels."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines import base
from online_rnnlm.engines.kernel_scorers import KernelOnlineScorer, KernelScorer
from online_rnnlm.engines.lanes import Carried
from online_rnnlm.engines.teams import Team
from online_rnnlm.model.parameters import Parameters


def Trainer(  # an engine's module has this name; it is a class in the others
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    accumulators: Parameters,
    carried: Carried,
    *,
    threads: int = 1,
) -> base.Trainer:
    """Return a trainer; only training loads PyTensor."""
    from online_rnnlm.engines.kernel_trainer import KernelTrainer  # noqa: PLC0415

    return KernelTrainer(settings, corpus, weights, accumulators, carried, Team(threads))


Scorer, OnlineScorer = KernelScorer, KernelOnlineScorer
