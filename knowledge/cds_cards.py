"""How an assessment becomes a card in the EHR: levels, calls and drafts of orders, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import StringConstraints

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Sourced, Urgency, pathway
from knowledge.reference import Table, load
from knowledge.rules import Condition

_FILE = "cds_cards"
_PATHWAY = "chest_pain"

SHORT = 139
"""Longest summary of a card, characters: CDS Hooks wants fewer than 140."""

Level = Literal["critical", "high", "intermediate", "low", "not-assessable"]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=SHORT)]


class Calls(Sourced):
    """What makes a card critical.

    Args:
        calls: Id of an immediate recommendation to the summary, which says whom to call; the first
            that applies counts.
    """

    calls: Mapping[str, Summary]


class LevelRow(Sourced):
    """One level: the first whose condition holds counts."""

    level: Level
    when: Condition


class Code(Frozen):
    """A code of an order."""

    code: str
    display: str


class OrderRow(Sourced):
    """What can be ordered from a card.

    Args:
        text: The order in words.
        loinc: Its code, where it has one.
        analytes: Analytes one of which it is, where the case says which.
    """

    text: str
    loinc: Code | None = None
    analytes: tuple[str, ...] = ()


class SuggestionRow(Frozen):
    """A draft that a recommendation offers.

    Args:
        label: What the button says.
        order: Key of an order.
        recommended: Whether it is marked as recommended.
    """

    label: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    order: str
    recommended: bool


class Suggestions(Sourced):
    """Recommendation id to what it offers."""

    rows: Mapping[str, SuggestionRow]


class CdsCardTable(Table):
    """How cards are made.

    Args:
        critical: Immediate recommendations that call for somebody.
        speaks_alone: Those that are a reason for a card without chest pain and without troponin.
        beside: Immediate recommendations that come beside one of those.
        gaps: Immediate recommendations that ask for data.
        levels: The levels below critical, in order.
        orders, suggestions: Drafts that a card offers.
    """

    critical: Calls
    speaks_alone: tuple[str, ...]
    beside: tuple[str, ...]
    gaps: tuple[str, ...]
    levels: Mapping[str, LevelRow]
    orders: Mapping[str, OrderRow]
    suggestions: Suggestions


@cache
def cds_cards() -> CdsCardTable:
    """Return the packaged table.

    Raises:
        ReferenceDataError: It names what the pathway does not have, or an immediate recommendation
            of the pathway stands nowhere in it.
    """
    table = load(_FILE, CdsCardTable)
    path = pathway(_PATHWAY)
    placed = {*table.critical.calls, *table.beside, *table.gaps}
    immediate = {k for k, r in path.recommendations.items() if r.urgency is Urgency.IMMEDIATE}
    faults = {f"not placed: {key}" for key in immediate - placed}
    named = placed | set(table.suggestions.rows)
    faults |= {f"no call {key}" for key in set(table.speaks_alone) - set(table.critical.calls)}
    named |= {
        name.removeprefix("recommendation.")
        for row in table.levels.values()
        for name in row.when.inputs()
        if name.startswith("recommendation.")
    }
    faults |= {f"no recommendation {key}" for key in named - set(path.recommendations)}
    faults |= {
        f"no order {row.order}"
        for row in table.suggestions.rows.values()
        if row.order not in table.orders
    }
    if faults:
        raise ReferenceDataError(f"{_FILE}.yaml", "; ".join(sorted(faults)))
    return table
