"""Tests that what has to be quick loads no library that takes long."""

import sys

import pytest

from tests.unit.processes import output_of

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

THIRD_PARTY = ("numba", "mlflow", "pydantic", "pandas", "scipy", "nltk", "pytensor", "ruamel")
"""Packages that the audit of another program's model must not need."""


@pytest.mark.parametrize(
    ("code", "slow"),
    [
        (HELP, {"numpy", "pandas", "mlflow", "pytensor", "numba", "nltk"}),
        ("import online_rnnlm; dir(online_rnnlm)", {"numpy", "pandas", "pydantic", "pytensor"}),
        ("from online_rnnlm import audit; audit", {*THIRD_PARTY}),
        (TOKENISATION, {"nltk", "nltk.parse", "sklearn", "scipy"}),
    ],
    ids=["help", "the package", "the audit", "tokenisation"],
)
def test_nothing_slow_is_loaded(code, slow):
    code += f"\nimport sys\nprint({slow} & {{*sys.modules}})"
    assert output_of([sys.executable, "-c", code], check=True).stdout.endswith("set()\n")
