"""Tests that compiled kernels are found for equal sources in any folder, and only for those."""

import ast
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.engines.kernel_cache import compiled_once

pytestmark = pytest.mark.slow  # processes of their own compile kernels

SOURCES = Path(online_rnnlm.__file__).parents[1]
ENGINES = Path("online_rnnlm/engines")
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
from online_rnnlm.process.environment import prepare_process
prepare_process()
import numpy as np
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.engines.kernels.data import feeds_hidden_layer
sizes = Sizes(vocabulary=2, hidden=1, classes=1, document=1)
assert not feeds_hidden_layer(parameters.filled(sizes, 0.0, "float32"))
print(sum(feeds_hidden_layer.stats.cache_hits.values()))
"""

CALLS_A_KERNEL = """
from online_rnnlm.process.environment import prepare_process
prepare_process()
import sys
import numpy as np
from numba import njit
from online_rnnlm.engines.kernels.activations import softmax_deltas

@njit(cache=True)
def of_rows(scores, targets):
    for row in range(targets.size):
        softmax_deltas(scores[row], targets[row])

scores = np.random.default_rng(1).normal(size=(1000, 700)).astype(np.float32)
if "alone" in sys.argv:
    softmax_deltas(scores[0].copy(), 0)
of_rows(scores, np.arange(1000) % 700)
print(sum(of_rows.stats.cache_hits.values()), scores.tobytes().hex())
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
    """Return the number of compiled kernels that a fresh process finds."""
    return int(output(cache, "-I", "-c", LOADED, str(sources)))


def output(cache: Path, *arguments: str) -> str:
    """Return what a fresh Python with a cache of its own prints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env=kept | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def deltas(script: Path, *arguments: str) -> tuple[str, str]:
    """Return how many callers of a kernel a fresh process finds, and the bits that they compute."""
    hits, bits = output(script.parent, str(script), *arguments).split()
    return hits, bits


def folder_of(sources: Path) -> str:
    """Return the folder in which these sources look for compiled kernels."""
    code = "from online_rnnlm.engines import kernel_cache; print(kernel_cache.folder())"
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": str(sources)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def edit(sources: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old` in one of the engines' files."""
    path = sources / ENGINES / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")


def cached(node: ast.AST) -> bool:
    """Return True if the node defines a function that numba caches."""
    decorators = getattr(node, "decorator_list", [])
    return any("cache=True" in ast.unparse(decorator) for decorator in decorators)


def test_a_copy_of_the_sources_finds_what_was_compiled_but_for_an_edit_of_what_it_does(tmp_path):
    cache, copy = tmp_path / "cache", tmp_path / "copy"
    assert loaded(SOURCES, cache) == 0
    assert loaded(SOURCES, cache) == 1
    shutil.copytree(SOURCES, copy, copy_function=shutil.copy)  # with new modification times
    assert loaded(copy, cache) == 1
    # A longer docstring moves all functions of the module down.
    edit(copy, "kernels/data.py", '"""', '"""Some more lines.\n\n\n')
    assert loaded(copy, cache) == 1
    edit(copy, "kernels/forward.py", "high - low > 1", "high - low > 2")
    assert loaded(copy, cache) == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("kernels/workspace.py", "    hidden: Any\n", "", id="fields of a tuple"),
        pytest.param("linking.py", '"internal"', '"external"', id="how kernels are linked"),
        pytest.param("base.py", "    hidden_states:", "    states:", id="a tuple from elsewhere"),
        pytest.param("kernels/layout.py", "place in range(begin + 1", "place in range(begin",
                     id="a kernel that no other calls"),
    ],
)  # fmt: skip
def test_what_machine_code_depends_on_names_its_folder(tmp_path, file, old, new):
    copy = tmp_path / "copy"
    shutil.copytree(SOURCES, copy)
    before = folder_of(copy)
    edit(copy, file, old, new)
    assert folder_of(copy) != before


def test_results_do_not_depend_on_whether_a_process_compiled_or_on_what_else_it_loaded(tmp_path):
    """A kernel that is called by another has its own machine code there, rounding included."""
    script = tmp_path / "caller.py"
    script.write_text(CALLS_A_KERNEL, encoding="utf-8")
    compiled, bits = deltas(script)
    assert compiled == "0"
    assert deltas(script) == ("1", bits)
    assert deltas(script, "alone") == ("1", bits)


def test_no_two_kernels_of_a_module_share_a_name():
    """Two kernels with one name would each load the other's machine code."""
    for file in (SOURCES / ENGINES / "kernels").glob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        names = [node.name for node in nodes if cached(node)]
        assert len(names) == len(set(names)), file


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


def test_of_two_that_compile_the_same_kernels_one_waits(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    begun, order = threading.Event(), []

    def second():
        begun.set()
        with compiled_once("float32", "sigmoid"):
            order.append("second")

    waiting = threading.Thread(target=second)
    with compiled_once("float32", "sigmoid"):
        waiting.start()
        assert begun.wait(60)
        with compiled_once("float64", "sigmoid"):  # other kernels do not wait
            order.append("first")
        assert waiting.is_alive()
    waiting.join(60)
    assert order == ["first", "second"]


def test_without_a_folder_for_locks_each_compiles_for_itself(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(OSError, match="of the block"), compiled_once("float32", "sigmoid"):
        raise OSError("of the block")
