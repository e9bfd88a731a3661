"""Reading stated numbers and units; nothing is guessed.

Spellings of units are compared exactly with the table of the analyte (`knowledge.analytes`). The
general UCUM parser here is a last resort for a known analyte and the same dimension; it is asked
nothing that it is known to misread (``K/uL`` as kelvin, annotations such as ``{FEU}``, degrees).
"""

import importlib
import math
import re
from functools import cache, lru_cache
from typing import Any, Literal

from knowledge.errors import MissingExtraError
from knowledge.quantity import Interval

Comparator = Literal["<", "<=", ">=", ">"]

_STATED = re.compile(
    r"\s*(?P<comparator><=|>=|<|>|≤|≥)?\s*"
    r"(?P<number>-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?)"
    r"(?:(?:\s+|\s*[\u00d7xX]\s*)(?P<power>10(?:[*^]|[eE]|(?=[²³⁰¹⁴-⁹]))[^<>=≤≥]{1,35})"
    r"|\s*(?P<unit>(?![eE][+-]?[0-9])[A-Za-zµμ%/\[{°][^<>=≤≥]{0,39}))?\s*"
)
"""One number and its unit, which may begin with a power of ten as in ``10*9/L``."""
_PLAIN_SIGNS: dict[str, Comparator] = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
}
_UCUM_MISREADS = re.compile(r"[{}\s\"'µμ°]|(?<![A-Za-z])K(?![A-Za-z])|Cel|deg|^$")


def parse_stated(text: str) -> tuple[Interval, str | None] | None:
    """Return the number or bound and the unit of a printed result, or None where it is neither.

    Only one plain decimal with an optional sign of comparison and a unit is a number. A decimal
    comma, a thousands separator, a range or words are not.

    Examples:
        >>> parse_stated("12.5 ng/L")
        (Interval(low=12.5, high=12.5, low_closed=True, high_closed=True), 'ng/L')
        >>> str(parse_stated("<6 ng/L")[0])
        '<6'
        >>> parse_stated("120 10*9/L")[1], parse_stated("120 x 10⁹/L")[1]
        ('10*9/L', '10⁹/L')
        >>> parse_stated("1,200 ng/L") is None, parse_stated("10-20") is None
        (True, True)
    """
    match = _STATED.fullmatch(text)
    if match is None:
        return None
    sign = match["comparator"]
    unit = match["power"] or match["unit"]
    interval = bounded(float(match["number"]), _PLAIN_SIGNS[sign] if sign else None)
    return interval, unit.strip() if unit else None


def bounded(value: float, comparator: Comparator | None) -> Interval:
    """Return all numbers a value with a FHIR comparator may stand for (R4 Quantity.comparator).

    Examples:
        >>> str(bounded(10000, ">"))
        '>10000'
    """
    match comparator:
        case None:
            return Interval.exact(value)
        case "<":
            return Interval(high=value, high_closed=False)
        case "<=":
            return Interval(high=value)
        case ">":
            return Interval(low=value, low_closed=False)
        case ">=":
            return Interval(low=value)


def not_below(interval: Interval, floor: float) -> Interval | None:
    """Return the part of an interval at or above `floor`; None where there is none.

    An amount cannot be negative, so ``<6`` of an amount is [0, 6).
    """
    if interval.high is not None and (
        interval.high < floor or (interval.high == floor and not interval.high_closed)
    ):
        return None
    if interval.low is not None and interval.low >= floor:
        return interval
    return Interval(low=floor, high=interval.high, high_closed=interval.high_closed)


@lru_cache(maxsize=4096)
def ucum_factor(stated: str, canonical: str) -> float | None:
    """Return the factor from one UCUM unit to another, or None where it is not certain.

    None also where the optional parser is not installed: then only the table of spellings counts.

    Args:
        stated: The unit as written; case-sensitive UCUM.
        canonical: The UCUM unit to convert to.
    """
    if _UCUM_MISREADS.search(stated) or _UCUM_MISREADS.search(canonical) or len(stated) > 40:
        return None
    try:
        registry = _ucum_registry()
    except MissingExtraError:
        return None
    try:
        ratio = registry.from_ucum(stated).to(registry.from_ucum(canonical)).magnitude
        whole = float(ratio) / float(registry.from_ucum(canonical).magnitude)
    except (AttributeError, ValueError, TypeError, ArithmeticError, _lark_error()):
        return None
    return float(f"{whole:.12g}") if math.isfinite(whole) and whole > 0 else None


@cache
def _ucum_registry() -> Any:
    """Return the parser's unit registry; building it takes more than a second."""
    try:
        module = importlib.import_module("ucumvert")
    except ImportError as error:
        raise MissingExtraError(
            "UCUM parser", "not installed", "pip install 'epicrisis[units]'"
        ) from error
    return module.PintUcumRegistry()


def _lark_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("lark.exceptions").LarkError
    return error
