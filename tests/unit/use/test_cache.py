"""Tests that a model beside a cache gives the numbers of the evaluations with that cache."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from online_rnnlm import load
from online_rnnlm.errors import WrongInputError
from online_rnnlm.storage import records
from online_rnnlm.storage.records import Evaluation

pytestmark = pytest.mark.slow  # two trainings

CACHES = ["unigram_cache", "neural_cache"]


def test_text(results) -> str:
    return results.corpus("topics").split("test").read_text(encoding="utf-8")


test_text.__test__ = False


def options_of(cache: str, chosen: dict) -> list[str]:
    return ["--cache", cache, *(f"--cache-{key}={value}" for key, value in chosen.items())]


@pytest.mark.parametrize("cache", CACHES)
def test_the_numbers_are_the_evaluations_to_the_last_bit(results, names, run, cache):
    record = records.read(Evaluation, results.evaluation(names.STATIC, cache))
    table = pd.read_parquet(results.sentence_scores(names.STATIC, cache))
    expected = table[table["split"] == "test"]["log_probability"].tolist()
    folder, text = results.run(names.STATIC).path, test_text(results)
    command = ["score", folder, "--tokenised", "--format", "jsonl"]
    options = options_of(cache, record.chosen)
    rows = names.json_lines(run(*command, *options, text=text).out)
    assert [row["log_probability"] for row in rows] == expected
    assert expected != [
        r["log_probability"] for r in names.json_lines(run(*command, text=text).out)
    ]
    [total] = names.json_lines(run(*command, *options, "--per", "total", text=text).out)
    assert total["perplexity"] == record.splits["test"].perplexity


@pytest.mark.parametrize("cache", CACHES)
def test_a_cache_holds_words_across_sentences_and_documents(results, names, cache):
    model = load(results.run(names.STATIC).path)
    word = model.words[-1]  # a rare one
    texts = [word, "", word]
    with_cache = model.log_probabilities(texts, tokenised=True, cache=cache, cache_weight=0.5)
    without = model.log_probabilities(texts, tokenised=True)
    np.testing.assert_array_equal(without[0], without[1])
    assert with_cache[0][0] == without[0][0]  # the cache is empty
    assert with_cache[1][0] > without[1][0]  # the cache has it


def test_a_cache_of_one_word_is_that_word(results, names):
    """P = (1 - λ) P_rnn + λ [w is the word before]."""
    model = load(results.run(names.STATIC).path)
    word = next(word for word in model.words if word.isalpha())
    texts, way = [f"{word} {word}"], {"cache": "unigram_cache", "cache_window": 1}
    [logs] = model.log_probabilities(texts, tokenised=True)
    [mixed] = model.log_probabilities(texts, tokenised=True, cache_weight=0.2, **way)
    p = np.exp(logs)
    expected = [p[0], 0.8 * p[1] + 0.2, 0.8 * p[2]]
    np.testing.assert_allclose(np.exp(mixed), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ({"cache": "unigram_cache"}, "`updates` must be `none`"),
        ({"cache": "ngram", "updates": "none"}, "unigram_cache"),
        ({"cache_weight": 0.1, "updates": "none"}, "there is no `cache`"),
        ({"cache": "unigram_cache", "cache_theta": 1.0, "updates": "none"}, "has none"),
        ({"cache": "neural_cache", "cache_weight": 1.0, "updates": "none"}, "less than 1"),
        ({"cache": "neural_cache", "cache_window": 0, "updates": "none"}, "greater than or equal"),
    ],
)
def test_a_cache_that_cannot_be_used_is_one_line(model, way, expected):
    with pytest.raises(WrongInputError, match=expected) as raised:
        model.log_probabilities(["The cat."], **way)
    assert len(str(raised.value).splitlines()) == 1


def test_a_cache_does_not_answer_line_by_line(model_path, refused):
    command = ["score", model_path, "--static", "--cache", "neural_cache", "--flush"]
    assert "--flush: cannot be combined with `--cache`" in refused(*command, text="The cat.\n")


@pytest.mark.parametrize("cache", CACHES)
def test_the_help_names_the_usual_settings(run, cache):
    text = " ".join(run("score", "--help").out.split())
    usual = import_module(f"online_rnnlm.rivals.{cache}").Rival.usual
    of_cache = {f"{usual['weight']} for `{cache}`", f"(default: {usual['window']})"}
    assert all(words in text for words in of_cache)
    assert f"(default: {usual.get('theta', 1):g})" in text
