"""Tests of the audit of a Python function over the numbers of tokens, or over words."""

import math

import numpy as np
import pytest

from online_rnnlm import UserError, audit

SIZE = 30
CHANCE = np.random.default_rng(1)
TEXT = [CHANCE.integers(0, 12, length).tolist() for length in (7, 1, 12, 9)]


class Adaptive:
    """A model of tokens 0 to 29 that counts what it has read, and forgets it or not."""

    def __init__(self, *, forgets=False, peeks=False, biased=0.0, dtype=np.float64):
        self.forgets = forgets
        self.peeks = peeks
        self.biased = biased
        self.dtype = dtype
        self.calls = 0

    def after(self, before):
        return np.log((np.bincount(before, minlength=SIZE) + 0.1) / (len(before) + 0.1 * SIZE))

    def score(self, text):
        self.calls += 1
        read = []
        scores = []
        for tokens in text:
            read = [] if self.forgets else read
            read += tokens if self.peeks else []
            logs = []
            for token in tokens:
                logs.append(self.after(read)[token] + self.biased)
                read += [] if self.peeks else [token]
            scores.append(np.array(logs, self.dtype))
        return scores

    def ask(self, text, candidates):
        read = text[-1] if self.forgets else [token for tokens in text for token in tokens]
        return self.after(read)[candidates] + self.biased


def statuses(found):
    return {rule.rule: rule.status for rule in found.rules}


@pytest.mark.parametrize(
    ("unit", "vocabulary", "asks"),
    [("sentence", range(SIZE), False), ("document", range(SIZE), True), ("stream", (), True)],
)
def test_an_honest_model_passes_and_is_loaded_once(unit, vocabulary, asks):
    model = Adaptive(forgets=unit != "stream")
    ask = model.ask if asks else None
    found = audit(model.score, ask, text=TEXT, vocabulary=vocabulary, unit=unit, tolerance=1e-9)
    assert (found.broken, found.not_tested) == ([], [])
    assert statuses(found)["reset"] == ("not claimed" if unit == "stream" else "holds")
    assert ("the sum over all 30 words" in str(found)) == (len(vocabulary) > 0)
    assert model.calls > 10


def test_a_model_that_learns_before_it_scores_is_caught_and_shown_in_numbers():
    model = Adaptive(forgets=True, peeks=True)
    found = audit(model.score, model.ask, text=TEXT, vocabulary=range(SIZE), unit="document")
    assert {"causality", "score before update"} <= {*found.broken}
    assert "has another score" in str(found) and "`1" in str(found)


def test_a_text_that_is_shrunk_keeps_a_place_that_is_predicted():
    """The end of a list is none: a function is not asked for it."""
    model = Adaptive()

    def ask(text, candidates):
        begins_the_second = len(text) == 2 and text[1] == []
        return model.ask(text, candidates) - 0.1 * begins_the_second

    found = audit(model.score, ask, text=TEXT, vocabulary=range(SIZE), places=50)
    assert found.broken == ["normalisation", "score before update"]
    assert all(len(rule.shortest.text) == 2 for rule in found.rules if rule.shortest)


@pytest.mark.parametrize("log", [-50.0, -math.inf])
def test_a_text_is_shrunk_if_its_words_are_said_to_be_impossible(log):
    def score(text):
        """A token is as good as impossible, or is, if another one follows it."""
        return [[*[log] * (len(tokens) - 1), -3.0] for tokens in text]

    [causality] = [rule for rule in audit(score, text=TEXT).rules if rule.rule == "causality"]
    shown = causality.shortest
    assert (len(shown.text), len(shown.text[0].split())) == (1, 2)
    assert shown.before == (log if math.isfinite(log) else None)


def test_a_tolerance_fits_the_arithmetic_and_hides_a_bias_below_it():
    coarse = Adaptive(dtype=np.float16)
    options = {"text": TEXT, "vocabulary": range(SIZE)}
    assert "score before update" in audit(coarse.score, coarse.ask, **options).broken
    assert audit(coarse.score, coarse.ask, **options, tolerance=0.02).broken == []
    biased = Adaptive(biased=0.01)
    assert "normalisation" in audit(biased.score, biased.ask, **options).broken
    assert audit(biased.score, biased.ask, **options, tolerance=0.02).broken == []


def test_none_is_no_prediction_and_0_is_a_probability_of_1():
    def first_is(log, text):
        return [[log, *logs[1:]] for logs in Adaptive(forgets=True).score(text)]

    options = {"text": TEXT, "vocabulary": range(SIZE), "unit": "sentence"}
    found = audit(lambda text: first_is(None, text), **options)
    assert (found.broken, found.not_tested) == ([], [])
    assert audit(lambda text: first_is(0.0, text), **options).broken == ["normalisation"]
    nothing = audit(lambda text: [[None] * len(tokens) for tokens in text], **options)
    assert nothing.not_tested == ["normalisation"]


def test_a_model_may_change_the_lists_that_it_is_given():
    """Such as one that takes each token from its list as it reads."""
    model = Adaptive()
    given = [[*tokens] for tokens in TEXT]

    def score(text):
        logs = model.score(text)
        for tokens in text:
            tokens.clear()
        text.clear()
        return logs

    def ask(text, candidates):
        logs = model.ask(text, candidates)
        candidates.clear()
        return logs

    found = audit(score, ask, text=given, vocabulary=range(SIZE), tolerance=1e-9)
    assert (found.broken, found.not_tested, given) == ([], [], TEXT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": ["the cat"]}, "`text`: lists of tokens"),
        ({"text": [3, 1]}, "`text`: lists of tokens"),
        ({"text": [["a", "\n"]]}, "a line's end cannot be a token"),
        ({"unit": "article"}, "`unit`: 'article': allowed: sentence, document, stream"),
        ({"score": lambda text: [[0.0]]}, "`score`: a list of log P for each list"),
        ({"score": lambda text: None}, "`score`: a list of log P for each list"),
        ({"score": lambda text: ["1" * len(one) for one in text]}, "`score`: a list of log P"),
        ({"score": lambda text: [[[0.0, 0.0]] * len(one) for one in text]}, "`score`: a list of"),
        ({"ask": lambda text, candidates: [0.0]}, "`ask`: a log P for each candidate"),
    ],
)
def test_arguments_that_cannot_be_audited_are_refused(changes, expected):
    values = {"score": Adaptive().score, "text": TEXT, "vocabulary": range(SIZE), **changes}
    with pytest.raises(UserError, match=expected):
        audit(**values)
