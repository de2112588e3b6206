"""Tests of the distribution over the next word, and of the sentences that are drawn from it."""

from collections import Counter

import numpy as np
import pytest

from online_rnnlm.errors import UserError


def test_the_same_seed_gives_the_same_sentences(model, run, model_path):
    made = model.sample(4, seed=5)
    assert model.sample(4, seed=5) == made
    assert model.sample(2, seed=5) == made[:2]
    assert model.sample(4, seed=6) != made
    options = ("--number", 4, "--seed", 5, "--prefix", "The king")
    told = run("sample", "--model", model_path, *options).out.splitlines()
    assert told == model.sample(4, seed=5, prefix="The king")


def test_a_prefix_is_prepared_and_words_are_limited(model):
    for text in model.sample(5, prefix="The Cat", max_words=6):
        words = text.split()
        assert words[:2] == ["the", "cat"] and len(words) <= 6
        assert "<unk>" not in words[2:]
    assert model.sample(prefix="a b c", max_words=3) == ["a b c"]


def test_temperature_and_top_k_narrow_the_choice(model):
    [greedy] = set(model.sample(3, top_k=1))
    assert model.sample(1, temperature=1e-6, seed=3) == [greedy]
    first = Counter(text.split()[0] for text in model.sample(300, top_k=3, max_words=1) if text)
    assert len(first) <= 3


def test_words_are_drawn_by_their_probabilities(model):
    logs = model.next_word(model.start())
    logs[model.network.corpus.unk_id] = -np.inf
    expected = np.exp(logs) / np.exp(logs).sum()
    drawn = Counter(text.split()[0] if text else "</s>" for text in model.sample(4000, max_words=1))
    for word, probability in zip(model.words, expected, strict=True):
        assert abs(drawn[word] / 4000 - probability) < 5 * np.sqrt(probability / 4000) + 1e-9


@pytest.mark.parametrize(
    "settings",
    [
        {"number": "3"},
        {"seed": -1},
        {"temperature": 0.0},
        {"max_words": 1001},
        {"unknown": "no"},
        {"prefix": "a\nb"},
    ],
)
def test_settings_that_cannot_be_used_are_named(model, settings):
    with pytest.raises(UserError, match=f"^`{next(iter(settings))}`: .*$"):
        model.sample(**settings)
