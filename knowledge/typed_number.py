"""A number as a person types it into a form, taken only where it can be read in one way.

A form takes a decimal comma as well as a decimal point, so that three digits behind either may be
thousands as well as thousandths: ``1,200`` is 1200 to one reader and 1.2 to another. Such a number
is not taken.
"""

import re
from dataclasses import dataclass

from knowledge.errors import InvalidValueError
from knowledge.quantity import Interval
from knowledge.units import parse_stated

_ONE_SIGN = re.compile(r"(?P<before>[^.,]*)[.,](?P<after>[^.,]*)")
_GROUP = re.compile(r"(?:[<>≤≥]=?)?\s*-?(?P<whole>[1-9][0-9]{0,2})[.,](?P<last>[0-9]{3})")
_WAY_OUT = "write digits with at most one decimal sign, for example 1200 or 0.5"
_LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class TypedNumber:
    """What was typed, and what it says.

    Args:
        text: As typed, without the blanks around it.
        plain: The same with a decimal point.
        interval: The number, or all numbers that ``<6`` stands for.
    """

    text: str
    plain: str
    interval: Interval

    @property
    def exact(self) -> float | None:
        """Return the number; None for a bound."""
        low, high = self.interval.low, self.interval.high
        return low if low == high else None

    @property
    def limit(self) -> tuple[float, str]:
        """Return the number and its FHIR comparator (R4 Quantity.comparator), empty for none."""
        low, high = self.interval.low, self.interval.high
        if low is not None:
            sign = "" if high is not None else ">=" if self.interval.low_closed else ">"
            return low, sign
        return high or 0.0, "<=" if self.interval.high_closed else "<"


def typed_number(label: str, text: str) -> TypedNumber:
    """Return the number that was typed.

    Args:
        label: What it is the number of, for the message.
        text: One decimal, with a decimal point or comma, and ``<`` or ``>`` before it for a bound.

    Raises:
        InvalidValueError: It is no number, or one that can be read in two ways.

    Examples:
        >>> typed_number("D-dimer", "0,27").exact, typed_number("D-dimer", "1200").exact
        (0.27, 1200.0)
        >>> typed_number("D-dimer", "1,200")
        Traceback (most recent call last):
        knowledge.errors.InvalidValueError: D-dimer: can be read in two ways (write 1200 or 1.2)
    """
    plain = text.strip()
    group = _GROUP.fullmatch(plain)
    if group is not None:
        whole, last = group["whole"], group["last"]
        way_out = f"write {whole}{last} or {_not_thousands(whole, last)}"
        raise InvalidValueError(label, "can be read in two ways", way_out)
    match = _ONE_SIGN.fullmatch(plain)
    pointed = plain if match is None else f"{match['before']}.{match['after']}"
    stated = parse_stated(pointed) if len(plain) <= _LONGEST else None
    if stated is None or stated[1] is not None:
        raise InvalidValueError(label, "is not a number", _WAY_OUT)
    return TypedNumber(text=plain, plain=pointed, interval=stated[0])


def _not_thousands(whole: str, last: str) -> str:
    """Return a decimal that cannot be read as thousands: without the last zeros, or with one more.

    Examples:
        >>> _not_thousands("1", "200"), _not_thousands("2", "000"), _not_thousands("1", "234")
        ('1.2', '2', '1.2340')
    """
    fraction = last.rstrip("0")
    if len(fraction) == len(last):
        return f"{whole}.{last}0"
    return f"{whole}.{fraction}" if fraction else whole
