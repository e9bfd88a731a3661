"""A saturation taken on oxygen is not one on room air: it is at best its upper bound."""

from collections.abc import Iterable, Sequence

from knowledge.chart_items import OxygenSupply, chart_item_table
from knowledge.clinical_time import elapsed
from knowledge.codes import ANALYTE, LOINC
from knowledge.finding import State
from knowledge.quantity import Interval, Quantity, QuantityInterval, Text, measured
from knowledge.timeline import Category, Fact

FLAG = "on-oxygen"
_SATURATION = "spo2"
_AS_FRACTION = 1.0
"""An inspired fraction up to this is written as a share, not in per cent."""


def without_oxygen(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts with each saturation taken on oxygen as an upper bound of room air."""
    every = list(facts)
    rule = chart_item_table().oxygen_supply
    supplied = [fact for fact in every if _gives_oxygen(fact, rule)]
    if not supplied:
        return every
    return [_bounded(fact, supplied, rule) if _is_saturation(fact) else fact for fact in every]


def _is_saturation(fact: Fact) -> bool:
    return (
        fact.category is not Category.STATED
        and fact.finding.state is State.PRESENT
        and fact.finding.concept.has(ANALYTE, _SATURATION)
    )


def _gives_oxygen(fact: Fact, rule: OxygenSupply) -> bool:
    """Return whether a fact says that oxygen was given; words instead of a number do."""
    finding = fact.finding
    if finding.state is not State.PRESENT:
        return False
    flow = finding.concept.has(LOINC, *rule.flow_loinc)
    if not flow and not finding.concept.has(LOINC, *rule.fraction_loinc):
        return False
    value = finding.value
    if isinstance(value, Text):
        return True
    if not isinstance(value, Quantity | QuantityInterval):
        return False
    high = value.value if isinstance(value, Quantity) else value.interval.high
    if high is None or flow:
        return high is None or high > 0
    return (high if high > _AS_FRACTION else 100 * high) > rule.room_air_percent


def _bounded(fact: Fact, supplied: Sequence[Fact], rule: OxygenSupply) -> Fact:
    value = fact.finding.value
    if not isinstance(value, Quantity | QuantityInterval):
        return fact
    if not any(_together(fact, other, rule.within_minutes) for other in supplied):
        return fact
    high = value.value if isinstance(value, Quantity) else value.interval.high
    finding = fact.finding.model_copy(
        update={
            "value": measured(Interval(high=high), value.unit),
            "reported": f"{fact.finding.reported or value} on oxygen",
            "flags": (*fact.finding.flags, FLAG),
        }
    )
    return fact.model_copy(update={"finding": finding})


def _together(fact: Fact, other: Fact, within_minutes: float) -> bool:
    """Return whether two facts may be of one time; where a time is not known they may."""
    minutes = elapsed(fact.finding.time, other.finding.time).minutes if other.finding.time else None
    if minutes is None or minutes.low is None or minutes.high is None:
        return True
    return minutes.low <= within_minutes and minutes.high >= -within_minutes
