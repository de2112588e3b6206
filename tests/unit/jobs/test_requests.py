"""Tests that jobs request enough of a scheduler, and more for larger models."""

from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config import testing as typed
from online_rnnlm.config.plan import parse
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.records import SourceFile, SourceFiles
from online_rnnlm.jobs import requests
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.processes import output_of
from tests.project import ROOT
from tests.unit.small_records import VITAL, configuration, plan, statistics

EXPERIMENT = parse(configuration(corpora={"c": VITAL}))
RIVAL = "dynamic_evaluation"
TESTING = typed.TestingSettings(rivals=[RIVAL], updates=["all"])


@pytest.fixture
def model_with(tmp_path):
    """A function that describes a model with the given settings and number of training tokens."""

    def make(tokens=1_000_000, vocabulary=10_000, **settings):
        directory = ExperimentDirectory(tmp_path)
        splits = {"train": tokens, "valid": 50_000, "test": 50_000}
        about = statistics(splits, vocabulary_size=vocabulary)
        records.write(directory.corpus("c").statistics, about)
        run = Run(RunSettings.model_validate({"corpus": "c", **settings}), "c")
        return requests.workload_of(EXPERIMENT, directory, run)

    return make


def requested(model):
    return (
        model.megabytes,
        requests.training_minutes(model, 1),
        *(requests.testing_minutes(model, TESTING, name, 1) for name in ("none", RIVAL)),
    )


@pytest.mark.parametrize(
    "more",
    [{"tokens": 10_000_000}, {"hidden_size": 400}, {"document_size": 100}, {"vocabulary": 60_000}],
    ids=str,
)
def test_no_request_falls_where_there_is_more_to_do_and_some_grow(model_with, more):
    little = requested(model_with())
    much = requested(model_with(**more))
    assert all(b >= a for a, b in zip(little, much, strict=True))
    assert much != little


def test_an_lstm_needs_more(model_with):
    little, much = (requested(model_with(engine="graph", cell=one)) for one in ("sigmoid", "lstm"))
    assert all(b > a for a, b in zip(little, much, strict=True) if b != a)
    assert sum(b > a for a, b in zip(little, much, strict=True)) >= 2


def test_only_training_needs_time_for_epochs(model_with):
    few = requested(model_with(max_epochs=10))
    many = requested(model_with(max_epochs=20))
    assert [a == b for a, b in zip(few, many, strict=True)] == [True, False, True, True]


def test_a_rivals_search_needs_time(model_with):
    _, _, plain, searched = requested(model_with(hidden_size=400))
    assert searched > 1.2 * plain


def test_timing_needs_time_for_each_network_and_all_that_it_is_tested_with(tmp_path):
    directory = ExperimentDirectory(tmp_path)
    splits = {"train": 1_000_000, "valid": 100_000, "test": 100_000}
    records.write(directory.corpus("c").statistics, statistics(splits))

    def minutes(sizes, **testing):
        planned = plan(corpora={"c": VITAL}, rows=[{"hidden_size": sizes}], testing=testing)
        return requests.timing_minutes(planned, directory, 1)

    alone = minutes([400])
    assert minutes([400, 401]) > alone
    assert minutes([400], updates=["all"]) > alone
    assert minutes([400], rivals=["neural_cache"]) > minutes([400], updates=["all"])
    assert minutes([400], rivals=["kneser_ney"]) == alone


def test_a_rivals_search_is_as_fast_with_a_slow_engine(model_with):
    """It runs in the kernels, or in numpy, whatever engine has trained the network."""
    (_, _, plain, searched), (_, _, slow, slowly_searched) = (
        requested(model_with(hidden_size=400, engine=engine)) for engine in ("kernel", "graph")
    )
    assert slow > plain
    assert slowly_searched - slow == pytest.approx(searched - plain, abs=2)


def test_weights_that_learn_need_the_time_of_the_engine_that_lets_them(model_with):
    graph, jax = (model_with(engine=engine) for engine in ("graph", "jax"))
    learning = "all.word.sentence"
    more = [
        requests.testing_minutes(one, TESTING, learning, 1)
        - requests.testing_minutes(one, TESTING, "none", 1)
        for one in (graph, jax)
    ]
    assert more[0] > 100 * more[1] > 0  # those of JAX learn in the kernels


def test_ten_million_words_fit(model_with):
    """`make bench` measured 542 MB for such a run; Snakemake's processes need more on top."""
    model = model_with(10_000_000, vocabulary=60_000, document_size=20)
    assert 1000 < model.megabytes < 4000
    # 10 epochs of 10 million words at the 46,000 words/s of a node five times slower.
    assert 10 * 10_000_000 / 46_000 / 60 < requests.training_minutes(model, 1) < 24 * 60


@given(st.floats(1, 1e5), st.integers(1, 20))
def test_a_retry_asks_for_more_up_to_twice(request_, attempt):
    now = requests.grown(request_, attempt)
    later = requests.grown(request_, attempt + 1)
    assert request_ <= now <= later <= 2 * request_ + 1
    assert requests.grown(request_, 2) >= 1.5 * request_


def test_the_text_of_a_stage_is_its_files_or_those_of_the_source(tmp_path):
    text = tmp_path / "articles.jsonl"
    source = tmp_path / "source.json"
    text.write_bytes(bytes(2_000_000))
    assert requests.text_mb([str(text)]) == 2
    files = (SourceFile(name="a", size=3_000_000, sha256="0" * 64),)
    records.write(source, SourceFiles(files=files))
    assert requests.text_mb([str(source)]) == 3


def test_a_corpus_that_is_not_prepared_is_said_by_the_file_that_is_missing(tmp_path):
    """Snakemake asks again when it is there."""
    directory = ExperimentDirectory(tmp_path)
    run = Run(RunSettings.model_validate({"corpus": "c"}), "c")
    with pytest.raises(FileNotFoundError) as error:
        requests.workload_of(EXPERIMENT, directory, run)
    assert error.value.filename == str(directory.corpus("c").statistics)


@pytest.mark.parametrize(("gpu", "asked"), [(0, ""), (1, ":ngpus=1")])
def test_another_scheduler_is_asked_for_a_gpu_where_a_run_needs_one(tmp_path, gpu, asked):
    profile = ROOT / "workflow" / "profiles" / "cluster-generic" / "config.yaml"
    values = yaml.safe_load(profile.read_text(encoding="utf-8"))
    assert "gpu=0" in values["default-resources"]  # of the rules that compute nothing
    resources = SimpleNamespace(mem_mb=2000, runtime=60, gpu=gpu)
    command = values["cluster-generic-submit-cmd"].format(
        rule="train", jobid=1, threads=1, resources=resources
    )
    program = tmp_path / "qsub"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    said = output_of(["bash", "-c", command], cwd=tmp_path, env=path, check=True).stdout
    assert f"-l select=1:ncpus=1:mem=2000mb{asked} -l walltime=60:00" in said
