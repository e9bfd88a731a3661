"""Values of results as a reader sees them."""

import re
from math import isclose

from agent.episode import TROPONIN
from agent.laboratory.model import LaboratoryResult
from agent.laboratory.results import FROM_DDU
from knowledge.quantity import Interval, Measured
from knowledge.shown import as_precise_as, unit_shown, value_shown

_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_PRINTED_DIGITS = 1e-5
"""Relative difference of a value and its print of six digits (`knowledge.quantity`)."""
OF_THE_SPECIMEN = ("edta_contamination", "drip_arm")
"""Interferences that are told once for a specimen, not of each of its results."""


def as_printed(reported: str) -> str:
    """Return the value as the laboratory printed it, without its interval."""
    return reported.partition(" (laboratory's range")[0]


def converted_value(reported: str, value: str) -> str:
    """Return a value as it is shown; a converted one no more precise than what was printed.

    Examples:
        >>> converted_value("6.2 mmol/L (laboratory's range: 7.4-9.9)", "9.99068 g/dL")
        '10.0 g/dL'
        >>> converted_value("", "9.99068 g/dL")
        '9.991 g/dL'
    """
    given, number, unit = as_printed(reported).partition(" ")[0], *value.partition(" ")[::2]
    if not _PLAIN.fullmatch(given) or not _PLAIN.fullmatch(number) or not unit:
        return value_shown(value)
    if isclose(float(given), float(number), rel_tol=_PRINTED_DIGITS):
        return value_shown(value)
    return f"{as_precise_as(float(number), given)} {unit_shown(unit)}".rstrip()


def told_once(result: LaboratoryResult) -> tuple[str, ...]:
    """Return what may have falsified a result, a contamination by the name of its pattern alone."""
    of_one = result.contaminated
    labels = (
        one.label
        for one in result.may_be_false
        if not of_one or one.interference not in OF_THE_SPECIMEN
    )
    return (*labels, *of_one)


def form(result: LaboratoryResult) -> str:
    """Return what a converted D-dimer counts, where its name says what was reported."""
    return " FEU" if FROM_DDU in result.quality else ""


def is_troponin(result: LaboratoryResult) -> bool:
    """Return whether rules of their own judge a result: intervals and change values do not."""
    return result.test in TROPONIN


def unit_of(value: str) -> str:
    """Return what follows the number."""
    return value.partition(" ")[2]


def measured(value: Measured) -> str:
    """Return a measured value as it is shown."""
    return value_shown(str(value))


def percent(change: Interval) -> str:
    """Return a change in percent; one that rounds to nothing is ±0."""
    if change.low is not None and change.low == change.high:
        # adding zero makes of a fall that rounds to nothing no "-0"
        whole = round(change.low) + 0
        return f"{whole:+d} %" if whole else "±0 %"
    return f"{change} %"
