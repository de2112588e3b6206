import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest

from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.errors import UserError


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(ordered_map(abs, range(-50, 0), processes)) == list(range(50, 0, -1))


def test_items_are_drawn_only_as_they_are_needed() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in range(1000):
            drawn.append(number)
            yield number

    results = ordered_map(abs, items(), 2)
    assert next(results) == 0
    assert len(drawn) < 50
    results.close()  # type: ignore[attr-defined]


def test_an_error_in_a_process_is_raised_here() -> None:
    with pytest.raises(ValueError, match="oops"):
        list(ordered_map(int, ["1", "oops", "2"], 2))


def test_ctrl_c_is_left_to_the_parent() -> None:
    """The processes block it from their start, so their imports cannot be interrupted either."""
    blocked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    assert all(signal.SIGINT in signals for signals in ordered_map(blocked, [(), ()], 2))
    assert signal.SIGINT not in blocked(())


def test_a_killed_process_is_reported_instead_of_waited_for() -> None:
    with pytest.raises(UserError, match="memory"):
        list(ordered_map(os._exit, [1], 2))
