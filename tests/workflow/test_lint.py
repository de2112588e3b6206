"""Test that reading the rules needs few packages."""

import re
import subprocess
import sys

from tests.packages import with_what_they_need
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


def test_the_workflow_is_linted_where_only_snakemake_and_snakefmt_are(tmp_path):
    """The workflow catalog lints it like this."""
    there = with_what_they_need({"snakemake", "snakefmt"})
    ours = with_what_they_need({"online-rnnlm"}) - there
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


def test_what_reads_a_corpus_or_a_run_waits_for_it():
    configuration = ("--configfile", "config/smoke.yaml", "--config", "experiment=never-run")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--rulegraph", *configuration],
        cwd=ROOT,
        env=users_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', done.stdout))
    edges = re.findall(r"(\d+) -> (\d+)", done.stdout)
    waits_for = {(names[before], names[after]) for before, after in edges}
    readers = ("evaluate", "evaluate_vector", "mix", "time", "audits")
    missing = {(before, after) for before in ("encode", "train") for after in readers} - waits_for
    assert not missing
    assert {("encode", "train"), ("encode", "rival"), ("evaluate", "mix")} <= waits_for
