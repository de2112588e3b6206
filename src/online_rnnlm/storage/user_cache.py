"""The folder for what is made once for all experiments of a user and can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """The folder `online-rnnlm` in the user's cache: `~/.cache`, or what XDG_CACHE_HOME names."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
