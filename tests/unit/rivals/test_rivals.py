"""Tests that every rival is a module, of the kind (run or corpus) that lists its name."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from online_rnnlm import rivals
from online_rnnlm.config import loading
from online_rnnlm.config import testing as typed
from online_rnnlm.rivals import dynamic_evaluation
from online_rnnlm.rivals.base import CorpusRival, RunRival

OF_RUNS, OF_CORPORA = get_args(typed.RunRivalName), get_args(typed.CorpusRivalName)
HELPERS = {"__init__", "base", "caches"}


def experiment(**testing):
    source = {"source": {"kind": "wikipedia-vital"}}
    corpora = {"one": source, "two": source}
    values = {"experiment": "test", "corpora": corpora, "rows": [{}], "testing": testing}
    return loading.parse(values)


def test_the_modules_are_those_of_the_names():
    modules = {file.stem for file in Path(rivals.__file__).parent.glob("*.py")}
    assert modules - HELPERS == {*OF_RUNS, *OF_CORPORA}


def test_a_rival_is_of_what_its_name_says():
    described = experiment(rivals=[*OF_RUNS, *OF_CORPORA])
    of_runs = rivals.rivals_in(described.testing.rivals_of_runs, described.testing)
    assert [rival.name for rival in of_runs] == list(OF_RUNS)
    assert all(isinstance(rival, RunRival) for rival in of_runs)
    of_corpora = rivals.rivals_of_corpora(described)
    assert {found.corpus for found in of_corpora.values()} == {"one", "two"}
    assert len(of_corpora) == 2 * len(OF_CORPORA)
    assert all(isinstance(found.rival, CorpusRival) for found in of_corpora.values())


def test_a_name_among_the_wrong_ones_is_an_error(monkeypatch):
    monkeypatch.setattr(rivals, "RunRivalName", typed.CorpusRivalName)
    with pytest.raises(TypeError, match=r"rivals\.kneser_ney.*RunRival"):
        rivals.rival_in("kneser_ney", typed.TestingSettings())


@pytest.mark.parametrize("order", [2, 5])
def test_a_file_of_a_kneser_ney_model_has_its_order_in_its_name(order):
    found = rivals.rivals_of_corpora(experiment(rivals=["kneser_ney"], kneser_ney_order=order))
    assert list(found) == [f"one-kneser_ney{order}", f"two-kneser_ney{order}"]


@pytest.mark.parametrize("evaluation", ["none", "document_vector", "all.word.stream"])
def test_what_a_run_does_alone_is_no_rivals(evaluation):
    assert rivals.rival_in(evaluation, typed.TestingSettings()) is None


class Hill:
    """A text that is most probable with one place of the grid, and has no probability at others."""

    def __init__(self, best, reach=6):
        self._best, self._reach, self.asked = best, reach, []

    def learnt(self, **settings):
        self.asked.append(settings)
        distance = sum(
            abs(values.index(settings[key]) - values.index(self._best[key]))
            for key, values in dynamic_evaluation.GRID.items()
        )
        return np.array([-np.inf if distance > self._reach else -1.0 - distance])


@pytest.mark.parametrize("corner", [0, -1])
def test_the_search_for_dynamic_evaluation_climbs_to_the_best(corner):
    best = {key: values[corner] for key, values in dynamic_evaluation.GRID.items()}
    hill, rival = Hill(best), rivals.rival_in("dynamic_evaluation", typed.TestingSettings())
    rival.fit(hill)
    assert rival.chosen == {**best, "tokens": dynamic_evaluation.TOKENS}
    assert len(rival.curve) == len(hill.asked)
    assert len({tuple(asked.values()) for asked in hill.asked}) == len(hill.asked)  # each once
    whole = np.prod([len(values) for values in dynamic_evaluation.GRID.values()])
    assert len(hill.asked) < whole / 2


def test_if_the_usual_start_diverges_the_search_begins_at_the_smallest_steps():
    places = zip(dynamic_evaluation.GRID.items(), (0, 2, 3), strict=True)
    best = {key: values[place] for (key, values), place in places}
    rival = rivals.rival_in("dynamic_evaluation", typed.TestingSettings())
    rival.fit(Hill(best, reach=3))  # the usual start is five places away
    assert rival.chosen == {**best, "tokens": dynamic_evaluation.TOKENS}
    assert rival.curve[0].valid_perplexity is None
