"""The exact image of a box under a formula that is monotone in each input.

Where a formula rises or falls throughout in each single input while the others stand still (the
direction may depend on the others), its extremes over a box lie at corners. Every formula of this
package is of that kind within its contract; tests compare each with dense sampling.
"""

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from knowledge.quantity import Interval

Values = Mapping[str, Any]
"""Input values by name: NumPy float64, so that a division by zero is infinite and not an error."""
Formula = Callable[[Values], Any]

_INSIDE = 1e-6
"""How far inside an open end a value is looked at, as a share of its width (or of the bound)."""

_End = tuple[float, float | None]
"""Where the formula is evaluated, and a place further inside; None where the end is closed."""


def image(formula: Formula, box: Mapping[str, Interval]) -> Interval | None:
    """Return all values of `formula` over `box`, or None where nothing bounds them.

    Args:
        formula: Monotone in each input over the box; jumps are allowed.
        box: An interval for each input; an unbounded end is evaluated at infinity.

    Examples:
        >>> box = {"a": Interval(low=6, high=8, high_closed=False), "b": Interval(low=2, high=3)}
        >>> str(image(lambda v: v["a"] / v["b"], box))
        '[2, 4)'
    """
    names = tuple(box)
    found: list[tuple[float, bool]] = []
    with np.errstate(all="ignore"):
        for corner in product(*(_ends(box[name]) for name in names)):
            value = _at(formula, names, [end[0] for end in corner])
            if math.isnan(value):
                return None
            found.append((value, _attained(formula, names, corner, value)))
    low = min(value for value, _ in found)
    high = max(value for value, _ in found)
    if low == -math.inf and high == math.inf:
        return None
    if low == math.inf or high == -math.inf:
        return None
    return Interval(
        low=None if low == -math.inf else low,
        low_closed=low == -math.inf or any(reached for value, reached in found if value == low),
        high=None if high == math.inf else high,
        high_closed=high == math.inf or any(reached for value, reached in found if value == high),
    )


def _ends(interval: Interval) -> tuple[_End, ...]:
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    if low == high:
        return ((low, None),)
    width = high - low
    step = _INSIDE * (width if math.isfinite(width) else 1.0)
    lower: _End = (low, None)
    if not interval.low_closed or low == -math.inf:
        inside = -1e300 if low == -math.inf else low + step
        lower = (low if low == -math.inf else math.nextafter(low, math.inf), inside)
    upper: _End = (high, None)
    if not interval.high_closed or high == math.inf:
        inside = 1e300 if high == math.inf else high - step
        upper = (high if high == math.inf else math.nextafter(high, -math.inf), inside)
    return lower, upper


def _attained(
    formula: Formula, names: tuple[str, ...], corner: tuple[_End, ...], value: float
) -> bool:
    """Return whether the value of a corner is reached inside the box, not only approached."""
    if all(inside is None for _, inside in corner):
        return True
    inner = [at if inside is None else inside for at, inside in corner]
    return _at(formula, names, inner) == value


def _at(formula: Formula, names: tuple[str, ...], at: list[float]) -> float:
    values = {name: np.float64(value) for name, value in zip(names, at, strict=True)}
    value = float(formula(values))
    return float(f"{value:.12g}") if math.isfinite(value) else value
