"""The kinds of sources of a corpus's text, by name.

A kind is a module of this package, named as the kind with `_` for `-`, such as `wikipedia_vital`.
It has a class `Source`, made from the settings of that kind, and is imported when a corpus asks for
it. The workflow imports it, too, so slow imports belong into the functions that read articles.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from online_rnnlm.config.sources import SourceSettings
from online_rnnlm.corpora.sources.base import Source


def source_of(settings: SourceSettings) -> Source[Any]:
    """Make the source with these settings; raises ModuleNotFoundError if its kind has no module."""
    module = import_module(f"{__name__}.{settings.kind.replace('-', '_')}")
    source: Source[Any] = module.Source(settings)
    return source
