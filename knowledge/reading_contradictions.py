"""What cannot stand together in one reading, as data of its form.

A contradiction is a condition over what is stated. Where it holds, every category that rests on
what it reads is not determined, and the reading is not signed until one of the answers is
corrected. A weaker one asks to look again: it is confirmed by name, or corrected.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import PositiveFloat, model_validator

from knowledge.model import Frozen
from knowledge.reading_items import Item, ItemId
from knowledge.rules import Condition
from knowledge.words import Words

Readable = Mapping[str, frozenset[str] | None]
"""Names that a condition may read, with their answers; None for a number."""

_STATES = frozenset({"present", "absent"})
_SIDES = frozenset({"left", "right", "both", "midline"})


class Contradiction(Frozen):
    """Answers that cannot stand together.

    Args:
        id: Unique in its form, also among items and tables.
        of: A list, each entry of which is tested; None for the reading as a whole.
        when: Over items, ``sign.size_mm``, ``sign.side``, tables, and ``list/entry/item`` of lists
            whose entries are fixed. It counts only where it is true for certain.
        weight: ``look-again`` may be confirmed; a ``contradiction`` is corrected.
        because: What cannot stand together, as a sentence; with the side where there is one.
        source, review: Of it.
    """

    id: ItemId
    of: ItemId | None = None
    when: Condition
    weight: Literal["contradiction", "look-again"] = "contradiction"
    because: Words
    source: str
    review: str


class Derived(Frozen):
    """A number that follows from others of the reading; exactly one formula is given.

    Args:
        item: The number.
        minus: The first less the second.
        over: The first divided by the second.
        percentile: Of a normal distribution, in per cent, at this z-score.
        within: What is stated may differ by so much, in the unit of the item: rounding.
        source, review: Of it.
    """

    item: ItemId
    minus: tuple[ItemId, ItemId] | None = None
    over: tuple[ItemId, ItemId] | None = None
    percentile: ItemId | None = None
    within: PositiveFloat
    source: str
    review: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The numbers it follows from."""
        one = () if self.percentile is None else (self.percentile,)
        return self.minus or self.over or one

    @model_validator(mode="after")
    def _one_formula(self) -> Self:
        if sum(part is not None for part in (self.minus, self.over, self.percentile)) != 1:
            raise ValueError("give exactly one of minus, over, percentile")
        return self


def names_of(item: Item) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Yield the names under which conditions read an item."""
    match item.kind:
        case "sign":
            yield item.id, _STATES
            if item.sized:
                yield f"{item.id}.size_mm", None
        case "choice":
            yield item.id, frozenset(item.answers)
        case "choices":
            yield from ((f"{item.id}.{answer}", _STATES) for answer in item.answers)
            yield item.id, None
        case "number":
            yield item.id, None
        case "list":
            yield item.id, _STATES
            yield f"{item.id}.count", None
        case "text":
            pass


def further_names(items: Mapping[str, Item]) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Yield the names that only contradictions read: sides, and items of fixed entries."""
    for item in items.values():
        if item.sided:
            yield f"{item.id}.side", _SIDES
        for entry in item.fixed:
            for part in item.items:
                yield from ((f"{item.id}/{entry}/{n}", a) for n, a in names_of(part))


def condition_faults(
    condition: Condition, readable: Readable, where: str, *, compares: bool = False
) -> Iterator[str]:
    """Yield what a condition reads that is not there, or in a way that cannot be.

    Args:
        condition: The condition.
        readable: What it may read.
        where: Of what, for messages.
        compares: It may test whether something is known, and one number against another.
    """
    for leaf in condition.leaves():
        special = leaf.below is not None or leaf.known is not None
        if leaf.score is not None or (special and not compares):
            yield f"{where!r}: a reading tests its own items with is and limits"
            continue
        name = leaf.input or ""
        if name not in readable or (leaf.below is not None and leaf.below.input not in readable):
            yield f"{where!r} reads {name!r}, which is not there"
            continue
        answers = readable[name]
        wanted = (leaf.is_,) if isinstance(leaf.is_, str) else leaf.is_ or ()
        if wanted and (answers is None or not set(wanted) <= answers):
            yield f"{where!r}: {name!r} has no answer {', '.join(wanted)}"
        if leaf.limits and answers is not None:
            yield f"{where!r}: {name!r} is no number"


def derived_faults(derived: tuple[Derived, ...], items: Mapping[str, Item]) -> Iterator[str]:
    """Yield derived items that are no numbers, or given twice."""
    for number, rule in enumerate(derived):
        named = (rule.item, *rule.reads)
        if any(name not in items or not items[name].is_number for name in named):
            yield f"derived {rule.item!r}: it, or what it follows from, is no number of the form"
        if rule.item in rule.reads or rule.item in [other.item for other in derived[:number]]:
            yield f"derived {rule.item!r}: it is given twice, or follows from itself"
