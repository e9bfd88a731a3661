"""The most that a number of a plan may be, far above any group of hospitals, and what is refused.

A larger number is a slip of the keyboard: planned with, it would end in an infinite figure.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from knowledge.errors import InvalidValueError

MOST_USERS: Final = 1e7
MOST_CASES_PER_HOUR: Final = 1e7
MOST_CALLS: Final = 1e4
MOST_TOKENS: Final = 1e8
"""Of all prompts, or of all replies, of a case."""
MOST_CACHED: Final = 0.99
MOST_SLIDES_PER_HOUR: Final = 1e6
MOST_SLIDE_TOKENS: Final = 1e10
MOST_PARAMS: Final = 1e14
MOST_ACCELERATORS: Final = 1_000_000
MOST_PRICE: Final = 1e9
"""Of one accelerator and hour, in whatever currency."""
MOST_TTFT_S: Final = 1e6
MOST_TPOT_MS: Final = 1e9
_SHOWN = 24


def require_within(item: str, number: float, most: float, way_out: str = "") -> None:
    """Refuse a number that is not finite or is beyond the most that is planned with.

    Args:
        item: What it is, such as an option's name.
        number: It.
        most: The bound, itself allowed.
        way_out: What to do; empty for giving a smaller number.

    Raises:
        InvalidValueError: It is.
    """
    if not is_finite(number):
        raise InvalidValueError(
            f"{item} {shown(number)}", "is no number to plan with", way_out or "give a number"
        )
    if number > most:
        raise InvalidValueError(
            f"{item} {shown(number)}",
            f"is more than is planned with ({most:,.0f})",
            way_out or f"give at most {most:,.0f}",
        )


def require_figures(item: str, result: object) -> None:
    """Refuse a result with a figure that is infinite or no number, before it is shown.

    Args:
        item: What the result is.
        result: Mappings, lists and numbers, as `model_dump` gives them.

    Raises:
        InvalidValueError: There is one; the message names where.
    """
    for where, number in numbers_in(result):
        if not is_finite(number):
            raise InvalidValueError(
                f"{item}: {where}",
                f"comes out as {shown(number)}, which is no figure",
                "give numbers nearer to those of a hospital",
            )


def numbers_in(value: object, where: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of nested mappings and lists, with its path."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield where, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from numbers_in(one, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from numbers_in(one, f"{where}.{place}".lstrip("."))


def is_finite(number: float) -> bool:
    """Return whether a number is one that a float holds."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False  # a whole number of more than 308 digits


def shown(number: float) -> str:
    """Return a number for a message, cut where it is very long.

    Examples:
        >>> shown(1e308), shown(10**30)
        ('1e+308', '100000000000000000000000...')
    """
    if isinstance(number, int) and number.bit_length() > 4096:
        return "of more than 1,000 digits"
    text = str(number)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
