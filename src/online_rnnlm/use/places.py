"""The files that a user names for what a verb writes: nothing else of the user's is replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from online_rnnlm.errors import WrongInputError


def writable_place(
    path: Path, is_of_the_kind: Callable[[Path], bool], *, force: bool = False, advice: str = ""
) -> Path:
    """Return the file that is to be written: that at the end of links, if `path` is one.

    A file that is there already may be replaced if it is of the kind that will be written, or with
    `force`. Raises WrongInputError for any other file, a directory, or a device: a device would be
    replaced by a file. `advice` ends the message about another file.
    """
    if path.is_dir():
        raise WrongInputError(f"{path}: is a directory: the name of a file is needed")
    if path.exists() and not path.is_file():  # asked of `path`: a pipe has no path of its own
        raise WrongInputError(f"{path}: is no ordinary file: the name of a file is needed")
    place = Path(os.path.realpath(path))
    if place.is_file() and place.stat().st_size and not force and not is_of_the_kind(place):
        raise WrongInputError(f"{path}: is another file, which would be lost{advice}")
    return place
