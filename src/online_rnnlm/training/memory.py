"""The memory that a run's training needs at least, compared with that of the machine."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import read_statistics
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_of_run
from online_rnnlm.process import hardware
from online_rnnlm.storage.paths import CorpusDirectory

_COPIES = 3
"""The weights, the accumulators of their gradients, and the best weights so far."""


def require_memory(settings: RunSettings, corpus: CorpusDirectory) -> None:
    """Raise UserError if training cannot fit into this machine's memory.

    Training needs more than what is counted here: three copies of the weights. Without this check,
    the system would end the process without a word.
    """
    statistics = read_statistics(corpus)
    sizes = sizes_of_run(settings, statistics.vocabulary_size, statistics.classes)
    weights = parameters.count(sizes)
    real = 8 if settings.precision == "float64" else 4
    needed, there = _COPIES * weights * real, hardware.memory()
    if needed > there:
        raise UserError(
            f"`hidden_size`: {settings.hidden_size}: a network with {weights:,} weights needs more "
            f"than {needed / 1e9:,.1f} GB to train, and this machine has {there / 1e9:,.1f} GB: "
            "lower `hidden_size`, or the vocabulary's `max_size`"
        )
