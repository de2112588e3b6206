"""Imports of a library without what it loads for parts of it that are not used here.

NLTK loads scikit-learn and SciPy, if they are installed, for its classifiers and statistics. They
take most of two seconds, in each of the processes that tokenise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hiding(*packages: str) -> Iterator[None]:
    """Make imports of these packages fail in the block, unless they have been loaded before."""
    hidden = [package for package in packages if package not in sys.modules]
    for package in hidden:
        sys.modules[package] = None  # type: ignore[assignment]  # so Python's manual has it
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]
