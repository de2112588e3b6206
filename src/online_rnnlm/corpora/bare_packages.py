"""Imports of modules without what their packages load for parts that are not used here.

NLTK's `__init__` loads all of its parsers, taggers and classifiers, and these load scikit-learn and
SciPy if they are installed. They take most of two seconds, in each of the processes that tokenise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec


@contextmanager
def bare(*packages: str) -> Iterator[None]:
    """Import modules of these packages in the block without running the packages' `__init__`.

    Name a package after the packages that contain it. Those that have been loaded before stay as
    they are; the others are not loaded afterwards, so that a later import of them is a whole one.
    """
    added = [package for package in packages if package not in sys.modules]
    try:
        for package in added:
            spec = find_spec(package)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
            sys.modules[package] = module_from_spec(spec)
        yield
    finally:
        for package in added:
            sys.modules.pop(package, None)
