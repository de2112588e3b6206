"""Helpers that copy the package and add a user's extension to it: a file and a name."""

import shutil
from pathlib import Path

import online_rnnlm

PACKAGE = Path(online_rnnlm.__file__).parent


def copy_package(folder: Path) -> Path:
    """Copy the package into a folder that can be put on `PYTHONPATH`."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=ignored)
    return folder


def add_file(folder: Path, file: str, content: str) -> None:
    """Add a file to a copied package."""
    (folder / PACKAGE.name / file).write_text(content, encoding="utf-8")


def add_name(folder: Path, file: str, before: str, name: str) -> None:
    """Add a name to a file of a copied package, after the first occurrence of `before`."""
    path = folder / PACKAGE.name / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, before + name, 1), encoding="utf-8")
