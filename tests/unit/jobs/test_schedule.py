"""Tests of the learning rate's rules, on invented entropies."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.schedule import Schedule, is_better
from tests.unit.small_records import epoch


def schedule_of(rule, **changes):
    values = {"corpus": "topics", "learning_rate": 0.8, "max_epochs": 30, "rate_rule": rule}
    return Schedule(RunSettings.model_validate(values | changes))


def epochs_of(*entropies):
    numbered = enumerate(entropies, 1)
    return [
        epoch(number).model_copy(update={"valid_perplexity": math.exp(entropy)})
        for number, entropy in numbered
    ]


def followed(schedule, entropies):
    """Return (learning rate, True if better) of each epoch until the end, and the epochs."""
    reached, found = epochs_of(*entropies), []
    for done in range(len(reached)):
        before = reached[:done]
        if schedule.ended(before):
            return found, before
        better = is_better(reached[done].valid_perplexity, before)
        found.append((schedule.rate(before), better))
    return found, reached


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
def test_the_toolkits_rates_and_kept_weights(entropies, rates, kept):
    schedule = schedule_of("toolkit")
    found, reached = followed(schedule, entropies)
    assert found == list(zip(rates, kept, strict=True))
    assert schedule.ended(reached) == (entropies != [6.0, 5.5, 5.0, 4.5])


def test_a_cooldown_lets_the_rate_fall_to_0_at_the_end_of_the_last_part():
    schedule = schedule_of("cooldown", max_epochs=4, cooldown=0.375)  # one epoch and a half
    two, three = epochs_of(5.0, 6.0), epochs_of(5.0, 6.0, 7.0)
    assert schedule.rate([]) == schedule.rate(two, 0.5) == 0.8
    assert schedule.rate(two, 0.75) == pytest.approx(0.8 * 1.25 / 1.5)
    assert schedule.rate(three, 0.25) == pytest.approx(0.4)
    assert schedule.rate(three, 1.0) == pytest.approx(0.0)
    assert not schedule.ended(three)
    assert schedule.ended(epochs_of(5.0, 5.0, 5.0, 5.0))


def test_the_factor_and_the_divisor_decide():
    # 5.0 / 4.99 is 1.002, 5.0 / 4.98 is 1.004.
    usual, strict = schedule_of("toolkit"), schedule_of("toolkit", improvement_factor=1.0)
    assert usual.rate(epochs_of(5.0, 4.99)) == 0.4
    assert usual.rate(epochs_of(5.0, 4.98)) == 0.8
    assert strict.rate(epochs_of(5.0, 4.9999)) == 0.8
    thirds = schedule_of("toolkit", rate_divisor=3.0, learning_rate=0.9)
    assert thirds.rate(epochs_of(5.0, 5.0)) == pytest.approx(0.3)


@given(entropies=st.lists(st.floats(0.1, 20), min_size=1, max_size=20))
def test_the_toolkits_rule_ends_at_its_second_failure_and_never_sooner(entropies):
    schedule = schedule_of("toolkit")
    found, reached = followed(schedule, entropies)
    best, failures = math.inf, 0
    for entry in reached:
        entropy = math.log(entry.valid_perplexity)
        failures += entropy * 1.003 >= best
        best = min(best, entropy)
    assert schedule.ended(reached) == (failures == 2)
    rates = [rate for rate, _ in found]
    assert rates == sorted(rates, reverse=True)


@given(st.integers(1, 30), st.floats(0.01, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_a_cooldowns_rate_never_rises_and_stays_within_bounds(epochs, cooldown, one, other):
    schedule = schedule_of("cooldown", max_epochs=epochs, cooldown=cooldown)
    first, second = sorted((one, other))
    for done in {0, epochs // 2, epochs - 1}:
        before = epochs_of(*[5.0] * done)
        rates = schedule.rate(before, first), schedule.rate(before, second)
        assert 0.8 >= rates[0] >= rates[1] >= -1e-12
