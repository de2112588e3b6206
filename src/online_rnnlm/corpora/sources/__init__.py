"""The kinds of sources by name: where a corpus's text comes from.

A kind is a module of this package, named as the kind with `_` for `-`: `wikipedia_vital`. It has a
class `Source`, made from the settings of that kind, and is imported when a corpus asks for it. The
workflow imports it, too, so it imports what is slow to load only where it reads articles.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from online_rnnlm.config.corpora import SourceSettings
from online_rnnlm.corpora.sources.base import Source
from online_rnnlm.storage.syntax import PACKAGE


def source_of(settings: SourceSettings) -> Source[Any]:
    """The source with these settings; raises ModuleNotFoundError for a kind without a module."""
    source: Source[Any] = import_module(f"{PACKAGE}.{module_of(settings)}").Source(settings)
    return source


def module_of(settings: SourceSettings) -> str:
    """The module, below the package, of a source's kind: `corpora.sources.text`."""
    return f"corpora.sources.{settings.kind.replace('-', '_')}"
