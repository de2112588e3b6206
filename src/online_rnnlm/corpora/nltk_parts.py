"""The two modules of NLTK that divide text, imported without the rest of NLTK.

`import nltk` runs the package's `__init__`, which loads all of its parsers and classifiers, and
SciPy, pandas and scikit-learn with them: 7 s of processor time, where these two modules take 0.3 s.
Every command that reads plain text would wait for it, and each process that tokenises a corpus. So
both packages are put into `sys.modules` without running them, and taken out again: a later
`import nltk` loads all of it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec

__all__ = ["destructive", "punkt"]

_bare = [package for package in ("nltk", "nltk.tokenize") if package not in sys.modules]
try:
    for package in _bare:
        spec = find_spec(package)
        assert spec is not None
        sys.modules[package] = module_from_spec(spec)
    from nltk.tokenize import destructive, punkt
finally:
    for package in _bare:
        sys.modules.pop(package, None)
