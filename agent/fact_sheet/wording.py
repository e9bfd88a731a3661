"""Findings in words: values with the units people write."""

from agent.assessment import Assessment
from knowledge.codes import EPICRISIS
from knowledge.finding import Finding
from knowledge.quantity import Interval, format_number

_UNITS = {"mm[Hg]": "mmHg", "Cel": "°C", "a": "years", "1": ""}


def measured_text(finding: Finding) -> str:
    """Return the value of a measurement; a bound stays a bound and a range a range."""
    quantity = finding.quantity
    if quantity is None:
        return ""
    unit = _UNITS.get(quantity.unit, quantity.unit)
    if finding.concept.has(EPICRISIS, "d_dimer_feu") or "D-dimer FEU" in finding.concept.text:
        unit = f"{unit} FEU"
    number = interval_text(quantity.interval)
    return f"{number}{'' if unit.startswith('/') or not unit else ' '}{unit}"


def interval_text(interval: Interval) -> str:
    """Return an interval in words that keep it an interval.

    Examples:
        >>> interval_text(Interval(low=0, high=6, high_closed=False))
        '<6'
        >>> interval_text(Interval(low=4, high=8))
        'between 4 and 8'
    """
    low, high = interval.low, interval.high
    if low is not None and low == high:
        return format_number(low)
    if high is not None and low in (None, 0.0):
        return f"{'≤' if interval.high_closed else '<'}{format_number(high)}"
    if low is not None and high is None:
        return f"{'≥' if interval.low_closed else '>'}{format_number(low)}"
    if low is None or high is None:
        return "unbounded"
    return f"between {format_number(low)} and {format_number(high)}"


def by_input(assessment: Assessment) -> dict[str, Finding]:
    """Return the findings of clinical inputs by id; of several with one id the first."""
    found: dict[str, Finding] = {}
    for finding in assessment.findings:
        for coding in finding.concept.codings:
            if coding.system == EPICRISIS:
                found.setdefault(coding.code, finding)
    return found
