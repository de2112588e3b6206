"""Tests of the learning rate's rules, on invented entropies."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.schedule import Schedule


def schedule_of(rule, **changes):
    values = {"corpus": "topics", "learning_rate": 0.8, "max_epochs": 30, "rate_rule": rule}
    return Schedule(RunSettings.model_validate(values | changes).rule)


def perplexities_of(*entropies):
    return [math.exp(entropy) for entropy in entropies]


def followed(schedule, entropies):
    """Return the learning rate of each epoch until the end, and the perplexities after them."""
    reached = perplexities_of(*entropies)
    rates = []
    for done in range(len(reached)):
        if schedule.ended(reached[:done]):
            return rates, reached[:done]
        rates.append(schedule.rate(reached[:done]))
    return rates, reached


@pytest.mark.parametrize(
    ("entropies", "rates"),
    [
        # Every epoch is better, so the rate stays.
        ([6.0, 5.5, 5.0, 4.5], [0.8] * 4),
        # Better by less than the factor: the rate is halved before every later epoch until the end.
        ([5.0, 4.99, 4.9, 4.8, 4.79], [0.8, 0.8, 0.4, 0.2, 0.1]),
        # Epochs are compared with the best, not the last.
        ([5.0, 5.2, 4.5, 4.6], [0.8, 0.8, 0.4, 0.2]),
        ([5.0, 5.2, 5.1], [0.8, 0.8, 0.4]),
        # An equally good epoch is not better.
        ([5.0, 5.0, 5.0], [0.8, 0.8, 0.4]),
    ],
)
def test_the_toolkits_rates(entropies, rates):
    schedule = schedule_of("toolkit")
    found, reached = followed(schedule, entropies)
    assert found == rates
    assert schedule.ended(reached) == (entropies != [6.0, 5.5, 5.0, 4.5])


def test_a_cooldown_lets_the_rate_fall_to_0_at_the_end_of_the_last_part():
    schedule = schedule_of("cooldown", max_epochs=4, cooldown=0.375)  # one epoch and a half
    two = perplexities_of(5.0, 6.0)
    three = perplexities_of(5.0, 6.0, 7.0)
    assert schedule.rate([]) == schedule.rate(two, 0.5) == 0.8
    assert schedule.rate(two, 0.75) == pytest.approx(0.8 * 1.25 / 1.5)
    assert schedule.rate(three, 0.25) == pytest.approx(0.4)
    assert schedule.rate(three, 1.0) == pytest.approx(0.0)
    assert not schedule.ended(three)
    assert schedule.ended(perplexities_of(5.0, 5.0, 5.0, 5.0))


def test_the_factor_and_the_divisor_decide():
    # 5.0 / 4.99 is 1.002, 5.0 / 4.98 is 1.004.
    usual = schedule_of("toolkit")
    strict = schedule_of("toolkit", improvement_factor=1.0)
    assert usual.rate(perplexities_of(5.0, 4.99)) == 0.4
    assert usual.rate(perplexities_of(5.0, 4.98)) == 0.8
    assert strict.rate(perplexities_of(5.0, 4.9999)) == 0.8
    thirds = schedule_of("toolkit", rate_divisor=3.0, learning_rate=0.9)
    assert thirds.rate(perplexities_of(5.0, 5.0)) == pytest.approx(0.3)


@given(entropies=st.lists(st.floats(0.1, 20), min_size=1, max_size=20))
def test_the_toolkits_rule_ends_at_its_second_failure_and_never_sooner(entropies):
    schedule = schedule_of("toolkit")
    found, reached = followed(schedule, entropies)
    best = math.inf
    failures = 0
    for perplexity in reached:
        entropy = math.log(perplexity)
        failures += entropy * 1.003 >= best
        best = min(best, entropy)
    assert schedule.ended(reached) == (failures == 2)
    assert found == sorted(found, reverse=True)


@given(st.integers(1, 30), st.floats(0.01, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_a_cooldowns_rate_never_rises_and_stays_within_bounds(epochs, cooldown, one, other):
    schedule = schedule_of("cooldown", max_epochs=epochs, cooldown=cooldown)
    first, second = sorted((one, other))
    for done in {0, epochs // 2, epochs - 1}:
        before = perplexities_of(*[5.0] * done)
        rates = schedule.rate(before, first), schedule.rate(before, second)
        assert 0.8 >= rates[0] >= rates[1] >= -1e-12
