"""Tests that a package's modules can be imported without the package itself, and it afterwards."""

import subprocess
import sys
from importlib import import_module

import pytest

from online_rnnlm.corpora.bare_packages import bare


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_tokenisation_loads_only_what_it_uses_and_leaves_a_whole_nltk_for_others():
    code = (
        "import sys\n"
        "from online_rnnlm.corpora import tokenisation as own\n"
        "print(sorted({'nltk', 'nltk.parse', 'sklearn', 'scipy'} & set(sys.modules)))\n"
        "import nltk, pickle\n"
        "from nltk.tokenize.punkt import PunktParameters\n"
        "assert PunktParameters is own.PunktParameters\n"
        "assert type(pickle.loads(pickle.dumps(own.PunktParameters()))) is PunktParameters\n"
        "print(nltk.tokenize.wordpunct_tokenize('a-b'), nltk.Tree('S', []))"
    )
    assert run(code) == "[]\n['a', '-', 'b'] (S )\n"


def test_a_package_that_was_loaded_stays_and_others_go(tmp_path, monkeypatch):
    for name in ("loud", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("ran = True\n")
        (tmp_path / name / "part.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    other = import_module("other")
    with bare("loud", "other"):
        assert import_module("loud.part").value == 1
        assert not hasattr(sys.modules["loud"], "ran")
        assert sys.modules["other"] is other
    assert "loud" not in sys.modules and sys.modules["other"] is other
    assert import_module("loud").ran


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match="nowhere") as raised, bare("nowhere"):
        pass
    assert raised.value.name == "nowhere"
