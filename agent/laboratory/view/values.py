"""Values of results as a reader sees them."""

from agent.episode import TROPONIN
from agent.laboratory.model import LaboratoryResult
from agent.laboratory.results import FROM_DDU
from knowledge.quantity import Interval, Measured
from knowledge.shown import value_shown

OF_THE_SPECIMEN = ("edta_contamination", "drip_arm")
"""Interferences that are told once for a specimen, not of each of its results."""


def as_printed(reported: str) -> str:
    """Return the value as the laboratory printed it, without its interval."""
    return reported.partition(" (laboratory's range")[0]


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
