"""Tests of the kernels' machine code: what is compiled, where it is kept, and its bits."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import config

import online_rnnlm
from online_rnnlm.config import loading
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import kernel_engine, registry
from online_rnnlm.core.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.core.engines.kernels.compiled import compile_once
from online_rnnlm.core.engines.kernels.layout import measure
from online_rnnlm.core.engines.kernels.online import score_online
from online_rnnlm.core.way import GROUPS
from online_rnnlm.corpora.corpus import load_corpus
from tests.unit.small_models import learn, way_of, weights_for

SOURCES = Path(online_rnnlm.__file__).parents[1]
KERNELS = (measure, train_batches, score_sentences, score_online)


@pytest.mark.slow  # kernels are compiled
def test_one_compilation_serves_all_sizes_and_options(corpus_directory):
    corpus, compiled = load_corpus(corpus_directory), []
    test, numbers, groups = corpus.splits["test"], np.arange(5), GROUPS
    for document in (0, 3):
        settings = RunSettings(corpus="c", hidden_size=4, document_size=document)
        weights = weights_for(settings, corpus)
        learn(registry.trainer(settings, corpus, weights, weights), numbers, 0.1)
        for hidden_states in (False, bool(document)):
            score = registry.scorer(settings, corpus, hidden_states=hidden_states)
            score(weights, test, numbers, 0.1)
        for learn_after in ("word", "sentence"):
            online = way_of(groups, 0.1, 0.1, 2, learn_after, "document")
            registry.online_scorer(settings, corpus, weights, online).score(test, numbers)
        compiled.append([list(kernel.signatures) for kernel in KERNELS])
    assert compiled[0] == compiled[1]


EXPERIMENT = {
    "experiment": "compiled",
    "corpora": {"c": {"source": {"kind": "wikipedia-excerpt"}}},
    "rows": [{"hidden_size": 2}, {"hidden_size": 2, "document_size": 1}],
}


@pytest.mark.slow  # kernels are compiled
def test_what_is_compiled_before_a_text_is_there_serves_the_networks(monkeypatch, corpus_directory):
    called = set()

    def note(name, kernel):
        def call(*arguments):
            called.add((name, tuple(map(numba.typeof, arguments))))
            return kernel(*arguments)

        monkeypatch.setattr(kernel_engine, name, call)

    note("train_batches", train_batches)
    note("score_sentences", score_sentences)
    monkeypatch.setattr(kernel_engine, "compile_once", lambda name, call: call())
    kernel_engine.compile_kernels(loading.parse(EXPERIMENT), Path("nowhere"))
    compiled, corpus = called.copy(), load_corpus(corpus_directory)
    for document in (0, 3):
        settings = RunSettings(corpus="c", hidden_size=4, document_size=document)
        weights = weights_for(settings, corpus)
        learn(registry.trainer(settings, corpus, weights, weights), np.arange(5), 0.1)
        registry.scorer(settings, corpus)(weights, corpus.splits["test"], np.arange(5), 0.1)
    assert called == compiled
    assert len(compiled) == 2


LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
from online_rnnlm.core import parameters
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.core.engines.kernels.data import has_vector
sizes = Sizes(vocabulary=2, hidden=1, classes=1, document=1)
assert has_vector(parameters.filled(sizes, 0.0, "float32"))
print(sum(has_vector.stats.cache_hits.values()))
"""
CALLS_A_KERNEL = """
import sys
import numpy as np
from numba import njit
from online_rnnlm.core.engines.kernels.elementwise import softmax_deltas

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


def run(cache: Path, *arguments: str):
    """Let a fresh Python run, whose user's cache is this folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env=kept | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.slow  # processes of their own load numba
def test_kernels_are_compiled_once_for_all_copies_and_again_when_their_code_changes(tmp_path):
    copy, cache = tmp_path / "copy", tmp_path / "cache"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def hits(place=copy):
        return int(run(cache, "-I", "-c", LOADED, str(place)).stdout)

    assert [hits(SOURCES), hits(SOURCES), hits()] == [0, 1, 1]
    for file in ("kernels/forward.py", "kernels/data.py", "base.py"):
        path = copy / "online_rnnlm/engines" / file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"""', '"""Well.\n', 1), encoding="utf-8")
        assert hits() == 1
        path.write_text(f"{text}_edited = 1\n", encoding="utf-8")
        assert [hits(), hits()] == [0, 1]


@pytest.mark.slow  # processes of their own compile kernels
def test_results_do_not_depend_on_whether_a_process_compiled_or_on_what_else_it_loaded(tmp_path):
    """A kernel that is called by another has its own machine code there, rounding included."""
    script = tmp_path / "caller.py"
    script.write_text(CALLS_A_KERNEL, encoding="utf-8")
    (compiled, bits), *others = (
        run(tmp_path, str(script), *arguments).stdout.split() for arguments in ([], [], ["alone"])
    )
    assert compiled == "0"
    assert others == [["1", bits], ["1", bits]]


@pytest.mark.slow  # a process of its own compiles a kernel
def test_without_a_folder_that_can_be_written_one_line_says_what_to_set(tmp_path):
    (tmp_path / "file").touch()
    done = run(tmp_path / "file", "-I", "-c", LOADED, str(SOURCES))
    assert done.stdout == "0\n"
    assert "set NUMBA_CACHE_DIR" in done.stderr
    assert done.stderr.count("\n") == 1


def test_of_two_that_compile_the_same_kernels_one_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    begun, order = threading.Event(), []

    def second():
        begun.set()
        compile_once("float32-sigmoid-training", lambda: order.append("second"))

    waiting = threading.Thread(target=second)

    def first():
        waiting.start()
        assert begun.wait(60)
        order.append("first")
        assert waiting.is_alive()

    compile_once("float32-lstm-training", first)
    waiting.join(60)
    assert order == ["first", "second"]
    compile_once("float32-lstm-training", order.clear)  # compiled before: no call
    assert order
