"""Environments with some packages of this one, which are linked and not installed again."""

import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def with_what_they_need(names: Iterable[str]) -> set[str]:
    """Return the packages and all that they require and that are here; ours with its pipeline."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            try:
                wanted = [Requirement(text) for text in requires(name) or []]
            except PackageNotFoundError:
                continue
            found.add(name)
            extra = {"extra": "pipeline" if name == "online-rnnlm" else ""}
            wanted = [w for w in wanted if w.marker is None or w.marker.evaluate(extra)]
            waiting += [canonicalize_name(w.name) for w in wanted]
    return found


def environment_with(packages: Iterable[str], folder: Path) -> Path:
    """Make an environment that has only these packages; return the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = (folder / "lib").glob("python*/site-packages")
    for name in packages:
        files = distribution(name).files
        assert files
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if not (site / top).exists():  # several packages may share a folder
                (site / top).symlink_to(str(distribution(name).locate_file(top)))
    return folder / "bin"
