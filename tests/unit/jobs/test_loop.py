"""Tests of epochs, of what is kept of them, and of what ends a training, with an engine's stub."""

import math
import re
import time
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from online_rnnlm.core import parameters, training
from online_rnnlm.core.engines.base import empty_scores
from online_rnnlm.core.order import NOTHING, segments_of
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.train import train
from online_rnnlm.process.stop_signals import END_TIME, Stopped
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import RunResult, read_epochs
from tests.unit.jobs.runs import (
    assert_same_run,
    record_of,
    result_of,
    run_of,
    same_weights,
    trained,
)
from tests.unit.jobs.stub import StubEngine, use_stub

RESTLESS = {"learning_rate": 0.8, "max_epochs": 6, "improvement_factor": 1.0}
"""Settings with which the stub's epochs get better and worse."""
ENDED = {"run.json", "metrics.jsonl", "model.npz", "result.json"}


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    use_stub(monkeypatch)


@dataclass
class Call:
    """A call of `train`: what it was given, and weights and accumulators before and after."""

    batches: int
    rate: float
    key: int
    before: parameters.Parameters
    sums_before: parameters.Parameters
    after: parameters.Parameters


@pytest.fixture
def calls(monkeypatch):
    """The calls of `train` that learn, in order."""
    calls = []

    class Recorded(StubEngine):
        def train(self, state, split, order, learning_rate, key=0):
            before, sums = deepcopy((state.weights, state.accumulators))
            total, state = super().train(state, split, order, learning_rate, key)
            after = deepcopy(state.weights)
            number = len(order.segments)
            if number:
                calls.append(Call(number, learning_rate, key, before, sums, after))
            return total, state

    use_stub(monkeypatch, Recorded)
    return calls


def are_equal(one, other):
    """True if two sets of parameters have the same bits."""
    return all(map(np.array_equal, one, other))


def perplexities(monkeypatch, *entropies):
    """Let the validations give these entropies, in nats per token."""
    left = iter(entropies)

    def score(self, weights, split, order, adaptation, carried, *, hidden_states=False):
        scores = empty_scores(weights, split, hidden_states=hidden_states)
        if split.sentences:
            assert sorted(order.segments[order.segments != NOTHING]) == [*range(split.sentences)]
            assert adaptation.vector_rate is None
            scores.log_probabilities[:] = -next(left)
        return scores, carried

    monkeypatch.setattr(StubEngine, "score", score)


@pytest.mark.parametrize("unit", ["sentence", "document"])
def test_every_epoch_has_an_order_of_its_own(corpus_directory, unit):
    split = load_corpus(corpus_directory).splits["train"]
    articles = np.repeat(np.arange(30), 10).astype(np.int32)
    split = replace(split, articles=articles)

    def order(seed, number):
        settings = run_of(seed=seed, unit_of_text=unit).settings
        engine = StubEngine(settings.network, settings.rule, None)
        segments = segments_of(split, settings.network, settings.rule)
        return training.order_of_epoch(segments, engine, number).segments.flatten()

    orders = [order(seed, number) for seed in (1, 2) for number in (1, 2)]
    assert all(sorted(found[found >= 0].tolist()) == list(range(300)) for found in orders)
    assert len({tuple(found) for found in orders}) == 4


def test_an_epoch_reads_every_sentence_once(corpus_directory, tmp_path, monkeypatch, calls):
    perplexities(monkeypatch, math.log(239.0), 5.48, 2.9, 2.8)  # 240 would be a divergence
    directory = trained(run_of(), corpus_directory, tmp_path)
    assert sum(call.batches for call in calls) == 4 * math.ceil(300 / 16)
    rates = [call.rate for call in calls]
    assert rates == sorted(rates, reverse=True)
    assert len({call.key for call in calls}) == 4
    epochs = read_epochs(directory)
    assert [entry.learning_rate for entry in epochs] == [0.2, 0.2, 0.1, 0.05]
    assert [entry.kept for entry in epochs] == [True, False, True, True]
    assert [entry.valid_perplexity for entry in epochs] == pytest.approx(
        [239.0, *(math.exp(entropy) for entropy in (5.48, 2.9, 2.8))]
    )
    result = result_of(directory)
    assert (result.epochs, result.best_epoch) == (4, 4)
    assert result.valid_perplexity == pytest.approx(math.exp(2.8))
    assert result.seconds == pytest.approx(sum(entry.seconds for entry in epochs))


def test_a_worse_epochs_weights_are_given_up(corpus_directory, tmp_path, monkeypatch, calls):
    perplexities(monkeypatch, *(3.0, 3.5, 2.9), *(3.0, 3.5), 3.0)
    trained(run_of(max_epochs=3), corpus_directory, tmp_path / "three")
    first, second, third = calls
    assert are_equal(second.before, first.after) and not are_equal(second.after, first.after)
    assert are_equal(third.before, first.after)
    assert are_equal(third.sums_before, second.sums_before)
    ended = trained(run_of(max_epochs=2), corpus_directory, tmp_path / "two")
    first = trained(run_of(max_epochs=1), corpus_directory, tmp_path / "one")
    assert same_weights(ended, first)
    assert (result_of(ended).epochs, result_of(ended).best_epoch) == (2, 1)


def test_a_cooldown_goes_on_from_a_worse_epochs_weights(
    corpus_directory, tmp_path, monkeypatch, calls
):
    """The trained weights are those after the best epoch, of all that are trained."""
    monkeypatch.setattr(training, "SEGMENTS_A_CALL", 16)
    perplexities(monkeypatch, 3.0, 2.8, 2.9, 2.95)
    run = run_of(max_epochs=4, rate_rule="cooldown", cooldown=0.5)
    directory = trained(run, corpus_directory, tmp_path)
    assert [entry.kept for entry in read_epochs(directory)] == [True, True, False, False]
    assert result_of(directory).best_epoch == 2
    half = len(calls) // 2
    assert are_equal(weight_files.read(directory.model), calls[half - 1].after)
    assert all(are_equal(one.after, following.before) for one, following in pairwise(calls))
    rates = [call.rate for call in calls]
    assert rates[:half] == [0.2] * half
    assert rates[-1] < 0.02 and rates[half:] == sorted(rates[half:], reverse=True)


def test_deferred_updates_have_the_rate_of_the_last_batch_and_count_as_the_epochs_time(
    corpus_directory, tmp_path, monkeypatch
):
    """After the last batch of all, a cooldown's rate is 0, by which nothing would be learnt."""
    monkeypatch.setattr(training, "SEGMENTS_A_CALL", 64)
    now = 0.0
    rates = []
    applied = []

    class Deferring(StubEngine):
        def train(self, state, split, order, learning_rate, key=0):
            rates.extend([learning_rate] * (len(order.segments) > 0))
            return super().train(state, split, order, learning_rate, key)

        def apply_deferred(self, state, learning_rate):
            nonlocal now
            now += 5.0
            applied.append((len(rates), learning_rate))
            return super().apply_deferred(state, learning_rate)

    use_stub(monkeypatch, Deferring)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    run = run_of(max_epochs=2, rate_rule="cooldown", cooldown=0.5)
    epochs = read_epochs(trained(run, corpus_directory, tmp_path))
    half = len(rates) // 2
    assert applied == [(half, rates[half - 1]), (2 * half, rates[-1])]
    assert rates[-1] > 0
    assert [epoch.seconds for epoch in epochs] == [5.0, 5.0]


def test_training_ends_with_its_schedule(corpus_directory, tmp_path, monkeypatch):
    perplexities(monkeypatch, 3.0, *[3.1] * 9)
    directory = trained(run_of(max_epochs=30), corpus_directory, tmp_path)
    assert result_of(directory).epochs == 3


@pytest.mark.parametrize(
    ("changes", "entropy", "advice"),
    [
        ({}, math.nan, r"`learning_rate` below 0\.2 or a `document_rate` below 0\.1"),
        ({"document_size": 0}, 5.5, r"`learning_rate` below 0\.2"),
        ({}, 800.0, ""),
    ],
)
def test_a_divergence_has_advice(corpus_directory, tmp_path, monkeypatch, changes, entropy, advice):
    """The vocabulary has 24 words, so 10 times as much is the limit."""
    perplexities(monkeypatch, entropy)
    directory = trained(run_of(**changes), corpus_directory, tmp_path / "run")
    end = records.read(RunResult, directory.result)
    assert (end.identity, end.epochs) == (record_of(directory).identity, 0)
    said = rf"diverged in epoch 1: .*a perplexity exceeds 240; try a .*{advice}$"
    assert re.search(said, end.reason)
    assert end.reason in directory.log.read_text()
    assert {file.name for file in directory.path.iterdir()} > ENDED
    with pytest.raises(UserError, match="diverged in epoch 1"):
        weight_files.read_trained(directory, load_corpus(corpus_directory).digest)


@pytest.mark.parametrize("what", ["probability", "weight"])
def test_a_weight_or_probability_that_is_not_finite_is_a_divergence(
    corpus_directory, tmp_path, monkeypatch, what
):
    class Broken(StubEngine):
        def train(self, *arguments):
            total, state = super().train(*arguments)
            state.weights.recurrent[0, 0] = math.inf if what == "weight" else 0
            return total if what == "weight" else math.nan, state

    use_stub(monkeypatch, Broken)
    end = records.read(RunResult, trained(run_of(), corpus_directory, tmp_path).result)
    assert f"a {what} is not a" in end.reason


def test_a_divergence_after_a_good_epoch_keeps_its_weights(corpus_directory, tmp_path, monkeypatch):
    perplexities(monkeypatch, 3.0, 6.0, 3.0)
    directory = trained(run_of(), corpus_directory, tmp_path / "run")
    good = trained(run_of(max_epochs=1), corpus_directory, tmp_path / "good")
    end = records.read(RunResult, directory.result)
    assert end.epochs == 1 and "diverged in epoch 2" in end.reason
    assert same_weights(directory, good)
    train(run_of(), corpus_directory, directory)  # it is not trained again: no entropy is left
    assert records.read(RunResult, directory.result) == end


def test_a_hopeless_run_is_not_trained_and_says_why(corpus_directory, tmp_path, calls):
    run = replace(run_of(max_epochs=1), hopeless=True)
    directory = trained(run, corpus_directory, tmp_path)
    assert not calls and read_epochs(directory) == []
    assert "`search`" in records.read(RunResult, directory.result).reason


def test_a_finished_run_is_left_alone(corpus_directory, tmp_path, calls):
    directory = trained(run_of(**RESTLESS), corpus_directory, tmp_path)
    before = {file: file.read_bytes() for file in directory.finished_files()}
    calls.clear()
    train(run_of(**RESTLESS), corpus_directory, directory)
    assert not calls
    assert {file: file.read_bytes() for file in directory.finished_files()} == before


@pytest.mark.parametrize("file", ["record", "metrics", "model", "result"])
def test_a_run_that_lost_a_file_is_trained_again(corpus_directory, tmp_path, calls, file):
    """Snakemake removes the other files, too, before it starts the job."""
    directory = trained(run_of(**RESTLESS), corpus_directory, tmp_path / "run")
    good = trained(run_of(**RESTLESS), corpus_directory, tmp_path / "good")
    calls.clear()
    getattr(directory, file).unlink()
    train(run_of(**RESTLESS), corpus_directory, directory)
    assert calls
    assert_same_run(directory, good)
    assert len(directory.log.read_text().splitlines()) == result_of(directory).epochs


def test_the_beginning_outlives_its_removed_record(corpus_directory, tmp_path, monkeypatch):
    directory = RunDirectory(tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "71")
    with monkeypatch.context() as change, pytest.raises(Stopped):
        change.setenv(END_TIME, str(time.time()))
        train(run_of(**RESTLESS), corpus_directory, directory)
    began = record_of(directory).began
    directory.record.unlink()
    directory.metrics.unlink()
    monkeypatch.setenv("SLURM_JOB_ID", "72")
    train(run_of(**RESTLESS), corpus_directory, directory)
    record = record_of(directory)
    assert (record.began, record.slurm_jobs) == (began, ("71", "72"))
    assert len(read_epochs(directory)) == result_of(directory).epochs


def test_files_that_vanish_are_there_in_the_end(corpus_directory, tmp_path, monkeypatch):
    """Snakemake removes them if it takes a job for failed that still runs."""
    whole = trained(run_of(), corpus_directory, tmp_path / "whole")

    class Removing(StubEngine):
        def train(self, *arguments):
            RunDirectory(tmp_path).record.unlink(missing_ok=True)
            RunDirectory(tmp_path).metrics.unlink(missing_ok=True)
            return super().train(*arguments)

    use_stub(monkeypatch, Removing)
    assert_same_run(trained(run_of(), corpus_directory, tmp_path), whole)
