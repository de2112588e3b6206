"""Tests of the learning rate's rules, on invented entropies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.training.schedule import Schedule


def followed(entropies, rate=0.8, divisor=2.0, factor=1.003, rule="toolkit"):
    """Return (learning rate, True if better) of each epoch until the end, and the schedule."""
    schedule, epochs = Schedule(rate, divisor, factor, rule), []
    for entropy in entropies:
        assert not schedule.ended
        epochs.append((schedule.learning_rate, schedule.is_better(entropy)))
        schedule = schedule.after(entropy)
        if schedule.ended:
            break
    return epochs, schedule


@pytest.mark.parametrize(
    ("entropies", "rates", "kept"),
    [
        # Every epoch is better, so the rate stays.
        ([6.0, 5.5, 5.0, 4.5], [0.8] * 4, [True] * 4),
        # Better by less than the factor: the rate is halved before every later epoch until the end.
        ([5.0, 4.99, 4.9, 4.8, 4.79], [0.8, 0.8, 0.4, 0.2, 0.1], [True] * 5),
        # A worse epoch is not kept; later epochs are compared with the best, not the last.
        ([5.0, 5.2, 4.5, 4.6], [0.8, 0.8, 0.4, 0.2], [True, False, True, False]),
        ([5.0, 5.2, 5.1], [0.8, 0.8, 0.4], [True, False, False]),
        # An equally good epoch is not better.
        ([5.0, 5.0, 5.0], [0.8, 0.8, 0.4], [True, False, False]),
    ],
)
def test_rates_and_kept_weights(entropies, rates, kept):
    epochs, schedule = followed(entropies)
    assert epochs == list(zip(rates, kept, strict=True))
    failures = entropies != [6.0, 5.5, 5.0, 4.5]
    assert schedule.ended == failures
    assert schedule.best_entropy == min(entropies)


def test_a_plateau_divides_the_rate_once_and_the_third_ends_training():
    entropies = [5.0, 5.2, 4.5, 4.4, 4.4, 4.3, 4.3]
    epochs, schedule = followed(entropies, rule="plateau")
    rates = [0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]
    assert epochs == list(zip(rates, [True, False, True, True, False, True, False], strict=True))
    assert schedule.ended
    assert schedule.learning_rate == pytest.approx(0.1)


def test_the_factor_decides():
    # 5.0 / 4.99 is 1.002, 5.0 / 4.98 is 1.004.
    assert Schedule(1.0, 2.0, 1.003).after(5.0).after(4.99).failures
    assert not Schedule(1.0, 2.0, 1.003).after(5.0).after(4.98).failures
    assert not Schedule(1.0, 2.0, 1.0).after(5.0).after(4.9999).failures


def test_the_divisor_decides():
    assert Schedule(0.9, 3.0, 1.003).after(5.0).after(5.0).learning_rate == pytest.approx(0.3)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=20))
def test_it_ends_at_the_second_failure_and_never_sooner(entropies):
    epochs, schedule = followed(entropies)
    best, failures = float("inf"), 0
    for entropy in entropies[: len(epochs)]:
        failures += entropy * 1.003 >= best
        best = min(best, entropy)
    assert schedule.ended == (failures == 2)
    assert schedule.best_entropy == best
    rates = [rate for rate, _ in epochs]
    assert rates == sorted(rates, reverse=True)
