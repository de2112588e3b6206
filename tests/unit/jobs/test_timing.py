"""Tests of the networks and evaluations that are timed, and of their clock."""

import time

import numpy as np
import pytest

from online_rnnlm.config.evaluations import engine_for, timed_evaluations
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs import timing
from online_rnnlm.jobs.evaluation import evaluate_run
from online_rnnlm.jobs.timing import beginning_of, clock_for, networks_to_time, time_networks
from online_rnnlm.rivals import dynamic_evaluation
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Timings, read_evaluation, token_scores
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.small_models import UNTRAINED, random_split, write_untrained_run
from tests.unit.small_records import VITAL, plan

AFTER_TEN_WORDS = Adaptation((DOCUMENT_VECTOR,), after=10, unit_of_text="document")


@pytest.mark.parametrize("engine", [{"engine": "theano"}, {"engine": "jax", "device": "gpu"}])
def test_the_clock_is_that_of_the_engine_that_scores(engine):
    """Kernels, in this process, score what an engine in another one or on a GPU cannot."""
    trained = RunSettings.model_validate({"corpus": "topics", "document_size": 3, **engine})
    assert clock_for(engine_for(trained, Adaptation((DOCUMENT_VECTOR,)))) is time.perf_counter
    assert clock_for(engine_for(trained, AFTER_TEN_WORDS)) is time.process_time


@pytest.mark.parametrize(
    ("articles", "tokens", "sentences"),
    [
        ([0, 0, 1, 1, 1, 2], 1, 2),
        ([0, 0, 1, 1, 1, 2], 20, 2),
        ([0, 0, 1, 1, 1, 2], 21, 5),
        ([0, 0, 1, 1, 1, 2], 999, 6),
        ([4, 2, 3, 1, 5, 0], 21, 3),  # shuffled
        ([], 21, 3),
    ],
)
def test_the_text_that_is_timed_ends_with_an_article(articles, tokens, sentences):
    whole = random_split(np.random.default_rng(0), 9, [10] * 6)
    split = type(whole)(whole.stream, whole.offsets, np.array(articles, np.int32))
    assert beginning_of(split, tokens).sentences == sentences


TESTING = {
    "updates": ["document_vector", "output", "all"],
    "learn_after": ["word", "sentence"],
    "unit_of_text": ["stream"],
    "learning_rates": [0.01, 0.02],
    "document_rates": [0.1, 0.3],
    "rivals": [
        *("unigram_cache", "neural_cache", "short_neural_cache", "dynamic_evaluation"),
        *("kneser_ney", "mixture"),
    ],
}


@pytest.fixture(scope="module")
def experiment(make_corpus_directory, tmp_path_factory):
    """An experiment with a network of random weights, tested in all that is timed."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("timed"))
    rows = [{"hidden_size": 10, "document_size": 3}]
    planned = plan(corpora={"topics": VITAL}, rows=rows, testing=TESTING)
    [run] = planned.runs()
    write_json(directory.configuration, planned.model_dump(mode="json"))
    write_untrained_run(directory, make_corpus_directory(article=7))
    directory.run("run").path.rename(directory.run(run.name).path)
    with pytest.MonkeyPatch.context() as change:
        change.setattr(dynamic_evaluation, "STEPS", ())  # a short search
        for evaluation in timed_evaluations(UNTRAINED, run.testing).values():
            evaluate_run(directory, run.name, evaluation, run.testing)
    return directory, planned, run


def test_what_is_timed_gives_the_scores_of_the_evaluation(experiment):
    """It takes the rates and the settings that this has chosen."""
    directory, planned, run = experiment
    timed = [*networks_to_time(planned, directory)]
    assert [one.evaluation for one in timed] == [*timed_evaluations(run.settings, run.testing)]
    whole = load_corpus(directory.corpus("topics")).splits["test"]
    for one in timed:
        assert one.text.tokens == whole.tokens  # it is shorter than what is timed of a text
        found = one.score(one.text)
        logs = found.log_probabilities if isinstance(found, Scores) else found
        kept = token_scores(directory, run.name, one.evaluation)
        np.testing.assert_array_equal(np.asarray(logs, np.float32), kept, err_msg=one.evaluation)


def test_every_evaluation_that_has_scores_is_timed_on_the_same_words(experiment, monkeypatch):
    directory, planned, run = experiment
    values = planned.model_dump(mode="json")
    write_json(directory.configuration, values | {"testing": TESTING | {"timed_tokens": 100}})
    monkeypatch.setattr(timing, "ROUNDS", 2)
    path = directory.evaluation(run.name, "all.word.stream")
    kept = path.read_bytes()
    diverged = read_evaluation(path).model_copy(update={"reason": "burst"})
    records.write(path, diverged)
    time_networks(directory)
    path.write_bytes(kept)
    found = records.read(Timings, directory.timings).timings
    names = [*timed_evaluations(run.settings, run.testing)]
    names.remove("all.word.stream")
    assert [one.evaluation for one in found] == names
    assert {(one.corpus, one.network) for one in found} == {("topics", "10/3")}
    [tokens] = {one.tokens for one in found}
    assert 100 <= tokens < load_corpus(directory.corpus("topics")).splits["test"].tokens
    assert all(len(one.seconds_per_word) == 2 for one in found)
    assert all(seconds > 0 for one in found for seconds in one.seconds_per_word)
