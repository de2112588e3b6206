"""Tests of the evaluation of a trained run on a small corpus."""

import itertools
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.config import loading
from online_rnnlm.config import testing as typed
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.errors import UserError
from online_rnnlm.evaluation.evaluate import evaluate, evaluate_further
from online_rnnlm.evaluation.rival import evaluate_rival
from online_rnnlm.model import weight_files
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.rivals.base import Impossible
from online_rnnlm.rivals.unigram_cache import unigram_cache
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import SPLITS, ExperimentDirectory
from online_rnnlm.storage.records import (
    Evaluation,
    FailedEvaluation,
    FurtherEvaluations,
    RunRecord,
    RunResult,
)
from online_rnnlm.training.train import train
from tests.unit.small_records import run_divergence

pytestmark = pytest.mark.slow  # trainings and every kind of evaluation

RATE = 0.15
SENTENCES = {"train": 300, "valid": 60, "test": 50}


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """A trained run with all of its evaluations and its corpus."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("experiment"))
    corpus = directory.corpus("topics")
    shutil.copytree(corpus_directory.path, corpus.path)
    values = {"hidden_size": 10, "document_size": 3, "document_rate": RATE, "max_epochs": 2}
    run = Run(settings=RunSettings.model_validate({"corpus": "topics", **values}))
    train(run, corpus, directory.run("run"))
    for updates in ("none", "document_vector"):
        evaluate(directory, "run", corpus, updates, typed.TestingSettings())
    return directory


def read_evaluation(experiment, name) -> Evaluation:
    return records.read(Evaluation, experiment.evaluation("run", name))


@pytest.fixture
def by_hand(experiment, reference):
    """Compute log P of every token and d after it, by split, from the equations in plain numpy."""

    def compute(split, rate):
        corpus = load_corpus(experiment.corpus("topics"))
        weights = weight_files.read(experiment.run("run").model)
        weights = Parameters(*(array.astype("float64") for array in weights))
        lines = experiment.corpus("topics").text(split).read_text().splitlines()
        ids = {word: number for number, word in enumerate(corpus.words)}
        sentences = [[ids[word] for word in [*line.split(), "</s>"]] for line in lines]
        results = [reference(weights, corpus.class_offsets, s, rate) for s in sentences]
        unknown = [np.array(s) == ids["<unk>"] for s in sentences]
        return [r[0] for r in results], unknown, [r[2][-1] for r in results]

    return compute


@pytest.mark.parametrize(("updates", "rate"), [("none", 0.0), ("document_vector", RATE)])
def test_figures_and_sentences_by_hand(experiment, by_hand, updates, rate):
    figures = read_evaluation(experiment, updates)
    assert (figures.run, figures.evaluation) == ("run", updates)
    assert figures.identity == records.read(RunResult, experiment.run("run").result).identity
    table = pd.read_parquet(experiment.sentence_scores("run", updates))
    assert list(figures.splits) == list(SPLITS) == table["split"].drop_duplicates().tolist()
    for split in SPLITS:
        log_probabilities, unknown, _ = by_hand(split, rate)
        rows = table[table["split"] == split]
        assert rows["sentence"].tolist() == list(range(SENTENCES[split]))
        assert rows["tokens"].tolist() == [len(p) for p in log_probabilities]
        expected = [p.sum() for p in log_probabilities]
        np.testing.assert_allclose(rows["log_probability"], expected, rtol=1e-5)
        assert rows["unk_tokens"].tolist() == [u.sum() for u in unknown]
        expected = [p[u].sum() for p, u in zip(log_probabilities, unknown, strict=True)]
        np.testing.assert_allclose(rows["unk_log_probability"], expected, rtol=1e-5)

        every, hidden = np.concatenate(log_probabilities), np.concatenate(unknown)
        found = figures.splits[split]
        assert (found.sentences, found.tokens) == (SENTENCES[split], len(every))
        assert found.perplexity == pytest.approx(np.exp(-every.mean()), rel=1e-5)
        without = pytest.approx(np.exp(-every[~hidden].mean()), rel=1e-5)
        assert found.perplexity_without_unk == without
        assert found.perplexity_without_unk != pytest.approx(found.perplexity, rel=1e-3)
        words = len(every) - SENTENCES[split]
        assert 0 < found.oov_rate == pytest.approx(hidden.sum() / words)
        assert found.words_per_second > 0


@pytest.mark.parametrize("updates", ["none", "document_vector"])
def test_perplexities_are_those_of_the_kept_sentences(experiment, updates):
    figures = read_evaluation(experiment, updates).splits
    table = pd.read_parquet(experiment.sentence_scores("run", updates))
    for split, rows in table.groupby("split"):
        perplexity = np.exp(-rows["log_probability"].sum() / rows["tokens"].sum())
        assert figures[split].perplexity == pytest.approx(perplexity, rel=1e-12)
    types = {
        "sentence": "int32",
        "tokens": "int32",
        "log_probability": "float64",
        "unk_tokens": "int32",
        "unk_log_probability": "float64",
    }
    assert {name: str(table[name].dtype) for name in types} == types


def test_valid_is_as_in_training(experiment):
    figures = read_evaluation(experiment, "document_vector").splits
    result = records.read(RunResult, experiment.run("run").result)
    assert figures["valid"].perplexity == pytest.approx(result.valid_perplexity, rel=1e-9)


def test_vectors_are_those_after_the_last_word(experiment, by_hand):
    for split in ("valid", "test"):
        vectors = np.load(experiment.document_vectors("run", split))
        assert (vectors.dtype, vectors.shape) == (np.float32, (SENTENCES[split], 3))
        np.testing.assert_allclose(vectors, by_hand(split, RATE)[2], rtol=1e-3, atol=1e-5)
        assert np.abs(vectors).max() > 1e-3


def test_tokens_scores_are_those_of_the_sentences(experiment, by_hand):
    scores = np.load(experiment.token_scores("run", "document_vector"))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, np.concatenate(by_hand("test", RATE)[0]), rtol=1e-4)


def test_without_learning_there_are_no_vectors(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    shutil.rmtree(copy.path / "evaluations")
    evaluate(copy, "run", copy.corpus("topics"), "none", typed.TestingSettings())
    assert not copy.document_vectors("run", "test").exists()
    found, expected = (
        pd.read_parquet(e.sentence_scores("run", "none")) for e in (copy, experiment)
    )
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_a_corpus_that_has_changed_is_refused(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    shutil.rmtree(copy.path / "evaluations")
    record = copy.run("run").record
    changed = records.read(RunRecord, record).model_copy(update={"corpus_digest": "0" * 64})
    records.write(record, changed)
    with pytest.raises(UserError, match="another corpus") as raised:
        evaluate(copy, "run", copy.corpus("topics"), "none", typed.TestingSettings())
    assert "\n" not in str(raised.value)
    assert str(copy.run("run").record) in str(raised.value)
    assert not (copy.path / "evaluations").exists()


def evaluated(experiment, folder, updates, **testing):
    """Copy the experiment and add one evaluation; return the copy."""
    copy = ExperimentDirectory(folder / "copy")
    shutil.copytree(experiment.path, copy.path)
    settings = typed.TestingSettings.model_validate(testing)
    evaluate(copy, "run", copy.corpus("topics"), updates, settings)
    return copy


def test_learning_weights_take_the_rate_that_is_best_on_valid(experiment, tmp_path):
    before = experiment.run("run").model.read_bytes()
    name, rates = "document_vector+output.word.stream", [0.001, 0.1]
    copy = evaluated(experiment, tmp_path, name, learning_rates=rates, steps=2)
    figures = read_evaluation(copy, name)
    assert list(figures.splits) == ["valid", "test"]
    assert copy.run("run").model.read_bytes() == before
    assert [entry.settings["learning_rate"] for entry in figures.curve] == rates
    best = min(figures.curve, key=lambda entry: entry.valid_perplexity)
    assert figures.chosen == {"learning_rate": best.settings["learning_rate"]}
    assert figures.splits["valid"].perplexity == pytest.approx(best.valid_perplexity)
    table = pd.read_parquet(copy.sentence_scores("run", name))
    corpus, weights = load_corpus(copy.corpus("topics")), weight_files.read(copy.run("run").model)
    settings = records.read(RunRecord, copy.run("run").record).settings
    online = OnlineSettings(
        frozenset(["output"]), best.settings["learning_rate"], RATE, 2, unit_of_text="stream"
    )
    for split in ("valid", "test"):
        scorer = registry.online_scorer(settings, corpus, weights, online)
        scores = scorer.score(corpus.splits[split], np.arange(SENTENCES[split]))
        rows = table[table["split"] == split]
        total = scores.log_probabilities.sum()
        assert rows["log_probability"].sum() == pytest.approx(total, rel=1e-12)
    same = experiment.document_vectors("run", "test").read_bytes()
    assert copy.document_vectors("run", "test").read_bytes() == same


def test_a_vector_alone_takes_the_best_of_its_own_rates(experiment, tmp_path):
    name, rates = "document_vector.word.sentence", [RATE / 2, RATE]
    copy = evaluated(experiment, tmp_path, name, document_rates=rates)
    figures = read_evaluation(copy, name)
    as_trained = read_evaluation(copy, "document_vector").splits["valid"]
    assert figures.curve[1].settings == {"document_rate": RATE}
    expected = pytest.approx(as_trained.perplexity, rel=1e-5)
    assert figures.curve[1].valid_perplexity == expected
    assert figures.costs.parameters_touched_per_word == 3


def test_all_is_more_than_its_weights(experiment, tmp_path):
    names = ["all.word.stream", "embeddings+recurrent+output.word.stream"]
    copies = [evaluated(experiment, tmp_path / name, name) for name in names]
    figures = [read_evaluation(copy, name) for copy, name in zip(copies, names, strict=True)]
    found = [f.splits["test"].perplexity for f in figures]
    assert found[0] != pytest.approx(found[1], rel=1e-3)
    costs = [f.costs.multiply_adds_per_word for f in figures]
    assert costs[0] > costs[1]


def test_what_is_learnt_after_a_sentence_is_lost_where_it_ends_the_unit(experiment, tmp_path):
    name = "output.sentence.sentence"
    copy = evaluated(experiment, tmp_path, name)
    found, still = (read_evaluation(copy, n).splits["test"].perplexity for n in (name, "none"))
    assert found == pytest.approx(still, rel=1e-6)


@pytest.mark.parametrize("rival", ["unigram_cache", "neural_cache"])
def test_a_cache_mixes_with_what_is_best_on_valid(experiment, tmp_path, rival):
    copy = evaluated(experiment, tmp_path, rival)
    figures = read_evaluation(copy, rival)
    best = min(entry.valid_perplexity for entry in figures.curve)
    assert figures.splits["valid"].perplexity == pytest.approx(best, rel=1e-9)
    chosen = [e for e in figures.curve if figures.chosen == e.settings]
    assert [e.valid_perplexity for e in chosen] == [best]


def test_dynamic_evaluation_takes_what_is_best_on_valid(experiment, tmp_path):
    copy = evaluated(experiment, tmp_path, "dynamic_evaluation")
    found, own = (read_evaluation(copy, n) for n in ("dynamic_evaluation", "document_vector"))
    reached = {entry.valid_perplexity: entry.settings for entry in found.curve}
    assert reached[min(reached)] == found.chosen
    assert found.splits["valid"].perplexity == pytest.approx(min(reached), rel=1e-9)
    # None of the neighbours that were not tried is left: the search went on until none was better.
    assert len(reached) > 6
    assert found.splits["valid"].perplexity < own.splits["valid"].perplexity
    assert found.costs.multiply_adds_per_word > 2 * own.costs.multiply_adds_per_word
    # The vector learns after every word, the weights after every stretch of a sentence.
    corpus = load_corpus(copy.corpus("topics"))
    split, sizes, touched = corpus.splits["test"], np.diff(corpus.class_offsets), 0
    for begin, end in itertools.pairwise(split.offsets):
        for first in range(begin, end, 5):
            last = min(first + 5, end)
            classes = np.unique(corpus.word_classes[split.stream[first + 1 : last + 1]])
            scored = sizes[classes][sizes[classes] > 1].sum() + len(sizes)
            embeddings = 10 * len(np.unique(split.stream[first:last]))
            touched += 10**2 + embeddings + scored * (10 + 3)
    expected = 3 + touched / split.tokens
    assert found.costs.parameters_touched_per_word == pytest.approx(expected)


def test_beneath_a_cache_the_vector_learns_as_in_training(experiment, tmp_path):
    copy = evaluated(experiment, tmp_path, "unigram_cache")
    cached, own = (read_evaluation(copy, n) for n in ("unigram_cache", "document_vector"))
    targets = load_corpus(copy.corpus("topics")).splits["test"].stream[1:]
    learning = np.load(copy.token_scores("run", "document_vector")).astype("float64")
    expected = unigram_cache(targets, learning, **cached.chosen)
    np.testing.assert_allclose(np.load(copy.token_scores("run", "unigram_cache")), expected, 1e-5)
    costs = [found.costs.multiply_adds_per_word for found in (cached, own)]
    assert costs[0] == costs[1] + 1


def read_divergence(experiment, name) -> FailedEvaluation:
    return records.read(FailedEvaluation, experiment.evaluation("run", name))


def test_learning_too_fast_is_recorded_with_the_key(experiment, tmp_path):
    name = "all.word.stream"
    copy = evaluated(experiment, tmp_path, name, learning_rates=[1e30])
    found = read_divergence(copy, name)
    assert re.search(r"diverged.*testing\.learning_rates", found.reason)
    assert [trial.valid_perplexity for trial in found.curve] == [None]
    assert len(pd.read_parquet(copy.sentence_scores("run", name))) == 0
    assert np.load(copy.token_scores("run", name)).shape == (0,)
    kinds = ("parquet", "valid.npy", "test.npy")
    assert set(found.files) == {f"{name}.{kind}" for kind in kinds}


def test_an_evaluation_that_diverged_is_not_made_again(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    testing = typed.TestingSettings(learning_rates=[1e30])
    times = []
    for _ in range(2):
        names = ("all.word.stream",)
        evaluate_further(copy, "run", copy.corpus("topics"), names, testing)
        times.append(copy.evaluation("run", names[0]).stat().st_mtime_ns)
    assert times[0] == times[1]


@pytest.mark.parametrize("name", ["none", "document_vector", "all.word.stream", "unigram_cache"])
def test_an_evaluation_of_a_diverged_run_gives_its_reason(experiment, tmp_path, name):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.run("run").path, copy.run("run").path)
    identity = records.read(RunRecord, copy.run("run").record).identity
    records.write(copy.run("run").result, run_divergence(identity=identity, reason="burst"))
    evaluate(copy, "run", copy.corpus("topics"), name, typed.TestingSettings())
    found = read_divergence(copy, name)
    assert (found.reason, found.identity) == ("burst", identity)
    files = [copy.sentence_scores("run", name)]
    files += [copy.token_scores("run", name, split) for split in ("valid", "test")]
    if name == "document_vector":
        files += [copy.document_vectors("run", split) for split in ("valid", "test")]
    assert set(found.files) == {file.name for file in files}
    assert all(file.is_file() for file in files)


def test_a_main_evaluation_can_diverge_too(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("online_rnnlm.evaluation.scoring.perplexity", lambda _: None)
    copy = evaluated(experiment, tmp_path, "none")
    assert "diverged on train" in read_divergence(copy, "none").reason


def test_a_rate_that_diverges_is_passed_over(experiment, tmp_path):
    name = "all.word.stream"
    copy = evaluated(experiment, tmp_path, name, learning_rates=[1e30, 0.01])
    figures = read_evaluation(copy, name)
    assert figures.chosen == {"learning_rate": 0.01}
    assert figures.curve[0].valid_perplexity is None


def test_further_evaluations_that_are_there_are_not_made_again(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    names = ("output.word.sentence", "unigram_cache")
    testing = typed.TestingSettings(learning_rates=[0.01])

    def times(settings):
        evaluate_further(copy, "run", copy.corpus("topics"), names, settings)
        made = records.read(FurtherEvaluations, copy.further_evaluations("run"))
        assert made.evaluations == names
        return [copy.evaluation("run", name).stat().st_mtime_ns for name in names]

    first = times(testing)
    copy.further_evaluations("run").unlink()  # as if killed before its last file
    assert times(testing) == first
    other = typed.TestingSettings(learning_rates=[0.02])
    assert all(new > old for new, old in zip(times(other), first, strict=True))


@pytest.mark.parametrize("suffix", ["parquet", "test.npy", "json"])
def test_a_further_evaluation_without_one_of_its_files_is_made_again(experiment, tmp_path, suffix):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    arguments = copy, "run", copy.corpus("topics"), ("unigram_cache",), typed.TestingSettings()
    evaluate_further(*arguments)
    lost = copy.evaluations("run") / f"unigram_cache.{suffix}"
    content = lost.read_bytes()
    lost.unlink()
    evaluate_further(*arguments)
    assert lost.is_file()
    assert suffix == "json" or lost.read_bytes() == content


def test_a_rivals_code_decides_its_own_evaluation_only(experiment, tmp_path, monkeypatch):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    names = ["output.word.sentence", "unigram_cache"]
    testing = typed.TestingSettings(learning_rates=[0.01])

    def times(edited):
        def digest(*starts, **_):
            return "edited" if edited in starts else "as it was"

        monkeypatch.setattr("online_rnnlm.evaluation.evaluate.code_digest", digest)
        evaluate_further(copy, "run", copy.corpus("topics"), names, testing)
        return [copy.evaluation("run", name).stat().st_mtime_ns for name in names]

    learning, cached = times("nothing")
    assert times("rivals.neural_cache") == [learning, cached]
    assert times("rivals.unigram_cache")[0] == learning
    assert times("rivals.unigram_cache")[1] > cached


MIXED = {"rivals": ["unigram_cache", "kneser_ney", "ngram_mixture", "mixture"]}


@pytest.fixture(scope="module")
def mixed(experiment, tmp_path_factory):
    """The run with a cache, a model of n-grams, and the mixture of both with the network."""
    copy = ExperimentDirectory(tmp_path_factory.mktemp("mixed") / "copy")
    shutil.copytree(experiment.path, copy.path)
    settings = typed.TestingSettings.model_validate(MIXED)
    of_corpus = rivals_of_corpora(described(MIXED))
    [(folder, ngrams)] = of_corpus.items()
    evaluate_rival(copy, folder, ngrams)
    evaluate(copy, "run", copy.corpus("topics"), "document_vector", settings)
    evaluate_further(copy, "run", copy.corpus("topics"), settings.rivals_of_runs, settings)
    return copy


def described(testing):
    corpora = {"topics": {"source": {"kind": "wikipedia-vital"}}}
    return loading.parse(
        {"experiment": "mixed", "corpora": corpora, "rows": [{}], "testing": testing}
    )


def test_a_mixture_is_that_of_the_other_evaluations(mixed):
    found = read_evaluation(mixed, "mixture")
    places = {
        "network": ("run", "document_vector"),
        "unigram_cache": ("run", "unigram_cache"),
        "kneser_ney5": ("topics-kneser_ney5", "none"),
    }
    assert list(found.chosen) == list(places)
    expected = sum(
        found.chosen[name] * np.exp(np.load(mixed.token_scores(*place)).astype("float64"))
        for name, place in places.items()
    )
    scores = np.load(mixed.token_scores("run", "mixture"))
    np.testing.assert_allclose(scores, np.log(expected), rtol=1e-5)
    parts = [records.read(Evaluation, mixed.evaluation(*place)) for place in places.values()]
    best = min(part.splits["valid"].perplexity for part in parts)
    assert found.splits["valid"].perplexity <= best + 1e-6
    network, cache, ngrams = (part.costs.multiply_adds_per_word for part in parts)
    assert found.costs.multiply_adds_per_word == cache + ngrams + 3
    assert cache > network


def test_the_network_is_mixed_with_the_ngrams_alone(mixed):
    found = read_evaluation(mixed, "ngram_mixture")
    assert list(found.chosen) == ["network", "kneser_ney5"]
    places = (("run", "document_vector"), ("topics-kneser_ney5", "none"))
    network, ngrams = (records.read(Evaluation, mixed.evaluation(*place)) for place in places)
    costs = (part.costs.multiply_adds_per_word for part in (network, ngrams))
    assert found.costs.multiply_adds_per_word == sum(costs) + 2
    of_pair = read_evaluation(mixed, "mixture").mixtures[1]
    assert set(of_pair.weights) == set(found.chosen)
    assert found.splits["test"].perplexity == pytest.approx(of_pair.test_perplexity, rel=1e-5)
    assert not found.mixtures


def test_a_mixture_says_what_its_parts_bring(mixed):
    names = [set(one.weights) for one in read_evaluation(mixed, "mixture").mixtures]
    assert names == [
        {"network", "unigram_cache"},
        {"network", "kneser_ney5"},
    ]  # what is left without one of two is the network with the other


def test_another_order_of_the_ngrams_makes_the_mixture_again(mixed, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(mixed.path, copy.path)
    testing = MIXED | {"kneser_ney_order": 2}
    settings = typed.TestingSettings.model_validate(testing)
    [(folder, ngrams)] = rivals_of_corpora(described(testing)).items()
    evaluate_rival(copy, folder, ngrams)
    evaluate_further(copy, "run", copy.corpus("topics"), settings.rivals_of_runs, settings)
    assert set(read_evaluation(copy, "mixture").chosen) >= {"kneser_ney2"}
    times = [path.evaluation("run", "unigram_cache").stat().st_mtime_ns for path in (mixed, copy)]
    assert times[0] == times[1]


def test_a_mixture_with_a_part_that_diverged_is_said_to_have_diverged(mixed, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(mixed.path, copy.path)
    found = read_evaluation(copy, "unigram_cache")
    diverged = FailedEvaluation(
        run="run",
        identity=found.identity,
        evaluation="unigram_cache",
        files=found.files,
        reason="burst",
    )
    records.write(copy.evaluation("run", "unigram_cache"), diverged)
    settings = typed.TestingSettings.model_validate(MIXED)
    evaluate(copy, "run", copy.corpus("topics"), "mixture", settings)
    assert "unigram_cache" in read_divergence(copy, "mixture").reason


def test_a_rival_that_is_impossible_leaves_the_reason(experiment, tmp_path, monkeypatch):
    """A mixture of which it is a part is impossible, too."""

    def refuse(*_):
        raise Impossible("there are no topics")

    monkeypatch.setattr("online_rnnlm.rivals.topics.find_topics", refuse)
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    testing = {"rivals": ["topics", "mixture"]}
    settings = typed.TestingSettings.model_validate(testing)
    [(folder, topics)] = rivals_of_corpora(described(testing)).items()
    evaluate_rival(copy, folder, topics)
    found = records.read(FailedEvaluation, copy.evaluation(folder, "none"))
    assert found.status == "impossible"
    assert found.reason == f"{folder}: there are no topics"
    assert all(copy.evaluation(folder, "none").with_name(file).is_file() for file in found.files)
    evaluate(copy, "run", copy.corpus("topics"), "document_vector", settings)
    evaluate(copy, "run", copy.corpus("topics"), "mixture", settings)
    mixture = records.read(FailedEvaluation, copy.evaluation("run", "mixture"))
    assert mixture.status == "impossible"
    assert found.reason in mixture.reason


def test_another_error_of_a_rival_is_not_taken_for_an_impossible_one(
    experiment, tmp_path, monkeypatch
):
    """A package that is missing, say, stops the job, and does not become a result."""

    def refuse(*_):
        raise UserError("a package is not installed")

    monkeypatch.setattr("online_rnnlm.rivals.topics.find_topics", refuse)
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    [(folder, topics)] = rivals_of_corpora(described({"rivals": ["topics"]})).items()
    with pytest.raises(UserError, match="not installed"):
        evaluate_rival(copy, folder, topics)
    assert not copy.evaluation(folder, "none").is_file()


@pytest.mark.parametrize(("split", "evaluation"), [("valid", "unigram_cache"), ("test", "none")])
def test_a_part_that_was_changed_is_refused(mixed, tmp_path, split, evaluation):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(mixed.path, copy.path)
    run = "run" if evaluation != "none" else "topics-kneser_ney5"
    path = copy.token_scores(run, evaluation, split)
    scores = np.load(path)
    np.save(path, scores + np.float32(0.1))
    settings = typed.TestingSettings.model_validate(MIXED)
    with pytest.raises(UserError, match=path.name):
        evaluate(copy, "run", copy.corpus("topics"), "mixture", settings)
