"""The identity of a run, and the digest of the code that decides its weights."""

from __future__ import annotations

import hashlib

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.names import chosen_modules, other_cells
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.identity import identity

_NAMES_AND_RECORDS = ("storage.records", "config.runs", "config.evaluations")


def identity_of(run: Run, corpus_digest: str, code: str) -> str:
    """Return a run's identity, as hexadecimal digits.

    A hopeless run, which is not trained, is never taken for a training with the same settings.
    """
    trained = identity(run.settings, corpus_digest, code)
    return hashlib.sha256(f"{trained} hopeless".encode()).hexdigest() if run.hopeless else trained


def code_of(settings: RunSettings) -> str:
    """Return the digest of the training loop, the model and the engine for these settings.

    Some code is left out because it decides no weight: the records, which the loop writes, the
    names of runs, models and evaluations, and the kernels' other cells.
    """
    without = (*_NAMES_AND_RECORDS, *other_cells(settings))
    return code_digest("training.loop", *chosen_modules(settings), without=without)
