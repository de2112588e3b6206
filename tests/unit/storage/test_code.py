"""Tests of the digest of code: what is said about the code does not change it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import online_rnnlm

DIGEST = "from online_rnnlm.storage.code import code_digest; print(code_digest('core'))"
CODE = """def half(x):
    return x / 2


class Size:
    width: int


class Empty(Size):
    pass
"""


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    """A function that adds a module to a copy of the package, and returns the digest of it."""
    package = tmp_path_factory.mktemp("src") / "online_rnnlm"
    shutil.copytree(Path(online_rnnlm.__file__).parent, package, ignore=lambda *_: {"__pycache__"})

    def of(code: str) -> str:
        (package / "core" / "added.py").write_text(code, encoding="utf-8")
        command, where = [sys.executable, "-c", DIGEST], {"PYTHONPATH": str(package.parent)}
        return subprocess.run(command, env=where, capture_output=True, text=True, check=True).stdout

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def half", '"""About halves."""\n\ndef half'),
        ("    return", '    """Half of a number."""\n    return'),
        ("    return", "    # A half\n\n    return"),
        ("    width: int", '    """A size."""\n    width: int\n    """In words."""'),
    ],
)
def test_comments_and_docstrings_do_not_count(digest, old, new):
    assert digest(CODE.replace(old, new)) == digest(CODE)


def test_code_counts(digest):
    assert digest(CODE.replace("/ 2", "* 0.5")) != digest(CODE)
