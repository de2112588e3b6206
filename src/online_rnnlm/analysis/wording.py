"""Numbers and names written for people, in tables, figures and the report."""

from __future__ import annotations

from collections.abc import Sequence


def signed(change: float, decimals: int = 1) -> str:
    """A number with its sign, which is a true minus for a negative number: `−0.5`."""
    return f"{change:+.{decimals}f}".replace("-", "−")


def millions(count: int) -> str:
    """A large count in millions, a small one in full: `9.9 million`, `8,400`."""
    return f"{count / 1e6:.1f} million" if count >= 100_000 else f"{count:,}"


def p_value(value: float) -> str:
    """A p-value with `=` or `<` before it: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


ONE_SEED = (
    "There is one seed: the verdicts allow for chance in the test text, but not for chance in "
    "training."
)


def interval(ends: tuple[float, float] | None) -> str:
    """An interval of changes in per cent, such as `−5.1 to −3.8 %`; nothing for None."""
    return "" if ends is None else f"{signed(ends[0])} to {signed(ends[1])} %"


def enumeration(names: Sequence[str], conjunction: str = "and") -> str:
    """Names joined by commas and a conjunction: `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last
