"""Test that reading the rules needs few packages."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project import ROOT, users_environment

ABSENT = """
import pkgutil
import sys
from importlib.abc import MetaPathFinder

NAMES = {names}
listed = pkgutil.iter_modules

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
pkgutil.iter_modules = lambda *a, **k: (m for m in listed(*a, **k) if m.name not in NAMES)
"""
MODULES = {"pyyaml": "yaml"}


def _with_what_they_need(names: set[str]) -> set[str]:
    """Return the packages and all packages that they require, this one with its pipeline."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                wanted = [Requirement(text) for text in requires(name) or []]
            except PackageNotFoundError:
                continue
            extra = {"extra": "pipeline" if name == "online-rnnlm" else ""}
            wanted = [w for w in wanted if w.marker is None or w.marker.evaluate(extra)]
            waiting += [canonicalize_name(w.name) for w in wanted]
    return found


def test_the_workflow_is_linted_where_only_snakemake_and_snakefmt_are(tmp_path):
    """The workflow catalog lints it like this."""
    there = _with_what_they_need({"snakemake", "snakefmt"})
    ours = _with_what_they_need({"online-rnnlm"}) - there
    assert {"numpy", "pandas", "mlflow", "tqdm"} <= ours
    names = {MODULES.get(name, name).replace("-", "_") for name in ours} - {"online_rnnlm"}
    text = ABSENT.format(names=sorted(names))
    (tmp_path / "sitecustomize.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"],
        cwd=ROOT,
        env=users_environment() | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in a good condition" in done.stdout + done.stderr


def test_the_root_only_points_to_the_workflow():
    assert (ROOT / "profiles").readlink() == Path("workflow/profiles")
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    assert 'include: "workflow/Snakefile"' in snakefile and "shell" not in snakefile
