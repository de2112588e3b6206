"""Comparison of printed numbers, whose last digits may differ from one process to another."""

import re

_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
RELATIVE = 1e-4
ABSOLUTE = 1e-5
"""The differences that count as rounding. Kernels compute with 32 bits. Plain Python rounds in
other places than compiled kernels, and kernels that were just compiled in others than cached ones.
"""


def same_but_for_rounding(one: str, other: str) -> bool:
    """Return True if two texts have nearly equal decimal numbers, and all else is the same.

    Nearly equal are also numbers that differ by one in the last digit, as a value can lie at the
    edge of two.
    """
    return _NUMBER.sub("#", one) == _NUMBER.sub("#", other) and all(
        map(_nearly_equal, _NUMBER.findall(one), _NUMBER.findall(other))
    )


def _nearly_equal(number: str, wanted: str) -> bool:
    last_digit = 1.001 * min(_last_digit(number), _last_digit(wanted))
    value = float(wanted)
    return abs(float(number) - value) <= max(last_digit, ABSOLUTE, RELATIVE * abs(value))


def _last_digit(number: str) -> float:
    """Return what one in the last digit of a number is worth."""
    digits, _, power = number.partition("e")
    return float(10.0 ** (int(power or 0) - len(digits.partition(".")[2])))
