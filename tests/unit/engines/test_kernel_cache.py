"""Compiled kernels are found again wherever their sources lie, and only if these are the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import online_rnnlm

SOURCES = Path(online_rnnlm.__file__).parents[1]
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
from online_rnnlm.process.environment import prepare_process
prepare_process()
import numpy as np
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.engines.kernels.backward import is_coupled
sizes = Sizes(vocabulary=2, hidden=1, classes=1, document=1)
assert not is_coupled(parameters.filled(sizes, 0.0, "float32"))
print(sum(is_coupled.stats.cache_hits.values()))
"""

BY_PYTENSOR = """
from online_rnnlm.process.environment import prepare_process
prepare_process()
import pytensor
import pytensor.tensor as pt
matrix = pt.matrix()
function = pytensor.function([matrix], pt.exp(matrix).sum() + matrix.shape[0], mode="NUMBA")
print(function([[0.0], [0.0]]))
"""


def loaded(sources: Path, cache: Path) -> int:
    """How many compiled kernels a fresh process finds."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOADED, str(sources)],
        env=kept | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_a_copy_of_the_sources_finds_what_was_compiled_and_a_changed_one_does_not(tmp_path):
    cache, copy = tmp_path / "cache", tmp_path / "copy"
    assert loaded(SOURCES, cache) == 0
    assert loaded(SOURCES, cache) == 1
    shutil.copytree(SOURCES, copy, copy_function=shutil.copy)  # the files' times are new
    assert loaded(copy, cache) == 1
    kernel = copy / "online_rnnlm/engines/kernels/elementary.py"
    code = kernel.read_text(encoding="utf-8")
    assert "float32(30.0)" in code
    kernel.write_text(code.replace("float32(30.0)", "float32(29.0)"), encoding="utf-8")
    assert loaded(copy, cache) == 0


def test_pytensors_own_kernels_have_their_places_too(tmp_path):
    ours = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    flags = f"{ours.pop('PYTENSOR_FLAGS', 'cxx=')},base_compiledir={tmp_path / 'compiled'}"
    done = subprocess.run(
        [sys.executable, "-c", BY_PYTENSOR],
        env=ours | {"XDG_CACHE_HOME": str(tmp_path), "PYTENSOR_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 4
    assert list((tmp_path / "compiled").rglob("*.nbi"))
