"""Tests of the rivals' names, and of the search for the settings of dynamic evaluation."""

import numpy as np
import pytest

from online_rnnlm.jobs.network import best_trial
from online_rnnlm.rivals import dynamic_evaluation
from tests.unit.small_records import VITAL, plan


@pytest.mark.parametrize("order", [2, 5])
def test_a_rival_of_a_corpus_is_named_by_the_corpus_and_itself(order):
    testing = {"rivals": ["kneser_ney", "unigram_cache"], "kneser_ney_order": order}
    found = plan(corpora={"one": VITAL, "two": VITAL}, testing=testing).corpus_rivals
    assert list(found) == [f"one-kneser_ney{order}", f"two-kneser_ney{order}"]
    assert [one.corpus for one in found.values()] == ["one", "two"]


class Hill:
    """A text that is most probable with one place of the grid, and has no probability at others."""

    def __init__(self, best, reach=9):
        self._best = best
        self._reach = reach
        self.asked = []

    def __call__(self, settings):
        self.asked.append(settings)
        distance = sum(
            abs(values.index(settings[key]) - values.index(self._best[key]))
            for key, values in dynamic_evaluation.GRID.items()
        )
        return np.array([-np.inf if distance > self._reach else -1.0 - distance])


@pytest.mark.parametrize("corner", [0, -1])
def test_the_search_for_dynamic_evaluation_climbs_to_the_best(corner):
    best = {key: values[corner] for key, values in dynamic_evaluation.GRID.items()}
    hill = Hill(best)
    curve = dynamic_evaluation.search(hill)
    assert best_trial(curve).settings == {**best, "tokens": dynamic_evaluation.TOKENS}
    assert len(curve) == len(hill.asked)
    assert len({tuple(asked.values()) for asked in hill.asked}) == len(hill.asked)  # each once
    whole = np.prod([len(values) for values in dynamic_evaluation.GRID.values()])
    assert len(hill.asked) < whole / 2


def test_the_search_for_dynamic_evaluation_follows_a_ridge():
    """With a larger ε the best η is larger: neither alone makes it better."""
    keys = ("learning_rate", "epsilon")
    values = [dynamic_evaluation.GRID[key] for key in keys]

    def ridge(settings):
        rate, share = (
            found.index(settings[key]) - len(found) for key, found in zip(keys, values, strict=True)
        )
        return np.array([rate + share - 5.0 * abs(rate - share)])

    chosen = best_trial(dynamic_evaluation.search(ridge)).settings
    assert [chosen[key] for key in keys] == [found[-1] for found in values]


def test_if_the_usual_start_diverges_the_search_begins_at_the_smallest_steps():
    places = zip(dynamic_evaluation.GRID.items(), (0, 2, 3), strict=True)
    best = {key: values[place] for (key, values), place in places}
    curve = dynamic_evaluation.search(Hill(best, reach=3))  # the usual start is six places away
    assert best_trial(curve).settings == {**best, "tokens": dynamic_evaluation.TOKENS}
    assert curve[0].valid_perplexity is None
