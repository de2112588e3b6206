import numpy as np
import pytest

from online_rnnlm.analysis.figures import tokens
from online_rnnlm.analysis.figures.networks import leading
from online_rnnlm.analysis.results import NothingToShowError
from online_rnnlm.storage.files import sha256_of, write_json
from tests.unit.analysis.changes import (
    IN_ORDER,
    again,
    change_split,
    read_json,
)

pytestmark = pytest.mark.slow  # matplotlib draws every figure


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
    assert [system.title for system in leading(again(results))] == [
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
