"""Fact sheets of the bundled examples."""

from functools import cache

from agent.assessment import Assessment
from agent.fact_sheet import fact_sheet
from agent.facts import Fact, FactSheet
from knowledge.passages import Language
from tests.agent.cases import EXAMPLES
from tests.agent.cases import assessed as assess

NAMES = ("stemi", "nstemi", "early_presenter", "half_missing")


@cache
def assessed(name: str) -> Assessment:
    """Return the assessment of a bundled example."""
    return assess(EXAMPLES / name)


@cache
def sheet(name: str, language: Language = "en") -> FactSheet:
    """Return the fact sheet of a bundled example."""
    return fact_sheet(assessed(name), language=language)


def every_id(of: FactSheet) -> tuple[str, ...]:
    """Return the ids of all facts: the most a sentence could cite."""
    return tuple(fact.id for fact in of.facts)


def fact(of: FactSheet, key: str) -> Fact:
    """Return the fact with this key."""
    return next(one for one in of.facts if one.key == key)
