"""The interval that the reporting laboratory printed with a result, read strictly or refused.

Intake keeps it as printed at the end of `Finding.reported`. Only one interval of plain numbers,
with a unit that is certain, is taken; two of them (for two sexes), words beside numbers, a decimal
comma or a unit that may be another one are refused with the reason, never guessed.
"""

import math
import re
from typing import NamedTuple

from knowledge.analytes import Converted, analytes, convert
from knowledge.codes import LOINC
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.laboratory_tests import Bounds, LabTest, laboratory_tests
from knowledge.plain_text import quotation
from knowledge.quantity import Interval, QuantityInterval, format_number
from knowledge.shown import as_precise_as, unit_shown
from knowledge.troponin import assays
from knowledge.units import parse_stated

_MARK = " (laboratory's range: "
"""What `tools.intake.fhir.value.with_range` writes before a printed interval."""

_NUMBER = r"[+-]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?"
_UNIT = (
    r"(?:(?:\s*(?=[^\s0-9.,+;|-])|\s+(?=x?10[*^eE\u00b2\u00b3\u2070-\u2079]))"
    r"(?P<{name}>(?!to\b|[eE][+-]?[0-9])[^;|]{{1,40}}?))?"
)
"""A unit; one that begins with digits is a power of ten after a space."""
_DASH = r"(?P<dash>-{1,2}|[\u2013\u2014~\uff5e]|to|\u81f3)"
_TWO = re.compile(
    rf"(?P<low>{_NUMBER}){_UNIT.format(name='unit_low')}\s*{_DASH}\s*(?P<high>{_NUMBER})"
    rf"{_UNIT.format(name='unit')}"
)
_BELOW = re.compile(
    rf"(?P<sign><=|<|\u2264|up to)\s*(?P<high>{_NUMBER}){_UNIT.format(name='unit')}", re.IGNORECASE
)
_ABOVE = re.compile(
    rf"(?P<sign>>=|>|\u2265|from)\s*(?P<low>{_NUMBER}){_UNIT.format(name='unit')}", re.IGNORECASE
)
_BRACKETS = {"[": "]", "(": ")"}
_PRINTED_DIGITS = 1e-5
"""Relative difference of a value and its print of six digits (`knowledge.quantity`)."""
_DIGIT = re.compile(r"[0-9]")


class Printed(NamedTuple):
    """What was printed.

    Args:
        words: As printed.
        bounds: In the unit of the result's value; None where it could not be read.
        refused: Why it could not be read; None where it was, or where no interval was printed.
        stated: The interval with its own unit, where it was converted; else empty.
        converted: In the unit of the value, as precise as it was printed, where it was converted.
    """

    words: str
    bounds: Bounds | None = None
    refused: str | None = None
    stated: str = ""
    converted: str = ""


def printed_words(finding: Finding) -> str | None:
    """Return what the laboratory printed as its interval, or None where it printed none."""
    _, mark, rest = (finding.reported or "").partition(_MARK)
    if not mark:
        rest = _without_value(finding.reported or "")
    return rest.removesuffix(")").strip() or None


def reported_value(finding: Finding) -> tuple[Interval, str | None] | None:
    """Return the number or bound and its unit as printed, or None where they are not kept."""
    printed = (finding.reported or "").partition(_MARK)[0]
    value = finding.quantity
    if value is not None and printed == str(value):
        return value.interval, value.unit
    return parse_stated(printed)


def printed_interval(finding: Finding, analyte: str | None) -> Printed | None:
    """Return the laboratory's own interval in the unit of the value, or None where none is printed.

    Args:
        finding: A result.
        analyte: Key of the analyte table, or None for a test it does not hold.
    """
    words = printed_words(finding)
    if words is None or not _DIGIT.search(words):
        return None
    if not (finding.reported or "").endswith(")"):
        return Printed(words, refused="the printed interval is cut off")
    stated = parse_interval(words)
    if isinstance(stated, str):
        return Printed(words, refused=stated)
    bounds, unit = stated
    if analyte is None:
        result = _same_unit(finding, bounds, unit)
    else:
        result = _in_canonical(finding, analyte, bounds, unit)
    if isinstance(result, str):
        return Printed(words, refused=result)
    if analyte is None or result == bounds:
        return Printed(words, bounds=result)
    return Printed(
        words,
        bounds=result,
        stated=_with_unit(bounds.words(), unit or _unit_of_result(finding, analyte) or ""),
        converted=_with_unit(_as_printed(result, words), analytes().analytes[analyte].unit),
    )


def _with_unit(words: str, unit: str) -> str:
    return f"{words} {unit_shown(unit)}".strip()


def _as_printed(bounds: Bounds, words: str) -> str:
    """Return converted bounds in words, no more precise than the numbers that were printed."""
    plain = " ".join(words.split()).strip("[]()").strip()
    patterns = (_TWO, _BELOW, _ABOVE)
    match = next((found for p in patterns if (found := p.fullmatch(plain)) is not None), None)
    given = {} if match is None else match.groupdict()
    low, high = (
        None if value is None else as_precise_as(value, given.get(end) or format_number(value))
        for end, value in (("low", bounds.low), ("high", bounds.high))
    )
    if low is not None and high is not None:
        return f"{low} to {high}"
    if high is not None:
        return f"{'<' if bounds.high_open else '<='} {high}"
    return f"{'>' if bounds.low_open else '>='} {low}"


def parse_interval(text: str) -> tuple[Bounds, str | None] | str:
    """Return a printed interval with its unit, or in words why it is not certain.

    Examples:
        >>> parse_interval("3.5-5.0 mmol/L")[0].words()
        '3.5 to 5'
        >>> parse_interval("<5")[0].words(), parse_interval(">=60")[0].words()
        ('< 5', '>= 60')
        >>> parse_interval("up to 40 U/L")
        (Bounds(low=None, high=40.0, low_open=False, high_open=False), 'U/L')
        >>> parse_interval("M 13.5-17.5; F 12.0-15.5")
        'more than one interval is printed'
        >>> parse_interval("3,5-5,0")
        'not one plain interval'
    """
    plain = " ".join(text.split())
    if ";" in plain or "|" in plain:
        return "more than one interval is printed"
    if plain[:1] in _BRACKETS and plain.endswith(_BRACKETS[plain[0]]):
        plain = plain[1:-1].strip()
    return _two(plain) or _one(plain) or "not one plain interval"


def _two(plain: str) -> tuple[Bounds, str | None] | str | None:
    match = _TWO.fullmatch(plain)
    if match is None:
        return None
    units = [u.strip() for u in (match["unit_low"], match["unit"]) if u]
    if len(set(units)) > 1:
        return "its two bounds have two units"
    low, high = float(match["low"]), float(match["high"])
    if low > high:
        return "its lower bound is above its upper bound"
    if low < 0 and match["dash"] == "--":
        return "a double dash after a negative number has two readings"
    return Bounds(low=low, high=high), units[-1] if units else None


def _one(plain: str) -> tuple[Bounds, str | None] | None:
    if (match := _BELOW.fullmatch(plain)) is not None:
        bounds = Bounds(high=float(match["high"]), high_open=match["sign"] == "<")
    elif (match := _ABOVE.fullmatch(plain)) is not None:
        bounds = Bounds(low=float(match["low"]), low_open=match["sign"] == ">")
    else:
        return None
    return bounds, match["unit"].strip() if match["unit"] else None


def _without_value(reported: str) -> str:
    """Return the printed interval of a result that itself says nothing."""
    start = _MARK.lstrip()
    return reported.removeprefix(start) if reported.startswith(start) else ""


def _in_canonical(finding: Finding, analyte: str, bounds: Bounds, unit: str | None) -> Bounds | str:
    """Return the interval in the analyte's unit; one without a unit is in that of the result."""
    text = unit or _unit_of_result(finding, analyte)
    if text is None:
        return "neither the interval nor the result states its unit"
    interval = Interval(
        low=bounds.low,
        high=bounds.high,
        low_closed=not bounds.low_open,
        high_closed=not bounds.high_open,
    )
    result = convert(analyte, interval, text, _loinc(finding, analyte))
    if isinstance(result, NotAssessed):
        wrong = result.why is Why.VALUE_IMPOSSIBLE
        return f"in {quotation(text)} it is impossible" if wrong else result.detail
    canonical = _bounds(result, bounds)
    return "it lies far from every interval of the test" if _far(canonical, analyte) else canonical


def _far(bounds: Bounds, analyte: str) -> bool:
    """Return whether an interval is so far from all known ones that its unit may be another."""
    table = laboratory_tests()
    test = table.tests.get(analyte)
    rows = () if test is None else test.intervals
    times = table.printed_check.times
    lows = [row.low for row in rows if row.low is not None and row.low > 0]
    highs = [row.high for row in rows if row.high is not None and row.high > 0]
    if highs and bounds.low is not None and bounds.low > times * max(highs):
        return True
    if lows and bounds.high is not None and bounds.high * times < min(lows):
        return True
    return _too_wide(bounds, test, times) or _far_from_percentiles(bounds, analyte, times)


def _far_from_percentiles(bounds: Bounds, analyte: str, times: float) -> bool:
    """Return whether the upper end lies far from every assay's 99th percentile (troponin)."""
    rows = (a.percentile_99 for a in assays().assays.values() if a.analyte == analyte)
    cells = (row.overall for row in rows if row is not None)
    known = [c.value for c in cells if c is not None and c.value is not None]
    if not known or bounds.high is None:
        return False
    return bounds.high > times * max(known) or bounds.high * times < min(known)


def _too_wide(bounds: Bounds, test: LabTest | None, times: float) -> bool:
    """Return whether an end lies so far outside every known one that it would hide a result.

    An end is judged where every row of the test has one.
    """
    rows = () if test is None else test.intervals
    highs = [row.high for row in rows]
    lows = [row.low for row in rows]
    if bounds.high is not None and highs and None not in highs:
        widest = max(high for high in highs if high is not None)
        if widest > 0 and bounds.high > times * widest:
            return True
    if bounds.low is not None and bounds.low > 0 and lows and None not in lows:
        lowest = min(low for low in lows if low is not None)
        return lowest > 0 and bounds.low * times < lowest
    return False


def _bounds(result: Converted, stated: Bounds) -> Bounds:
    value = result.value
    if not isinstance(value, QuantityInterval):
        return Bounds(low=value.value, high=value.value)
    return Bounds(
        low=value.interval.low if stated.low is not None else None,
        high=value.interval.high if stated.high is not None else None,
        low_open=stated.low_open,
        high_open=stated.high_open,
    )


def _unit_of_result(finding: Finding, analyte: str) -> str | None:
    """Return the unit that the result was printed in, or None where that is not certain."""
    row = analytes().analytes[analyte]
    stated = reported_value(finding)
    if stated is None:
        return None
    if stated[1] is not None:
        return stated[1]
    now = finding.interval
    return row.unit if now is not None and _alike(stated[0], now) else None


def _alike(one: Interval, other: Interval) -> bool:
    pairs = ((one.low, other.low), (one.high, other.high))
    return all(
        (a or 0.0) == (b or 0.0)
        or (a is not None and b is not None and math.isclose(a, b, rel_tol=_PRINTED_DIGITS))
        for a, b in pairs
    )


def _loinc(finding: Finding, analyte: str) -> str | None:
    codes = analytes().analytes[analyte].loinc
    said = (c.code for c in finding.concept.codings if c.system == LOINC)
    return next((code for code in said if code in codes), None)


def _same_unit(finding: Finding, bounds: Bounds, unit: str | None) -> Bounds | str:
    """Return the interval of a test that the analyte table does not hold: no unit is converted."""
    value = finding.quantity
    if value is None:
        return "the result is not a number"
    if unit is None or unit == value.unit:
        return bounds
    return f"the interval is in {quotation(unit)}, the result in {quotation(value.unit)}"
