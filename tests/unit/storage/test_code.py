"""Tests of the digest of code: what is said about the code does not change it."""

import shutil
from pathlib import Path

import pytest

from online_rnnlm.storage import code
from tests.processes import output_of

CODE = """def half(x):
    return "#" + f"{x / 2}"


class Size:
    width: int


PAGE = '''one

# of
''' + f'''{CODE} two

'''
"""
ALONE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("code", sys.argv[1])
code = importlib.util.module_from_spec(spec)
spec.loader.exec_module(code)
print(code.code_digest("core"))
"""


def digest(tmp_path, text):
    """Return the digest of a package whose folder `core` has one module."""
    module = tmp_path / "core" / "one.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text(text, encoding="utf-8")
    return code.digest_of_package(tmp_path, "core")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def half", '"""About\nhalves."""\n\ndef half'),
        ("    return", '    """Half of a number."""\n    return'),
        ("    return", "    # A half\n\n    return"),
        ('2}"', '2}"  # A half'),
        ("    width: int", '    """A size."""\n    width: int\n    """In words."""'),
    ],
)
def test_comments_and_docstrings_do_not_count(tmp_path, old, new):
    assert old in CODE
    assert digest(tmp_path, CODE.replace(old, new)) == digest(tmp_path, CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/ 2", "* 0.5"),
        ('"#"', '"# a"'),
        ("half", "halve"),
        ("one\n\n", "one\n"),
        ("one\n\n", "one\n \n"),
        ("one", "one "),
        ("two\n\n", "two\n"),
    ],
)
def test_code_counts(tmp_path, old, new):
    assert digest(tmp_path, CODE.replace(old, new)) != digest(tmp_path, CODE)


def test_a_files_name_counts(tmp_path):
    one = digest(tmp_path, CODE)
    (tmp_path / "core" / "two.py").write_text("", encoding="utf-8")
    assert digest(tmp_path, CODE) != one


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_has_the_same(version):
    python = shutil.which(f"python{version}")
    command = [python or "", "-I", "-c", ALONE, str(Path(code.__file__))]
    if python is None or output_of([python, "-c", ""]).returncode:
        pytest.skip(f"no Python {version} here")
    done = output_of(command, check=True)
    assert done.stdout.strip() == code.code_digest("core")
