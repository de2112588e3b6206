"""The digest of the code that decides the weights of a run."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.storage.code import code_digest

_NAMES_AND_RECORDS = ("storage.records", "config.runs", "config.evaluations")


def code_of(settings: RunSettings) -> str:
    """Return the digest of the training loop, the model and the engine for these settings.

    Some code is left out because it decides no weight: the records, which the loop writes, and the
    names of runs, models and evaluations.
    """
    return code_digest("training.loop", *chosen_modules(settings), without=_NAMES_AND_RECORDS)
