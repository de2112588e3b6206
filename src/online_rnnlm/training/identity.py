"""The digest of the code that decides the weights of a run."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.storage.code import code_digest


def code_of(settings: RunSettings) -> str:
    """Return the digest of the training loop, the model and the engine for these settings.

    The code of the records is left out, because the loop writes them and decides nothing by them.
    """
    return code_digest("training.loop", *chosen_modules(settings), without=("storage.records",))
