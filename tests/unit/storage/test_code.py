"""Tests of the fingerprint of code: what counts of a file, and which files."""

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
''' + f'''{CODE:{PAGE}} two

'''


def check(x):
    if x < 0:
        raise ValueError(f"{x}: is " + "negative")
    logger.info("%s is checked", x)
"""
ALONE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("code", sys.argv[1])
code = importlib.util.module_from_spec(spec)
spec.loader.exec_module(code)
print(code.fingerprint("core", "analysis"))
"""


def fingerprint(package, *modules, **files):
    """Return the fingerprint of a package's modules, after writing some files, by module."""
    for name, text in files.items():
        file = package.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text, encoding="utf-8")
    return code.fingerprint(*modules, package=package)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def half", '"""About\nhalves."""\n\ndef half'),
        ("    return", '    """Half of a number."""\n    return'),
        ("    return", "    # A half\n\n    return"),
        ('2}"', '2}"  # A half'),
        ("    width: int", '    """A size."""\n    width: int\n    """In words."""'),
        ("(x):", "(\n    x\n):"),
        ("{x}: is ", "{x!r} would be "),
        ("negative", "below 0"),
        ("%s is checked", "checked: %s"),
    ],
)
def test_comments_layout_and_what_people_read_do_not_count(tmp_path, old, new):
    assert old in CODE
    before = fingerprint(tmp_path, "one", one=CODE)
    assert fingerprint(tmp_path, "one", one=CODE.replace(old, new)) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/ 2", "* 0.5"),
        ("2}", "2.0}"),
        ('"#"', '"# a"'),
        ("half", "halve"),
        ("one\n\n", "one\n"),
        ("one\n\n", "one\n \n"),
        ("two\n\n", "two\n"),
        ("ValueError", "TypeError"),
        ("x < 0", "x <= 0"),
    ],
)
def test_code_counts(tmp_path, old, new):
    before = fingerprint(tmp_path, "one", one=CODE)
    assert fingerprint(tmp_path, "one", one=CODE.replace(old, new)) != before


IMPORTS = {
    "core__one": """
from typing import TYPE_CHECKING
import numpy
from package.core import two
from package.config import settings
from package.core.three import CONSTANT, third

if TYPE_CHECKING:
    from package.core import type_only


def late():
    import package.core.late
""",
    "core__two": "from package.core import one",
    "core__three": "CONSTANT = 1",
    "core__late": "from package.rivals import beyond",
    "core__type_only": "",
    "core__other": "",
    "rivals__beyond": "",
    "config__settings": "",
}


@pytest.mark.parametrize(
    ("edited", "counts"),
    [
        ("core__one", True),
        ("core__two", True),
        ("core__three", True),
        ("core__late", True),
        ("rivals__beyond", True),
        ("core__type_only", False),
        ("core__other", False),
        ("config__settings", False),
    ],
)
def test_what_a_module_imports_counts_but_for_types_and_settings(tmp_path, edited, counts):
    package = tmp_path / "package"
    before = fingerprint(package, "core.one", **IMPORTS)
    after = fingerprint(package, "core.one", **{edited: IMPORTS[edited] + "\nADDED = 1"})
    assert (after != before) == counts


def test_a_package_is_all_of_its_files(tmp_path):
    package = tmp_path / "package"
    found = [fingerprint(package, "core", **IMPORTS)]
    found.append(fingerprint(package, "core", core__new=""))
    (package / "core" / "page.html").write_text("<p>", encoding="utf-8")
    found.append(fingerprint(package, "core"))
    assert len(set(found)) == 3


def test_a_module_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path, "core.two", core__one="")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_has_the_same(version):
    python = shutil.which(f"python{version}")
    command = [python or "", "-I", "-c", ALONE, str(Path(code.__file__))]
    if python is None or output_of([python, "-c", ""]).returncode:
        pytest.skip(f"no Python {version} here")
    done = output_of(command, check=True)
    assert done.stdout.strip() == code.fingerprint("core", "analysis")
