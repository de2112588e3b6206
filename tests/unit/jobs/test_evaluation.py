"""Tests of the evaluation of a trained run, and of rivals, on a small corpus."""

import itertools
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from online_rnnlm.config import testing as typed
from online_rnnlm.config.evaluations import adaptations_of_state, evaluations_of
from online_rnnlm.config.runs import Run
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.jobs import evaluation_files
from online_rnnlm.jobs.evaluation import evaluate_corpus_rival, evaluate_run
from online_rnnlm.jobs.train import train
from online_rnnlm.rivals import caches, dynamic_evaluation
from online_rnnlm.rivals.unigram_cache import frequencies
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import (
    Evaluation,
    read_evaluation,
)
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult
from tests.unit.core.numpy_cells import predict
from tests.unit.small_models import (
    ADAPTATIONS,
    UNTRAINED,
    adaptation_of,
    scored,
    write_untrained_run,
)
from tests.unit.small_records import VITAL, plan, run_divergence

RATE = UNTRAINED.document_rate
SENTENCES = {"train": 300, "valid": 60, "test": 50}
MIXED = {"rivals": ["unigram_cache", "kneser_ney", "ngram_mixture", "mixture"]}
NGRAMS = ("topics-kneser_ney5", "none")


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """A run with random weights, tested with nothing learning, its vector, and all that is mixed.

    Tests may add evaluations with other names.
    """
    directory = ExperimentDirectory(tmp_path_factory.mktemp("experiment"))
    write_untrained_run(directory, corpus_directory)
    for name in ("none", "document_vector"):
        evaluated(directory, name)
    [ngrams] = of_corpora(MIXED).values()
    evaluate_corpus_rival(directory, ngrams, typed.TestingSettings())
    for name in ("unigram_cache", "ngram_mixture", "mixture"):
        evaluated(directory, name, **MIXED)
    return directory


@pytest.fixture
def copied(experiment, tmp_path) -> ExperimentDirectory:
    """A copy of the experiment, which a test may change."""
    shutil.copytree(experiment.path, tmp_path / "copy")
    return ExperimentDirectory(tmp_path / "copy")


def evaluated(directory, name, **testing) -> Evaluation:
    """Test the run with the adaptation or the rival of this name; return the record."""
    settings = typed.TestingSettings.model_validate(testing)
    evaluation = replace(ADAPTATIONS[name], steps=settings.steps) if name in ADAPTATIONS else name
    evaluate_run(directory, "run", evaluation, settings)
    found = read_evaluation(directory.evaluation("run", name))
    assert found is not None
    files = [directory.token_scores("run", name, split) for split in HELD_OUT]
    if name == "document_vector":
        files += [directory.document_vectors("run", split) for split in HELD_OUT]
    assert set(found.files) == {file.name for file in files if file.is_file()}
    assert len(found.files) == len(files)
    return found


def of_corpora(testing):
    return plan(corpora={"topics": VITAL}, testing=testing).corpus_rivals


def read(directory, name, evaluation) -> Evaluation:
    return records.read(Evaluation, directory.evaluation(name, evaluation))


@pytest.fixture
def by_hand(experiment):
    """Compute log P of every token and d after it, by split, from the equations in plain numpy."""

    def compute(split, rate):
        corpus = load_corpus(experiment.corpus("topics"))
        weights = weight_files.read(experiment.run("run").model)
        weights = Parameters(*(array.astype("float64") for array in weights))
        lines = experiment.corpus("topics").text(split).read_text().splitlines()
        ids = {word: number for number, word in enumerate(corpus.words)}
        sentences = [[ids[word] for word in [*line.split(), "</s>"]] for line in lines]
        offsets = corpus.class_offsets
        results = [predict("sigmoid", weights, offsets, s, rate=rate) for s in sentences]
        unknown = [np.array(s) == ids["<unk>"] for s in sentences]
        return [r[0] for r in results], unknown, [r[2][-1] for r in results]

    return compute


@pytest.mark.parametrize(("name", "rate"), [("none", 0.0), ("document_vector", RATE)])
def test_metrics_by_hand(experiment, by_hand, name, rate):
    metrics = read(experiment, "run", name)
    assert (metrics.run, metrics.evaluation) == ("run", name)
    assert metrics.identity == records.read(RunResult, experiment.run("run").result).identity
    assert list(metrics.splits) == list(SPLITS)
    for split in SPLITS:
        log_probabilities, unknown, vectors = by_hand(split, rate)
        every = np.concatenate(log_probabilities)
        hidden = np.concatenate(unknown)
        found = metrics.splits[split]
        assert (found.sentences, found.tokens) == (SENTENCES[split], len(every))
        assert found.perplexity == pytest.approx(np.exp(-every.mean()), rel=1e-5)
        without = pytest.approx(np.exp(-every[~hidden].mean()), rel=1e-5)
        assert found.perplexity_without_unk == without
        assert found.perplexity_without_unk != pytest.approx(found.perplexity, rel=1e-3)
        words = len(every) - SENTENCES[split]
        assert 0 < found.oov_rate == pytest.approx(hidden.sum() / words)
        assert found.words_per_second > 0
        if split != "train":
            scores = np.load(experiment.token_scores("run", name, split))
            np.testing.assert_allclose(scores, every.astype("float32"), rtol=1e-4)
        if rate and split != "train":
            found_vectors = np.load(experiment.document_vectors("run", split))
            assert found_vectors.dtype == np.float32
            np.testing.assert_allclose(found_vectors, vectors, rtol=1e-3, atol=1e-5)


@pytest.mark.slow  # a training
@pytest.mark.parametrize("unit", ["sentence", "stream"])
def test_valid_is_as_in_training(copied, unit):
    settings = UNTRAINED.model_copy(update={"unit_of_text": unit})
    train(Run(settings, "topics"), copied.corpus("topics"), copied.run("trained"))
    result = records.read(RunResult, copied.run("trained").result)
    evaluate_run(copied, "trained", Adaptation((DOCUMENT_VECTOR,)), typed.TestingSettings())
    found = read(copied, "trained", "document_vector").splits["valid"].perplexity
    assert found == pytest.approx(result.valid_perplexity, rel=1e-9)


def test_a_corpus_that_has_changed_is_refused(copied):
    record = copied.run("run").record
    changed = records.read(RunRecord, record).model_copy(update={"corpus_digest": "0" * 64})
    records.write(record, changed)
    with pytest.raises(UserError, match=f"^{record}: trained on another corpus"):
        evaluated(copied, "output.word.sentence")
    assert not copied.evaluation("run", "output.word.sentence").is_file()


def test_learning_weights_take_the_rate_that_is_best_on_valid(experiment):
    name = "document_vector+output.word.stream"
    rates = [0.001, 0.1]
    alphas = [RATE / 4, 2 * RATE]
    found = evaluated(experiment, name, learning_rates=rates, document_rates=alphas, steps=2)
    assert list(found.splits) == ["valid", "test"]
    best = min(found.curve[:2], key=lambda trial: trial.valid_perplexity)
    assert [trial.settings for trial in found.curve] == [
        *({"learning_rate": rate} for rate in rates),
        *({**best.settings, "document_rate": alpha} for alpha in alphas),
    ]
    best = min(found.curve, key=lambda trial: trial.valid_perplexity)
    assert found.chosen == best.settings
    assert found.splits["valid"].perplexity == pytest.approx(best.valid_perplexity)
    corpus = load_corpus(experiment.corpus("topics"))
    weights = weight_files.read(experiment.run("run").model)
    rate = best.settings["learning_rate"]
    alpha = found.chosen.get("document_rate", RATE)
    online = adaptation_of(["output"], rate, alpha, 2, unit="stream")
    logs = scored(UNTRAINED, corpus, weights, corpus.splits["test"], online).log_probabilities
    assert found.splits["test"].perplexity == pytest.approx(np.exp(-logs.mean()), rel=1e-12)


def test_a_vector_alone_takes_the_best_of_its_own_rates(experiment):
    rates = [RATE / 2, RATE]
    found = evaluated(experiment, "document_vector.word.sentence", document_rates=rates)
    as_trained = read(experiment, "run", "document_vector").splits["valid"].perplexity
    assert found.curve[1].settings == {"document_rate": RATE}
    assert found.curve[1].valid_perplexity == pytest.approx(as_trained, rel=1e-5)
    assert found.costs.parameters_touched_per_word == 3
    kept = evaluated(experiment, "document_vector.sentence.stream", document_rates=[RATE])
    # After a sentence, every value that changes counts once.
    expected = SENTENCES["test"] * 3 / kept.splits["test"].tokens
    assert kept.costs.parameters_touched_per_word == pytest.approx(expected)
    assert kept.splits["test"].perplexity != pytest.approx(found.splits["test"].perplexity)
    rarer = evaluated(experiment, "document_vector.4.stream", document_rates=[RATE])
    assert rarer.costs.parameters_touched_per_word == 3 / 4


def test_a_cache_is_mixed_with_the_network_whose_vector_learns_as_in_training(experiment):
    cached, own = (read(experiment, "run", n) for n in ("unigram_cache", "document_vector"))
    best = min(cached.curve, key=lambda trial: trial.valid_perplexity)
    assert cached.chosen == best.settings
    reached = pytest.approx(best.valid_perplexity, rel=1e-9)
    assert cached.splits["valid"].perplexity == reached
    targets = load_corpus(experiment.corpus("topics")).splits["test"].stream[1:]
    learning = np.load(experiment.token_scores("run", "document_vector")).astype("float64")
    probabilities = frequencies(targets, cached.chosen["window"])
    expected = caches.mix(learning, probabilities, cached.chosen["weight"])
    scores = np.load(experiment.token_scores("run", "unigram_cache"))
    np.testing.assert_allclose(scores, expected, 1e-5)
    assert cached.costs.multiply_adds_per_word == own.costs.multiply_adds_per_word + 1


@pytest.mark.slow  # a search over many settings
def test_dynamic_evaluation_takes_what_is_best_on_valid(experiment):
    found = evaluated(experiment, "dynamic_evaluation")
    own = read(experiment, "run", "document_vector")
    reached = {trial.valid_perplexity: trial.settings for trial in found.curve}
    assert reached[min(reached)] == found.chosen and len(reached) > 6
    assert found.splits["valid"].perplexity == pytest.approx(min(reached), rel=1e-9)
    assert found.splits["valid"].perplexity < own.splits["valid"].perplexity
    assert found.costs.multiply_adds_per_word > 2 * own.costs.multiply_adds_per_word
    # The vector learns after every word, the weights after every stretch of a sentence.
    corpus = load_corpus(experiment.corpus("topics"))
    split = corpus.splits["test"]
    sizes = np.diff(corpus.class_offsets)
    touched = 0
    for begin, end in itertools.pairwise(split.offsets):
        for first in range(begin, end, 5):
            last = min(first + 5, end)
            classes = np.unique(corpus.word_classes[split.stream[first + 1 : last + 1]])
            scored = sizes[classes][sizes[classes] > 1].sum() + len(sizes)
            embeddings = 10 * len(np.unique(split.stream[first:last]))
            touched += 10**2 + embeddings + scored * (10 + 3)
    expected = 3 + touched / split.tokens
    assert found.costs.parameters_touched_per_word == pytest.approx(expected)


def test_a_rate_that_diverges_is_passed_over(experiment):
    name = "all.word.sentence"
    found = evaluated(experiment, name, learning_rates=[1e30, 0.01], document_rates=[RATE])
    assert found.chosen == {"learning_rate": 0.01}
    assert found.curve[0].valid_perplexity is None
    diverged = evaluated(experiment, name, learning_rates=[1e30])
    assert not diverged.splits
    assert re.search(r"diverged.*testing\.learning_rates", diverged.reason)
    assert [trial.valid_perplexity for trial in diverged.curve] == [None]
    assert np.load(experiment.token_scores("run", name)).shape == (0,)


@pytest.mark.parametrize("name", ["document_vector", "all.word.stream", "mixture"])
def test_an_evaluation_of_a_diverged_run_gives_its_reason(copied, name):
    identity = records.read(RunRecord, copied.run("run").record).identity
    records.write(copied.run("run").result, run_divergence(identity=identity, reason="burst"))
    found = evaluated(copied, name)
    assert (found.reason, found.identity) == ("burst", identity)


def assert_mixed(directory, mixture, places) -> None:
    """Assert that a mixture's scores are those of its parts, which are at these places."""
    expected = sum(
        mixture.chosen[name] * np.exp(np.load(directory.token_scores(*place)).astype("float64"))
        for name, place in places.items()
    )
    scores = np.load(directory.token_scores("run", "mixture"))
    np.testing.assert_allclose(scores, np.log(expected), rtol=1e-5)


def test_a_mixture_is_that_of_the_other_evaluations(experiment):
    found = read(experiment, "run", "mixture")
    places = {
        "network": ("run", "document_vector"),
        "unigram_cache": ("run", "unigram_cache"),
        "kneser_ney5": NGRAMS,
    }
    assert list(found.chosen) == list(places)
    assert_mixed(experiment, found, places)
    parts = [read(experiment, *place) for place in places.values()]
    best = min(part.splits["valid"].perplexity for part in parts)
    assert found.splits["valid"].perplexity <= best + 1e-6
    network, cache, ngrams = (part.costs.multiply_adds_per_word for part in parts)
    assert found.costs.multiply_adds_per_word == cache + ngrams + 3
    speeds = (part.splits["test"].words_per_second for part in parts)
    network_s, cache_s, ngrams_s = (1 / speed for speed in speeds)  # a cache's has the network's
    seconds = network_s + max(cache_s + ngrams_s - network_s, 0)
    assert 1 / found.splits["test"].words_per_second == pytest.approx(seconds)
    # What is left without one of two is the network with the other.
    names = [set(one.weights) for one in found.mixtures]
    assert names == [{"network", "unigram_cache"}, {"network", "kneser_ney5"}]
    pair = read(experiment, "run", "ngram_mixture")
    of_pair = found.mixtures[1]
    assert pair.chosen.keys() == of_pair.weights.keys() and not pair.mixtures
    assert pair.costs.multiply_adds_per_word == network + ngrams + 2
    assert pair.splits["test"].perplexity == pytest.approx(of_pair.test_perplexity, rel=1e-5)


@pytest.mark.parametrize(("factor", "adaptation"), [(0.1, "kept"), (9.0, "document_vector")])
def test_a_mixture_has_the_network_in_the_way_of_learning_that_is_best_on_valid(
    copied, factor, adaptation
):
    kept = "document_vector.word.stream"
    learning = {"updates": ["document_vector"], "unit_of_text": ["stream"]}
    found = evaluated(copied, kept, **learning)
    valid = found.splits["valid"]
    usual = read(copied, "run", "document_vector").splits["valid"].perplexity
    changed = valid.model_copy(update={"perplexity": factor * usual})
    splits = {**found.splits, "valid": changed}
    records.write(copied.evaluation("run", kept), found.model_copy(update={"splits": splits}))
    mixture = evaluated(copied, "mixture", **MIXED, **learning)
    chosen = kept if adaptation == "kept" else adaptation
    places = {"network": ("run", chosen), "unigram_cache": ("run", "unigram_cache")}
    places["kneser_ney5"] = NGRAMS
    assert_mixed(copied, mixture, places)
    network, cache, ngrams = (
        read(copied, *place).costs.multiply_adds_per_word for place in places.values()
    )
    # The cache has the network in its main evaluation, which is not computed twice.
    own = network if adaptation == "kept" else 0
    assert mixture.costs.multiply_adds_per_word == pytest.approx(own + cache + ngrams + 3)


def test_slow_units_are_kept_for_longer_without_a_search_alone_and_in_a_mixture(
    make_corpus_directory, tmp_path
):
    directory = ExperimentDirectory(tmp_path)
    slow = UNTRAINED.model_copy(update={"cell": "slow_context", "document_size": 0})
    write_untrained_run(directory, make_corpus_directory(article=7), slow)
    rivals = ["unigram_cache", "mixture"]
    testing = typed.TestingSettings(
        updates=["output"], unit_of_text=["document", "stream"], rivals=rivals
    )
    state = [one.name for one in adaptations_of_state(slow, testing)]
    assert state == ["none", "none.word.document", "none.word.stream"]
    planned = evaluations_of(slow, testing)
    for name in (*state, *rivals):
        evaluate_run(directory, "run", planned[name], testing)
    found = {name: read(directory, "run", name) for name in state}
    assert not any(tested.chosen or tested.curve or tested.reason for tested in found.values())
    reached = {tested.splits["valid"].perplexity: name for name, tested in found.items()}
    assert len(reached) == 3  # what is kept changes the scores
    places = {"network": ("run", reached[min(reached)]), "unigram_cache": ("run", "unigram_cache")}
    assert_mixed(directory, read(directory, "run", "mixture"), places)


def test_a_mixture_with_a_part_that_diverged_is_said_to_have_diverged(copied):
    found = read(copied, "run", "unigram_cache")
    same = {key: getattr(found, key) for key in ("run", "identity", "evaluation", "files")}
    path = copied.evaluation("run", "unigram_cache")
    records.write(path, Evaluation(**same, reason="burst"))
    mixture = evaluated(copied, "mixture", **MIXED)
    assert not mixture.splits and "unigram_cache is missing: burst" in mixture.reason


@pytest.mark.parametrize(
    ("split", "place"), [("valid", ("run", "unigram_cache")), ("test", NGRAMS)]
)
def test_a_part_that_was_changed_or_lost_is_named(copied, split, place):
    path = copied.token_scores(*place, split)
    np.save(path, np.load(path) + np.float32(0.1))
    with pytest.raises(UserError, match=f"^{path}: changed"):
        evaluated(copied, "mixture", **MIXED)
    copied.evaluation(*place).unlink()
    with pytest.raises(UserError, match=f"^{copied.evaluation(*place)}: missing"):
        evaluated(copied, "mixture", **MIXED)


TESTED = (
    *("none", "document_vector", "document_vector.word.document", "all.word.stream"),
    *("unigram_cache", "neural_cache", "dynamic_evaluation", "ngram_mixture", "mixture"),
)


@pytest.fixture(scope="module")
def tested_again(make_corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """A run with every evaluation; its corpus has `test` and `train` as texts of another kind, too.

    With the weights updated at the rate 0.01, it diverges on the longer one.
    """
    directory = ExperimentDirectory(tmp_path_factory.mktemp("again"))
    corpus = make_corpus_directory(article=7, again=["test", "train"])
    write_untrained_run(directory, corpus)
    others = {"test_again": "unused", "train_again": "unused"}
    rivals = ["unigram_cache", "neural_cache", "dynamic_evaluation", *MIXED["rivals"][1:]]
    testing = {"rivals": rivals, "other_texts": others, "learning_rates": [0.01]}
    [ngrams] = of_corpora(testing).values()
    settings = typed.TestingSettings.model_validate(testing)
    evaluate_corpus_rival(directory, ngrams, settings)
    longest = load_corpus(corpus).splits["train"].tokens
    with pytest.MonkeyPatch.context() as change:
        change.setattr(dynamic_evaluation, "STEPS", ())  # a short search
        for name in TESTED:
            if name == "all.word.stream":
                wrong = lambda s: None if len(s) == longest else 9.0  # noqa: E731
                change.setattr(evaluation_files, "perplexity", wrong)
            evaluate_run(directory, "run", ADAPTATIONS.get(name, name), settings)
            change.setattr(evaluation_files, "perplexity", perplexity)
    return directory


@pytest.mark.parametrize("place", [NGRAMS, *(("run", name) for name in TESTED)])
def test_a_text_of_another_kind_that_is_the_test_text_gets_the_tests_numbers(tested_again, place):
    found = read(tested_again, *place)
    numbers = [
        found.splits[split].model_copy(update={"words_per_second": 0.0})
        for split in ("test", "test_again")
    ]
    assert numbers[0] == numbers[1]
    scores = [np.load(tested_again.token_scores(*place, s)) for s in ("test", "test_again")]
    np.testing.assert_array_equal(*scores)


def test_only_a_text_of_another_kind_is_left_out_where_what_learns_diverges_on_it(tested_again):
    for name in TESTED:
        diverged = name == "all.word.stream"
        assert ("train_again" in read(tested_again, "run", name).splits) != diverged
        scores = np.load(tested_again.token_scores("run", name, "train_again"))
        assert (len(scores) == 0) == diverged
