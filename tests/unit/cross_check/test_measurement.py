"""Tests of the measurements of engines: what is computed, compared, timed and left out."""

import os
import shutil

import numpy as np
import pytensor
import pytest

from online_rnnlm.config import loading
from online_rnnlm.config.measurements import measurements_of, references_of
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.cross_check import compilers, updates
from online_rnnlm.cross_check.measurement import write_measurement
from online_rnnlm.cross_check.reference import read_reference
from online_rnnlm.cross_check.verdict import judge
from online_rnnlm.engines import devices, registry
from online_rnnlm.engines.lanes import NOTHING, segments_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import EngineMeasurement

pytestmark = pytest.mark.slow  # PyTensor derives and compiles the plain graph
NUMBA = "pytensor-numba"


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    """Let PyTensor compute in Python, whose compiled code takes a minute, and time one pass."""
    with (
        pytest.MonkeyPatch.context() as changed,
        pytensor.config.change_flags(mode="FAST_COMPILE", traceback__limit=0),
    ):
        changed.setattr(updates, "LEAST_SECONDS", 0.0001)
        changed.setattr(compilers, "COMPILER", "sh")  # which every machine has
        yield


@pytest.fixture(scope="module")
def compared(tmp_path_factory, corpus_directory):
    """An experiment's folder with a prepared corpus and the reference of the first network."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("compared"))
    (directory.path / "corpora").mkdir()
    (directory.path / "corpora" / "topics").symlink_to(corpus_directory.path)
    described = experiment(NUMBA)
    measure(measurements_of(described)[0].reference, described, directory)
    return directory


@pytest.fixture
def directory(tmp_path, compared):
    """A copy of the folder."""
    shutil.copytree(compared.path, tmp_path / "results", symlinks=True)
    return ExperimentDirectory(tmp_path / "results")


def experiment(*engines, row=None, precision="float64", batch=1, document_size=2):
    return loading.parse(
        {
            "experiment": "test",
            "corpora": {"topics": {"source": {"kind": "wikipedia-excerpt"}}},
            "rows": [{"hidden_size": 4, "document_size": 7} | (row or {})],
            "engine_table": {
                "engines": list(engines),
                "precisions": [precision],
                "batch_sentences": [batch],
                "document_sizes": [document_size],
                "updates": 3,
                "empty_caches": False,
            },
        }
    )


def measure(planned, described, directory):
    """Write a measurement; return its record."""
    write_measurement(planned, described.engine_table, directory)
    return records.read(EngineMeasurement, directory.measurement(planned.name))


def measure_all(described, directory):
    """Write the reference, unless it is there, and the other measurements of a table."""
    planned = measurements_of(described)
    [reference] = references_of(described)
    if not directory.measurement(reference.name, "npz").exists():
        measure(reference, described, directory)
    return [
        records.read(EngineMeasurement, directory.measurement(one.name))
        if one == reference
        else measure(one, described, directory)
        for one in planned
    ]


def off_by(monkeypatch, amount, name="word_output"):
    """Let every trainer that is made from now on have an error in one weight."""
    make = registry.trainer

    def trainer(*arguments):
        made = make(*arguments)
        weights, sums = (p._replace() for p in (made.weights, made.accumulators))
        getattr(weights, name)[1, 2] += amount
        made.restore(weights, sums)
        return made

    monkeypatch.setattr(registry, "trainer", trainer)


def test_equal_engines_do_not_differ_even_with_single_sentences(directory, caplog):
    """PyTensor's check of single rows, which other tests turn off, is at work here."""
    described = experiment(NUMBA)
    [record] = measure_all(described, directory)
    found = record.measured
    assert (record.reference, record.updates) == ("pytensor-c", 3)
    assert found.differences.largest()[1] == 0
    assert {"word_output", "class_document"} <= set(found.differences.parameters)
    assert "hidden_document" not in found.differences.parameters  # it has no element
    assert found.words_per_second > 0
    with caplog.at_level("INFO", logger="online_rnnlm"):
        judge(described, directory)
    assert "1 measurements in float64" in caplog.text


def test_the_values_are_those_of_learning_from_the_text_in_its_order(directory, corpus_directory):
    described = experiment("pytensor-c", batch=2)
    [record] = measure_all(described, directory)
    _, values = read_reference(directory.measurement(measurements_of(described)[0].name, "npz"))
    offsets = load_corpus(corpus_directory).splits["train"].offsets
    assert record.words == offsets[6]
    assert values.losses.shape == (3,)
    assert values.document_vectors.shape == (updates.VALID_SENTENCES, 2)
    # The weights' initial standard deviation is 0.1, and the vectors start at 0.
    assert np.abs(values.document_vectors).max() > 0
    assert len(set(values.losses)) == 3


def test_one_weight_that_is_a_little_off_is_an_error_of_that_engine(directory, monkeypatch):
    described = experiment(NUMBA)
    [planned] = measurements_of(described)
    off_by(monkeypatch, 1e-8)
    record = measure(planned, described, directory)
    differences = record.measured.differences
    assert 0.5e-8 < differences.parameters["word_output"] < 2e-8
    assert 0 < differences.loss < 1e-7
    with pytest.raises(UserError, match=rf"`word_output` by {NUMBA} and by pytensor-c .* 1e-10"):
        judge(described, directory)


def test_single_precision_may_differ(directory):
    described = experiment("kernel", precision="float32", document_size=0)
    [record] = measure_all(described, directory)
    assert 1e-10 < record.measured.differences.largest()[1] < 1e-4
    assert record.measured.differences.document_vectors is None
    judge(described, directory)


def test_a_number_that_is_not_finite_is_an_error(directory, monkeypatch):
    described = experiment(NUMBA)
    [planned] = measurements_of(described)
    off_by(monkeypatch, np.nan)
    with pytest.raises(UserError, match="not all numbers are finite"):
        measure(planned, described, directory)
    assert not directory.measurement(planned.name).exists()


def test_an_engine_without_a_networks_parts_says_which(directory):
    row = {"cell": "lstm", "document_layer": "both", "engine": "graph"}
    described = experiment("kernel", NUMBA, row=row, batch=2)
    kernel, numba = measure_all(described, directory)
    assert kernel.measured is None and not kernel.compiled
    assert "`document_layer: both`" in kernel.why_not and "`engine: kernel`" in kernel.why_not
    assert numba.measured.differences.largest()[1] == 0
    judge(described, directory)


def test_an_engine_whose_package_is_missing_says_how_to_install_it(directory, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    monkeypatch.setenv("THEANO_PYTHON", "nowhere/python")
    found = measure_all(experiment("jax", "theano"), directory)
    assert [record.measured for record in found] == [None, None]
    assert "`make jax` adds it" in found[0].why_not
    assert "`make theano` makes it" in found[1].why_not


def test_without_a_compiler_the_reference_is_numbas(directory, monkeypatch):
    monkeypatch.setattr(compilers, "COMPILER", "no-such-compiler")
    shutil.rmtree(directory.path / "engines")
    described = experiment("pytensor-c", NUMBA)
    by_c, by_numba = measure_all(described, directory)
    assert (by_c.measured, by_c.why_not) == (None, "no-such-compiler is not installed")
    assert by_c.reference == by_numba.reference == NUMBA
    assert by_numba.measured.differences.largest()[1] == 0


def test_a_text_begins_again_where_it_ends(corpus_directory, documents_directory):
    settings = measurements_of(experiment(NUMBA))[0].settings
    train = load_corpus(corpus_directory).splits["train"]
    read = updates.first_batches(segments_of(train, settings), 128, 5).segments
    assert (read.ravel() == np.arange(5 * 128) % train.sentences).all()
    documents = settings.model_copy(update={"unit_of_text": "document"})
    split = load_corpus(documents_directory).splits["train"]
    batches = updates.first_batches(segments_of(split, documents), 8, 50)
    assert (batches.segments != NOTHING).all() and batches.segments.shape == (50, 8)
    assert batches.begins[0].all() and not batches.begins[1].any()
    assert (batches.segments == 0).sum() == 2  # 300 sentences are fewer than 400


def test_compilers_get_their_flags_and_an_empty_folder_for_the_block_only(monkeypatch):
    monkeypatch.setenv("PYTENSOR_FLAGS", "cxx=,floatX=float32")
    monkeypatch.delenv("THEANO_FLAGS", raising=False)
    before = dict(os.environ)
    with compilers.compiling("pytensor-c", empty=True):
        ours = os.environ["PYTENSOR_FLAGS"].split(",")
        assert ours[:2] == ["cxx=", "floatX=float32"]
        assert ours[2].startswith("cxx=/") and ours[3] == "linker=cvm"
        folder = os.environ["THEANO_FLAGS"].removeprefix("base_compiledir=")
        assert f"base_compiledir={folder}" == ours[4]
        assert os.environ["NUMBA_CACHE_DIR"] != before.get("NUMBA_CACHE_DIR")
        assert os.environ["JAX_COMPILATION_CACHE_DIR"] != before["JAX_COMPILATION_CACHE_DIR"]
    assert dict(os.environ) == before
    with compilers.compiling(NUMBA, empty=False):
        assert os.environ["PYTENSOR_FLAGS"].endswith("cxx=,linker=numba")
        assert os.environ.get("NUMBA_CACHE_DIR") == before.get("NUMBA_CACHE_DIR")


def test_flags_of_the_user_that_compile_nothing_are_named(monkeypatch):
    monkeypatch.setenv("PYTENSOR_FLAGS", "cxx=,mode=FAST_COMPILE")
    monkeypatch.setenv("THEANO_FLAGS", "profile_mode=x")
    assert compilers.why_uncompiled(NUMBA) == "PYTENSOR_FLAGS has `mode=FAST_COMPILE`"
    assert [compilers.why_uncompiled(one) for one in ("theano", "kernel", "jax")] == [None] * 3
