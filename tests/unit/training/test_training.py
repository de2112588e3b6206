"""Tests of training on a small corpus: learning, reproducing, resuming and diverging."""

import dataclasses
import re
import shutil
import signal
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytensor
import pytest

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.engines import registry
from online_rnnlm.engines.lanes import segments_of
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.records import RunDivergence, RunRecord, RunResult
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.training import checkpoint, epoch
from online_rnnlm.training.checkpoint import Progress
from online_rnnlm.training.schedule import Schedule
from online_rnnlm.training.train import train
from tests import outcome
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow  # whole trainings, some of them killed

ENDED = {"run.json", "metrics.jsonl", "model.npz", "result.json", "train.log"}
"""The files of a run that has ended."""
# At this rate the perplexity of `valid` goes up and down, so that weights and accumulators are
# given up; in double precision this happens on every machine.
RESTLESS = {"learning_rate": 0.8, "batch_sentences": 2, "max_epochs": 8, "precision": "float64"}

# Trains, and kills itself when it is about to write `file` for the `count`th time.
KILLED = """
import os, signal, sys
from pathlib import Path
from online_rnnlm.process.environment import prepare_process
prepare_process()
from online_rnnlm.config.runs import Run
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.training.train import train

run, corpus, directory, file, count, *seconds = sys.argv[1:]
left = int(count)

def watch(event, arguments):
    global left
    if event == "os.rename" and Path(os.fsdecode(arguments[1])).name == file:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
run = Run.model_validate_json(run)
if seconds:
    from online_rnnlm.training import epoch
    epoch.SEGMENTS_A_CALL = 16
train(run, CorpusDirectory(Path(corpus)), RunDirectory(Path(directory)), *map(float, seconds))
"""


def run_of(**changes) -> Run:
    # All settings that affect learning, so that new defaults do not change these tests.
    values = {
        "hidden_size": 12,
        "document_size": 4,
        "document_rate": 0.1,
        "optimizer": "adagrad",
        "learning_rate": 0.2,
        "accumulator_start": 0.1,
        "batch_sentences": 16,
        "max_epochs": 4,
    }
    return Run(settings=RunSettings.model_validate({"corpus": "topics", **values, **changes}))


def trained(run: Run, corpus: CorpusDirectory, path: Path) -> RunDirectory:
    directory = RunDirectory(path)
    train(run, corpus, directory)
    return directory


def result_of(directory: RunDirectory) -> RunResult:
    return records.read(RunResult, directory.result)


def record_of(directory: RunDirectory) -> RunRecord:
    return records.read(RunRecord, directory.record)


def same_weights(one: RunDirectory, other: RunDirectory) -> bool:
    pairs = zip(weight_files.read(one.model), weight_files.read(other.model), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def assert_same_run(one: RunDirectory, other: RunDirectory) -> None:
    """Assert that two runs have bit-equal weights and metrics; times may differ."""
    assert same_weights(one, other)
    assert outcome.epochs(one.path) == outcome.epochs(other.path)
    assert outcome.steady(result_of(one)) == outcome.steady(result_of(other))
    assert outcome.steady(record_of(one)) == outcome.steady(record_of(other))


def contents(directory: RunDirectory) -> dict[str, tuple[int, bytes]]:
    files = [file for file in directory.path.rglob("*") if file.is_file()]
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


@pytest.mark.parametrize("document_size", [0, 4])
def test_it_learns(corpus_directory, tmp_path, document_size):
    run = run_of(document_size=document_size, max_epochs=6)
    directory = trained(run, corpus_directory, tmp_path)
    epochs, result = read_epochs(directory), result_of(directory)
    # 12 nouns, 9 verbs, `the`, `<unk>`, `</s>`; a bigram model would have a perplexity near 6.
    assert load_corpus(corpus_directory).vocabulary_size == 24
    assert epochs[0].valid_perplexity < 18
    assert result.valid_perplexity < 7
    assert [entry.epoch for entry in epochs] == list(range(1, result.epochs + 1))
    assert result.valid_perplexity == min(entry.valid_perplexity for entry in epochs)
    weights = weight_files.read(directory.model)
    assert result.parameters == sum(array.size for array in weights)
    assert all(entry.words_per_second > 0 and entry.seconds > 0 for entry in epochs)
    assert all(entry.peak_memory_megabytes > 10 for entry in epochs)
    assert not directory.checkpoint.exists()
    assert len(directory.log.read_text().splitlines()) == len(epochs)


def test_an_online_vector_learns_what_a_sentence_is_about(corpus_directory, tmp_path):
    perplexities = [
        result_of(trained(run, corpus_directory, tmp_path / run.name)).valid_perplexity
        for run in (run_of(document_size=4), run_of(document_size=4, document_rate=0.0))
    ]
    assert perplexities[0] < 0.9 * perplexities[1]


def test_the_seed_decides_every_bit(corpus_directory, tmp_path):
    run = run_of(max_epochs=2)
    one, same = (trained(run, corpus_directory, tmp_path / name) for name in ("one", "same"))
    assert_same_run(one, same)
    other = trained(run_of(max_epochs=2, seed=2), corpus_directory, tmp_path / "other")
    assert not same_weights(one, other)
    assert result_of(one).identity != result_of(other).identity


@pytest.mark.parametrize("unit", ["sentence", "document"])
def test_every_epoch_has_an_order_of_its_own(corpus_directory, unit):
    split = load_corpus(corpus_directory).splits["train"]
    articles = np.repeat(np.arange(30), 10).astype(np.int32)
    split = dataclasses.replace(split, articles=articles)

    def order(seed, number):
        segments = segments_of(split, run_of(seed=seed, unit_of_text=unit).settings)
        return epoch.batches_of(segments, seed, number, lanes=16).segments.flatten()

    orders = [order(seed, number) for seed in (1, 2) for number in (1, 2)]
    assert all(sorted(found[found >= 0].tolist()) == list(range(300)) for found in orders)
    assert len({tuple(found) for found in orders}) == 4


@pytest.fixture(scope="module")
def restless(corpus_directory, tmp_path_factory) -> RunDirectory:
    """An undisturbed run with epochs after one whose weights were given up."""
    run = run_of(**RESTLESS)
    directory = trained(run, corpus_directory, tmp_path_factory.mktemp("restless") / "run")
    kept = [entry.kept for entry in read_epochs(directory)]
    assert False in kept[:-1], kept
    return directory


@pytest.mark.parametrize("moment", ["checkpoint", "model", "result"])
def test_a_killed_run_goes_on_to_the_same_bits(corpus_directory, tmp_path, restless, moment):
    kept = [entry.kept for entry in read_epochs(restless)]
    # Just before the checkpoint after a worse epoch is replaced, and while a run's last files are
    # written.
    file, count = {
        "checkpoint": ("state.npz", kept.index(False) + 2),
        "model": ("model.npz", 1),
        "result": ("result.json", 1),
    }[moment]
    run = run_of(**RESTLESS)
    directory = RunDirectory(tmp_path / "run")
    places = [str(corpus_directory.path), str(directory.path)]
    command = [sys.executable, "-c", KILLED, run.model_dump_json(), *places, file, str(count)]
    killed = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not directory.result.exists()
    lines = directory.log.read_text().splitlines()
    done = count - 1 if moment == "checkpoint" else len(kept)
    assert len(lines) == done
    train(run, corpus_directory, directory)
    assert_same_run(directory, restless)
    assert not directory.checkpoint.exists()
    lines = directory.log.read_text().splitlines()
    assert f"goes on after epoch {done}" in lines[done]
    assert len(lines) == len(kept) + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"unit_of_text": "document"},
        {"unit_of_text": "document", "carry": "vector"},
        {"unit_of_text": "document", "segment_tokens": 3},
        {"dropout": 0.3, "embedding_dropout": 0.2},
    ],
    ids=["document", "vector", "stretches", "dropout"],
)
def test_within_a_document_a_killed_run_goes_on_to_the_same_bits(
    documents_directory, tmp_path, changes, monkeypatch
):
    """A checkpoint is written after every call of the trainer, so that one lies in a document."""
    monkeypatch.setattr(epoch, "SEGMENTS_A_CALL", 16)
    run = run_of(max_epochs=2, batch_sentences=2, **changes)
    unbroken = trained(run, documents_directory, tmp_path / "unbroken")
    directory = RunDirectory(tmp_path / "killed")
    places = [str(documents_directory.path), str(directory.path), "state.npz", "3"]
    command = [sys.executable, "-c", KILLED, run.model_dump_json(), *places, "0"]
    killed = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    begun = checkpoint.load(directory, record_of(directory).identity).unfinished
    assert begun.batches > 0
    train(run, documents_directory, directory)
    assert_same_run(directory, unbroken)


def test_with_jax_a_killed_run_goes_on_to_the_same_bits(corpus_directory, tmp_path):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    run = run_of(engine="jax", max_epochs=2, batch_sentences=64)
    directory = RunDirectory(tmp_path / "killed")
    places = [str(corpus_directory.path), str(directory.path), "state.npz", "2"]
    command = [sys.executable, "-c", KILLED, run.model_dump_json(), *places]
    killed = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    train(run, corpus_directory, directory)
    unbroken = trained(run, corpus_directory, tmp_path / "unbroken")
    assert_same_run(directory, unbroken)
    assert "jax" in record_of(directory).packages
    usual = trained(run_of(max_epochs=2, batch_sentences=64), corpus_directory, tmp_path / "usual")
    for found, wanted in zip(read_epochs(directory), read_epochs(usual), strict=True):
        assert found.valid_perplexity == pytest.approx(wanted.valid_perplexity, rel=1e-4)
        assert found.train_perplexity == pytest.approx(wanted.train_perplexity, rel=1e-4)


def test_a_finished_run_is_not_trained_again(corpus_directory, restless):
    before = contents(restless)
    train(run_of(**RESTLESS), corpus_directory, restless)
    after = contents(restless)
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    # Snakemake compares the modification times of a rule's outputs.
    newer = {name for name, (time, _) in after.items() if time > before[name][0]}
    assert newer == {file.name for file in restless.finished_files()}


@pytest.mark.parametrize("missing", ["run.json", "metrics.jsonl", "model.npz", "result.json"])
def test_an_incomplete_run_is_trained_again(corpus_directory, tmp_path, restless, missing):
    shutil.copytree(restless.path, tmp_path / "run")
    (tmp_path / "run" / missing).unlink()
    assert_same_run(trained(run_of(**RESTLESS), corpus_directory, tmp_path / "run"), restless)


def test_the_beginning_outlives_the_record_that_snakemake_removes(
    corpus_directory, tmp_path, monkeypatch
):
    run = run_of()
    monkeypatch.setenv("SLURM_JOB_ID", "71")
    save = checkpoint.save

    def stopped(progress, *arguments):
        save(progress, *arguments)
        if progress.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", stopped)
    with pytest.raises(KeyboardInterrupt):
        trained(run, corpus_directory, tmp_path)
    monkeypatch.setattr(checkpoint, "save", save)
    directory = RunDirectory(tmp_path)
    began = record_of(directory).began
    directory.record.unlink()
    directory.metrics.unlink()
    monkeypatch.setenv("SLURM_JOB_ID", "72")
    record = record_of(trained(run, corpus_directory, tmp_path))
    assert (record.began, record.slurm_jobs) == (began, ("71", "72"))


def test_files_that_vanish_while_it_trains_are_there_in_the_end(
    corpus_directory, tmp_path, monkeypatch
):
    """Snakemake removes them if it takes a job for failed that still runs."""
    save = checkpoint.save

    def removing(*arguments):
        save(*arguments)
        RunDirectory(tmp_path).record.unlink(missing_ok=True)
        RunDirectory(tmp_path).metrics.unlink(missing_ok=True)

    whole = trained(run_of(), corpus_directory, tmp_path / "whole")
    monkeypatch.setattr(checkpoint, "save", removing)
    assert_same_run(trained(run_of(), corpus_directory, tmp_path), whole)


def test_a_training_that_was_taken_over_has_the_runs_name(corpus_directory, tmp_path, restless):
    """A process can be killed after it has taken over a training, and before it names it."""
    directory = RunDirectory(shutil.copytree(restless.path, tmp_path / "copy"))
    record = record_of(directory)
    other = {"name": "another-name", "searched": {"learning_rate": 3.0}, "candidates": ("x",)}
    records.write(directory.record, record.model_copy(update=other))
    train(run_of(**RESTLESS), corpus_directory, directory)
    assert record_of(directory) == record


def test_another_runs_results_and_checkpoint_are_not_used(corpus_directory, tmp_path):
    run, changed = run_of(max_epochs=2), run_of(max_epochs=2, l2=0.001)
    fresh = trained(changed, corpus_directory, tmp_path / "fresh")
    directory = trained(run, corpus_directory, tmp_path / "run")
    old = result_of(directory).identity
    sizes = sizes_for(run.settings, load_corpus(corpus_directory))
    zeros = parameters.filled(sizes, 0.0, "float32")
    schedule = Schedule(0.1, 2.0, 1.003)
    checkpoint.save(Progress(schedule, zeros, zeros, read_epochs(directory)[:1]),
                    directory, old)  # fmt: skip
    train(changed, corpus_directory, directory)
    assert_same_run(directory, fresh)
    assert len(directory.log.read_text().splitlines()) == 2  # the old log is not continued either


def test_another_corpus_is_another_run(corpus_directory, make_corpus_directory, tmp_path):
    run = run_of(max_epochs=1)
    directory = trained(run, corpus_directory, tmp_path / "run")
    old = record_of(directory)
    train(run, make_corpus_directory(seed=1), directory)
    new = record_of(directory)
    assert old.corpus_digest != new.corpus_digest
    assert old.identity != new.identity


def test_a_worse_epochs_weights_are_given_up(corpus_directory, tmp_path, restless):
    epochs, result = read_epochs(restless), result_of(restless)
    run = run_of(**RESTLESS)
    corpus = load_corpus(corpus_directory)
    valid = corpus.splits["valid"]
    scores = registry.scorer(run.settings, corpus)(
        weight_files.read(restless.model),
        valid,
        np.arange(valid.sentences),
        run.settings.document_rate,
    )
    perplexity = np.exp(-scores.log_probabilities.sum() / valid.tokens)
    assert perplexity == pytest.approx(result.valid_perplexity, rel=1e-12)
    # A run that ends right after its first worse epoch has the weights of the epoch before.
    worse = next(entry.epoch for entry in epochs if not entry.kept)
    ended, before = (
        trained(run_of(**{**RESTLESS, "max_epochs": number}), corpus_directory,
                tmp_path / str(number))
        for number in (worse, worse - 1)
    )  # fmt: skip
    assert same_weights(ended, before)
    assert result_of(ended).best_epoch == worse - 1
    # After the first epoch without an improvement, the rate is halved before every epoch.
    rates = [entry.learning_rate for entry in epochs]
    assert rates[worse] == rates[worse - 1] / 2
    assert len(epochs) == 8 or rates[-1] < rates[0]


def test_a_worse_epochs_accumulators_are_given_up(corpus_directory, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda p, *_: saved.append(deepcopy(p.accumulators)))
    epochs = read_epochs(trained(run_of(**RESTLESS), corpus_directory, tmp_path / "run"))
    for entry, before, after in zip(epochs[1:], saved[:-1], saved[1:], strict=True):
        same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        assert same == (not entry.kept)


def divergence_of(directory: RunDirectory) -> RunDivergence:
    return records.read(RunDivergence, directory.result)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_divergence_is_a_result_with_its_reason(
    corpus_directory, tmp_path, learning_rate, precision
):
    run = run_of(optimizer="sgd", learning_rate=learning_rate, precision=precision)
    directory = trained(run, corpus_directory, tmp_path / "run")
    assert {file.name for file in directory.path.iterdir()} == ENDED
    end = divergence_of(directory)
    assert (end.identity, end.epochs) == (record_of(directory).identity, 0)
    assert re.search(r"diverged in epoch 1: .*`learning_rate` below", end.reason)
    assert end.reason in directory.log.read_text()
    with pytest.raises(UserError, match="diverged in epoch 1"):
        weight_files.read_trained(directory, load_corpus(corpus_directory))


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("l2", 1e30, "a smaller `l2`"),
        ("initial_scale", 1e30, "a smaller `initial_scale`"),
        ("divergence_perplexity", 1e-30, "a larger `divergence_perplexity`"),
    ],
)
def test_the_setting_that_makes_training_diverge_is_named(
    corpus_directory, tmp_path, key, value, hint
):
    directory = trained(run_of(**{key: value}), corpus_directory, tmp_path / "run")
    assert hint in divergence_of(directory).reason


def test_divergence_leaves_no_older_results(corpus_directory, tmp_path):
    directory = trained(run_of(max_epochs=1), corpus_directory, tmp_path / "run")
    train(run_of(optimizer="sgd", learning_rate=1e4), corpus_directory, directory)
    assert divergence_of(directory).identity == record_of(directory).identity
    assert read_epochs(directory) == []


@pytest.fixture
def explodes(monkeypatch):
    """Let training diverge in its second epoch; return a function that ends this."""
    real = epoch._perplexity
    calls = []

    def exploding(log_probability, split):
        calls.append(split)
        return real(log_probability, split) if len(calls) < 4 else float("inf")

    monkeypatch.setattr(epoch, "_perplexity", exploding)
    return lambda: monkeypatch.setattr(epoch, "_perplexity", real)


def test_divergence_after_a_good_epoch_keeps_its_weights(corpus_directory, tmp_path, explodes):
    directory = trained(run_of(), corpus_directory, tmp_path / "run")
    explodes()
    good = trained(run_of(max_epochs=1), corpus_directory, tmp_path / "good")
    assert "diverged in epoch 2" in divergence_of(directory).reason
    assert divergence_of(directory).epochs == 1
    assert outcome.epochs(directory.path) == outcome.epochs(good.path)
    assert same_weights(directory, good)
    assert not directory.checkpoint.exists()


def test_a_run_that_diverged_is_not_trained_again(corpus_directory, tmp_path, explodes):
    directory = trained(run_of(), corpus_directory, tmp_path / "run")
    before = contents(directory)
    explodes()
    train(run_of(), corpus_directory, directory)
    after = contents(directory)
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    newer = {name for name, (time, _) in after.items() if time > before[name][0]}
    assert newer == {file.name for file in directory.finished_files()}


def test_a_hopeless_run_is_not_trained_and_gives_the_reason(corpus_directory, tmp_path):
    run = run_of(max_epochs=1)
    hopeless = run.model_copy(update={"hopeless": True})
    directory = trained(hopeless, corpus_directory, tmp_path / "run")
    assert {file.name for file in directory.path.iterdir()} == ENDED
    assert read_epochs(directory) == []
    assert run.name in divergence_of(directory).reason
    assert "`search`" in divergence_of(directory).reason
    train(run, corpus_directory, directory)  # once its settings can be trained, it is trained
    assert result_of(directory).epochs == 1


def test_both_engines_train_alike(corpus_directory, tmp_path):
    changes = {"max_epochs": 1, "precision": "float64", "batch_sentences": 160}
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        kernel, graph = (
            read_epochs(trained(run, corpus_directory, tmp_path / run.settings.engine))[0]
            for run in (run_of(engine=kind, **changes) for kind in ("kernel", "graph"))
        )
    for key in ("train_perplexity", "valid_perplexity"):
        assert getattr(graph, key) == pytest.approx(getattr(kernel, key), rel=1e-9)
