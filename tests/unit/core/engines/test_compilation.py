"""Tests of the kernels' machine code: what is compiled, and where it is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import WEIGHTS, Adaptation
from online_rnnlm.core.engines.kernels.batches import score_batches, train_batches
from online_rnnlm.core.engines.kernels.online import score_online
from online_rnnlm.corpora.corpus import load_corpus
from tests.processes import PATIENCE, output_of
from tests.unit.small_models import VECTOR, Trainer, adaptation_of, scored, weights_for

pytestmark = pytest.mark.slow  # kernels are compiled

SOURCES = Path(online_rnnlm.__file__).parents[1]
KERNELS = (train_batches, score_batches, score_online)


def test_one_compilation_serves_all_sizes_cells_and_options(corpus_directory):
    corpus = load_corpus(corpus_directory)
    compiled = []
    test = corpus.splits["test"].first(5)
    for document, cell in ((0, "sigmoid"), (3, "lstm")):
        settings = RunSettings(corpus="c", hidden_size=4, document_size=document, cell=cell)
        weights = weights_for(settings, corpus)
        Trainer(settings, corpus, weights, weights).learn_from(range(5), 0.1)
        for hidden_states in (False, bool(document)):
            vector = Adaptation(VECTOR)
            scored(settings, corpus, weights, test, vector, hidden_states=hidden_states)
        for learn_after in ("word", "sentence"):
            adaptation = adaptation_of(WEIGHTS, 0.1, 0.1, 2, learn_after, "document")
            scored(settings, corpus, weights, test, adaptation)
        compiled.append([list(kernel.signatures) for kernel in KERNELS])
    assert compiled[0] == compiled[1]


CALLS_A_KERNEL = """
import sys
sys.path.insert(0, sys.argv[1])
from online_rnnlm.process.environment import prepare_process
prepare_process()
import numpy as np
from online_rnnlm.core.engines.kernels.layout import Batch, states_before
states, rows = np.zeros((2, 1), np.float32), np.array([0, 1, 2])
batch = Batch(rows, rows, rows, rows, rows, 0)
assert states_before(states, states, batch, 1).shape == (1, 1)
print(sum(states_before.stats.cache_hits.values()))
"""


def test_kernels_are_loaded_and_compiled_anew_when_their_code_has_changed(tmp_path):
    copy = tmp_path / "meine 'Kopie' ☃ Ωмега $z"  # letters that are special to programs
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}

    def cache_hits():
        environment = kept | {"XDG_CACHE_HOME": str(tmp_path / "Zwischen ☃ Speicher")}
        command = [sys.executable, "-I", "-c", CALLS_A_KERNEL, copy]
        return int(output_of(command, env=environment, check=True).stdout)

    def edit(file):
        with (copy / "online_rnnlm/core/engines" / file).open("a") as edited:
            edited.write("_EDITED = 1\n")

    assert [cache_hits(), cache_hits()] == [0, 1]
    edit("jax_engine.py")
    assert cache_hits() == 1
    edit("kernels/elementwise.py")  # whose functions are called elsewhere
    assert [cache_hits(), cache_hits()] == [0, 1]


SAYS_WHERE_KERNELS_ARE = """
import os
from online_rnnlm.process.environment import prepare_process
prepare_process()
print(os.environ["NUMBA_CACHE_DIR"])
"""
TRAINS_AND_TESTS = """
import sys
from pathlib import Path
from online_rnnlm.process.environment import prepare_process
prepare_process()
from online_rnnlm.config.training import RunSettings
from online_rnnlm.process.kernels import provide_kernels
provide_kernels(RunSettings(corpus="c", hidden_size=1))
from tests.unit.use.small_experiment import make_results
make_results(Path(sys.argv[1]))
"""


def test_kernels_are_compiled_in_a_process_of_its_own_and_then_only_loaded(tmp_path):
    """Two processes begin at once: one compiles, the other waits, and both compute the same.

    What compiles finds the kernels that `make test` has compiled, if it has, but not their mark.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    command = [sys.executable, "-c", SAYS_WHERE_KERNELS_ARE]
    kernels = Path(output_of(command, env=kept, check=True).stdout.strip())
    if kernels.is_dir():
        unmarked = shutil.ignore_patterns("*.compiled", "lock")
        shutil.copytree(
            kernels, tmp_path / "cache/online-rnnlm/numba" / kernels.name, ignore=unmarked
        )
    environment = kept | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    places = [tmp_path / "one", tmp_path / "other"]
    for place in places:
        place.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAINS_AND_TESTS, str(place)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for place in places
    ]
    said = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert sum("once on this machine" in one for one in said) == 1
    [mark] = tmp_path.rglob("float32.compiled")
    compiled = [*mark.parent.rglob("*.nbc")]
    assert compiled
    assert max(file.stat().st_mtime_ns for file in compiled) <= mark.stat().st_mtime_ns
    models, others = (sorted(place.rglob("model.npz")) for place in places)
    assert models
    assert [file.read_bytes() for file in models] == [file.read_bytes() for file in others]
