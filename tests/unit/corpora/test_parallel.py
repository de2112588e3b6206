import os
import signal
from collections.abc import Iterator

import pytest

from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.errors import UserError


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items_which_are_drawn_as_needed(processes):
    drawn = []

    def items() -> Iterator[int]:
        for number in range(-50, 0):
            drawn.append(number)
            yield number

    results = ordered_map(abs, items(), processes)
    assert next(results) == 50
    assert len(drawn) < 20
    assert list(results) == list(range(49, 0, -1))


def test_an_error_in_a_process_is_raised_here_and_ctrl_c_is_left_to_the_parent():
    assert list(ordered_map(signal.getsignal, [signal.SIGINT], 2)) == [signal.SIG_IGN]
    with pytest.raises(ValueError, match="oops"):
        list(ordered_map(int, ["1", "oops", "2"], 2))


def test_a_killed_process_is_reported_instead_of_waited_for():
    with pytest.raises(UserError, match="memory"):
        list(ordered_map(os._exit, [1], 2))
