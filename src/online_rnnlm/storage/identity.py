"""The identity of a run: a digest of everything that decides its weights, and of nothing else."""

from __future__ import annotations

import hashlib
import json

from online_rnnlm.config.training import RunSettings


def identity(settings: RunSettings, corpus_digest: str, code: str) -> str:
    """Return the sha256, as hexadecimal digits, of a run's final settings, corpus and code."""
    parts = [settings.model_dump(mode="json"), corpus_digest, code]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
