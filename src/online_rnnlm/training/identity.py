"""The code that decides the bits of a run."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.storage.code import code_digest


def code_of(settings: RunSettings) -> str:
    """Digest of the training loop, the model and the engine of a run with these settings.

    Without the records: they say what the loop has reached, and it decides by none of them.
    """
    return code_digest("training.loop", *chosen_modules(settings), without=("storage.records",))
