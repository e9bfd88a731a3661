"""Which items of a case a tool reads, and what it cannot do without: by its card, in code.

A derived index needs every input of its card, a score at least one (what is missing makes it a
range), any other tool what ``evidence.yaml`` says.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from pydantic import Field

from agent.router_planner.names import load_table
from knowledge.model import Frozen
from knowledge.reference import Table
from tools.toolbox import discover

_TROPONIN = "troponin"
_INDEX, _RISK = "derived index", "risk"


class RouterItem(Frozen):
    """One item of a case as the router sees it: no value, the tool reads that from the record.

    Args:
        id: For example ``lab-3``.
        label: What it is.
    """

    id: str
    label: str


class Reads(Frozen):
    """What a tool reads.

    Args:
        must: Words of which each must match an item; see ``evidence.yaml``.
        alternative: A word that stands for all of `must`.
        may: Words whose items are read where they are there.
        least: Items that `must` has to match at least.
        any_of: Whether one match of `may` is enough and `must` is empty: a score.
    """

    must: tuple[str, ...] = ()
    alternative: tuple[str, ...] = Field(default=(), alias="or")
    may: tuple[str, ...] = ()
    least: int = 1
    any_of: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Everything it reads, what it must have first."""
        return (*self.must, *self.alternative, *self.may)


class EvidenceTable(Table):
    """The file ``evidence.yaml``."""

    tools: Mapping[str, Reads]


@cache
def reads(tool: str) -> Reads:
    """Return what a tool reads; nothing for a name that is no tool."""
    known = discover().get(tool)
    if known is None:
        return Reads()
    row = _table().tools.get(tool)
    if row is not None:
        return row
    labels = tuple(_label(need) for need in known.card.needs)
    if known.card.group == _INDEX:
        return Reads(must=labels)
    return Reads(may=labels, any_of=True)


def readable(tool: str, items: Sequence[RouterItem]) -> tuple[RouterItem, ...]:
    """Return the items of a case that a tool reads, in the order of the case."""
    words = reads(tool).words
    return tuple(item for item in items if any(matches(word, item) for word in words))


def lacking(tool: str, items: Sequence[RouterItem]) -> tuple[str, ...]:
    """Return what a tool cannot do without and the case does not have; empty where it can run.

    Examples:
        >>> lacking("anion_gap", [RouterItem(id="lab-1", label="Sodium")])
        ('Chloride', 'Bicarbonate')
    """
    found = reads(tool)
    if found.any_of:
        return () if readable(tool, items) else found.may
    if found.alternative and any(matches(w, i) for w in found.alternative for i in items):
        return ()
    missing = tuple(w for w in found.must if not any(matches(w, i) for i in items))
    if missing:
        return missing
    held = sum(any(matches(w, i) for w in found.must) for i in items)
    return () if held >= found.least else found.must


def matches(word: str, item: RouterItem) -> bool:
    """Return whether a word of `Reads` is about an item."""
    if word.endswith("-"):
        return item.id.startswith(word)
    label, sought = item.label.casefold(), word.casefold()
    if sought.startswith("*"):
        return sought[1:] in label
    return label == sought or (_TROPONIN in sought and _TROPONIN in label)


def _label(need: str) -> str:
    """Return the label of a card's line, without unit and choices."""
    return need.split(". Unit")[0].split(". One of")[0]


@cache
def _table() -> EvidenceTable:
    return load_table("agent.router_planner", "evidence", EvidenceTable)
