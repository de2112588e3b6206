"""Testing a trained run on a small corpus."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from online_rnnlm import configuration
from online_rnnlm.configuration import Run, RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.evaluation import evaluate
from online_rnnlm.model import engine, parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.state import OnlineSettings
from online_rnnlm.runs import SPLITS, ExperimentDirectory, read_json
from online_rnnlm.training import train

RATE = 0.15
SENTENCES = {"train": 300, "valid": 60, "test": 50}


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """A trained run with all of its evaluations, and the corpus beside it."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("experiment"))
    corpus = directory.corpus("topics")
    shutil.copytree(corpus_directory.path, corpus.path)
    values = {"hidden_size": 10, "document_size": 3, "document_rate": RATE, "max_epochs": 2}
    run = Run(settings=RunSettings.model_validate({"corpus": "topics", **values}))
    train(run, corpus, directory.run("run"))
    for updates in ("none", "document_vector"):
        evaluate(directory, "run", corpus, updates, configuration.TestingSettings())
    return directory


@pytest.fixture
def by_hand(experiment, reference):
    """log P of every token and d after it, split by split, from the equations in plain numpy."""

    def compute(split, rate):
        corpus = load_corpus(experiment.corpus("topics"))
        weights = parameters.read(experiment.run("run").model)
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
    figures = read_json(experiment.evaluation("run", updates))
    assert (figures["run"], figures["updates"]) == ("run", updates)
    assert figures["identity"] == read_json(experiment.run("run").result)["identity"]
    table = pd.read_parquet(experiment.sentence_scores("run", updates))
    assert list(figures["splits"]) == list(SPLITS) == table["split"].drop_duplicates().tolist()
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
        found = figures["splits"][split]
        assert (found["sentences"], found["tokens"]) == (SENTENCES[split], len(every))
        assert found["perplexity"] == pytest.approx(np.exp(-every.mean()), rel=1e-5)
        without = pytest.approx(np.exp(-every[~hidden].mean()), rel=1e-5)
        assert found["perplexity_without_unk"] == without
        assert found["perplexity_without_unk"] != pytest.approx(found["perplexity"], rel=1e-3)
        words = len(every) - SENTENCES[split]
        assert 0 < found["oov_rate"] == pytest.approx(hidden.sum() / words)
        assert found["words_per_second"] > 0


@pytest.mark.parametrize("updates", ["none", "document_vector"])
def test_perplexities_are_those_of_the_kept_sentences(experiment, updates):
    figures = read_json(experiment.evaluation("run", updates))["splits"]
    table = pd.read_parquet(experiment.sentence_scores("run", updates))
    for split, rows in table.groupby("split"):
        perplexity = np.exp(-rows["log_probability"].sum() / rows["tokens"].sum())
        assert figures[split]["perplexity"] == pytest.approx(perplexity, rel=1e-12)
    types = {
        "sentence": "int32",
        "tokens": "int32",
        "log_probability": "float64",
        "unk_tokens": "int32",
        "unk_log_probability": "float64",
    }
    assert {name: str(table[name].dtype) for name in types} == types


def test_valid_is_as_in_training(experiment):
    figures = read_json(experiment.evaluation("run", "document_vector"))["splits"]
    result = read_json(experiment.run("run").result)
    assert figures["valid"]["perplexity"] == pytest.approx(result["valid_perplexity"], rel=1e-9)


def test_vectors_are_those_after_the_last_word(experiment, by_hand):
    vectors = np.load(experiment.document_vectors("run"))
    assert (vectors.dtype, vectors.shape) == (np.float32, (SENTENCES["test"], 3))
    np.testing.assert_allclose(vectors, by_hand("test", RATE)[2], rtol=1e-3, atol=1e-5)
    assert np.abs(vectors).max() > 1e-3


def test_without_learning_there_are_no_vectors(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    shutil.rmtree(copy.path / "evaluations")
    evaluate(copy, "run", copy.corpus("topics"), "none", configuration.TestingSettings())
    assert not copy.document_vectors("run").exists()
    found, expected = (
        pd.read_parquet(e.sentence_scores("run", "none")) for e in (copy, experiment)
    )
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_a_corpus_that_has_changed_is_refused(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(experiment.path, copy.path)
    shutil.rmtree(copy.path / "evaluations")
    statistics = copy.corpus("topics").statistics
    changed = {**read_json(statistics), "digest": "0" * 64}
    statistics.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(UserError, match="another corpus") as raised:
        evaluate(copy, "run", copy.corpus("topics"), "none", configuration.TestingSettings())
    assert "\n" not in str(raised.value)
    assert str(copy.run("run").run) in str(raised.value)
    assert not (copy.path / "evaluations").exists()


def evaluated(experiment, folder, updates, **testing):
    """A copy of the experiment with one evaluation more."""
    copy = ExperimentDirectory(folder / "copy")
    shutil.copytree(experiment.path, copy.path)
    settings = configuration.TestingSettings.model_validate(testing)
    evaluate(copy, "run", copy.corpus("topics"), updates, settings)
    return copy


def test_learning_weights_start_anew_on_valid_and_on_test(experiment, tmp_path):
    before = experiment.run("run").model.read_bytes()
    copy = evaluated(experiment, tmp_path, "document_vector+output", learning_rate=0.1, steps=2)
    figures = read_json(copy.evaluation("run", "document_vector+output"))
    assert list(figures["splits"]) == ["valid", "test"]
    assert figures["testing"] == {"learning_rate": 0.1, "steps": 2}
    assert figures["updates"] == "document_vector+output"
    assert copy.run("run").model.read_bytes() == before
    table = pd.read_parquet(copy.sentence_scores("run", "document_vector+output"))
    corpus, weights = load_corpus(copy.corpus("topics")), parameters.read(copy.run("run").model)
    settings = RunSettings.model_validate(read_json(copy.run("run").run)["settings"])
    online = OnlineSettings(frozenset(["output"]), 0.1, RATE, 2)
    for split in ("valid", "test"):
        scorer = engine.online_scorer(settings, corpus, weights, online)
        scores = scorer.score(corpus.splits[split], np.arange(SENTENCES[split]))
        rows = table[table["split"] == split]
        np.testing.assert_array_equal(rows["log_probability"], scores.log_probabilities)
        perplexity = np.exp(-rows["log_probability"].sum() / rows["tokens"].sum())
        assert figures["splits"][split]["perplexity"] == pytest.approx(perplexity, rel=1e-12)
    same = experiment.document_vectors("run").read_bytes()
    assert copy.document_vectors("run").read_bytes() == same


def test_all_is_more_than_its_weights(experiment, tmp_path):
    everything = evaluated(experiment, tmp_path / "a", "all")
    weights = evaluated(experiment, tmp_path / "b", "embeddings+recurrent+output")
    found = [
        read_json(copy.evaluation("run", name))["splits"]["test"]["perplexity"]
        for copy, name in ((everything, "all"), (weights, "embeddings+recurrent+output"))
    ]
    assert found[0] != pytest.approx(found[1], rel=1e-3)


def test_learning_too_fast_is_one_line_and_leaves_nothing(experiment, tmp_path):
    with pytest.raises(
        UserError, match=r"all learning on valid: diverged.*learning_rate"
    ) as raised:
        evaluated(experiment, tmp_path, "all", learning_rate=1e30)
    assert "\n" not in str(raised.value)
    copy = ExperimentDirectory(tmp_path / "copy")
    assert not copy.evaluation("run", "all").exists()
    assert not copy.sentence_scores("run", "all").exists()
