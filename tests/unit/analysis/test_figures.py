import numpy as np
import pytest

from online_rnnlm.analysis.figures import tokens
from online_rnnlm.analysis.figures.networks import leading
from online_rnnlm.analysis.results import NothingToShowError
from online_rnnlm.storage.files import sha256_of, write_json
from tests.unit.analysis.changes import (
    IN_ORDER,
    again,
    change_evaluation,
    change_split,
    read_json,
)

pytestmark = pytest.mark.slow  # matplotlib draws every figure


def test_a_model_costs_what_it_costs_in_that_evaluation(invented):
    rows = [{"hidden_size": 100, "document_size": [0, 20]}]
    testing = {"rivals": ["neural_cache", "kneser_ney"]}
    results = invented(rows=rows, testing=testing, seeds=[1, 2])
    directory = results.directory
    for seed in (1, 2):
        name = f"invented-M100-D20-seed{seed}"
        change_evaluation(directory, name, "document_vector", multiply_adds_per_word=30_000)
        change_split(directory, name, "document_vector", "test", perplexity=70.0 + seed)
        static = f"invented-M100-D0-seed{seed}"
        cost = 200_000 + 1000 * seed
        change_evaluation(directory, static, "neural_cache", multiply_adds_per_word=cost)
    results = again(results)
    found = {system.name: system for system in results.systems_on("invented")}
    assert found["100/20"].multiply_adds == 30_000
    assert found["100/20"].perplexity("test").mean == pytest.approx(71.5)
    assert found["100/20"].perplexity("test").deviation == pytest.approx(0.5**0.5)
    assert found["100/0 + neural cache"].multiply_adds == pytest.approx(201_500)
    assert found["5-gram, modified Kneser-Ney"].multiply_adds == 5
    sizes = {name: system.parameters for name, system in found.items()}
    assert sizes["100/20"] > sizes["100/0"] == sizes["100/0 + neural cache"]
    assert sizes["5-gram, modified Kneser-Ney"] == 900_000


def test_figures_name_the_first_vector_and_its_opponent_of_each_kind_then_the_best_rivals(invented):
    units = {"unit_of_text": ["sentence", "document"]}
    rows = [
        {"hidden_size": [100, 120, 135], **units},
        {"hidden_size": 100, "document_size": [20, 35], **units},
    ]
    testing = {"rivals": ["neural_cache", "unigram_cache", "kneser_ney", "mixture"]}
    results = invented(rows=rows, testing=testing, corpora=IN_ORDER)
    best = "invented-M120-D0-document-seed1"
    change_split(results.directory, best, "unigram_cache", "valid", perplexity=1.0)
    assert [system.name for system in leading(again(results))] == [
        *("100/20", "120/0", "100/20 per article", "120/0 per article"),
        *("120/0 per article + unigram cache", "5-gram, modified Kneser-Ney"),
        *("100/0", "100/0 per article"),
    ]


def test_over_an_article_the_vector_is_kept_for_it_if_it_was_tested_so(invented):
    kept = {"updates": ["document_vector"], "unit_of_text": ["document"]}
    for testing, said in (({}, "kept for the sentence"), (kept, "kept for the article")):
        _, caption = tokens.draw_distance(invented(corpora=IN_ORDER, testing=testing))
        assert said in caption
        assert "intervals over articles" in caption


def test_without_known_articles_there_is_nothing_to_show(invented):
    results = invented(corpora=IN_ORDER)
    corpus = results.directory.corpus("invented")
    path = corpus.split_articles("test")
    np.save(path, np.zeros_like(np.load(path)))
    statistics = read_json(corpus.statistics)
    statistics["files"][path.name] = sha256_of(path)
    write_json(corpus.statistics, statistics)
    with pytest.raises(NothingToShowError, match="articles"):
        tokens.draw_distance(results)
