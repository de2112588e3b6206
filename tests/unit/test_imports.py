"""Tests that what has to be quick loads no library that takes long, and none before its time."""

import os
import sys

import pytest

from tests.processes import output_of

HELP = """
from online_rnnlm.commands import _main as cli
try: cli.main(["--help"])
except SystemExit: pass
"""
TOKENISATION = """
import pickle
from online_rnnlm.corpora import tokenisation
splitter = pickle.loads(pickle.dumps(tokenisation.SentenceSplitter.nothing()))
tokenisation.to_punkt(splitter)
"""

SOURCES = """
from importlib import import_module
from pathlib import Path
from online_rnnlm.corpora import sources, stages
for file in Path(sources.__file__).parent.glob("[!_]*.py"):
    import_module(f"{sources.__name__}.{file.stem}")
"""

THIRD_PARTY = ("numba", "mlflow", "pydantic", "pandas", "scipy", "nltk", "pytensor", "ruamel")
"""Packages that the audit of another program's model must not need."""


@pytest.mark.parametrize(
    ("code", "slow"),
    [
        (HELP, {"numpy", "pandas", "mlflow", "pytensor", "numba", "nltk"}),
        ("import online_rnnlm; dir(online_rnnlm)", {"numpy", "pandas", "pydantic", "pytensor"}),
        ("from online_rnnlm import audit; audit", {*THIRD_PARTY}),
        (TOKENISATION, {"nltk", "nltk.parse", "sklearn", "scipy"}),
        (SOURCES, {"mwxml", "mwparserfromhell", "nltk", "numpy", "pyarrow", "requests"}),
    ],
    ids=["help", "the package", "the audit", "tokenisation", "the sources"],
)
def test_nothing_slow_is_loaded(code, slow):
    code += f"\nimport sys\nprint({slow} & {{*sys.modules}})"
    assert output_of([sys.executable, "-c", code], check=True).stdout.endswith("set()\n")


SAYS_WHEN_NUMPY_IS_IMPORTED = """
import os, sys

def hook(event, arguments):
    if event == "import" and arguments[0] == "numpy":
        print(os.environ.get("OPENBLAS_NUM_THREADS"))

sys.addaudithook(hook)
from online_rnnlm import load
"""


def test_a_public_name_limits_the_threads_before_numpy_is_loaded():
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", SAYS_WHEN_NUMPY_IS_IMPORTED]
    said = output_of(command, env=environment, check=True).stdout
    assert {*said.split()} == {"1"}
