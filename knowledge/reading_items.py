"""What a structured reading asks: signs, choices, numbers, texts and lists, as data.

Every item has three states: present, absent, or not assessed with the reason. An item that nobody
looked at is not assessed; it is never absent.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, PositiveFloat, StringConstraints, model_validator

from knowledge.model import Frozen
from knowledge.reference import Review
from knowledge.rules import Condition
from knowledge.words import Words

Kind = Literal["sign", "choice", "choices", "number", "text", "list"]
"""A sign is there or not; one answer; all answers that apply; a number with its unit; free text;
several things of one sort, each with items of its own (nodules, eyes)."""

Zone = Literal["upper", "middle", "lower", "apex", "central", "peripheral", "costophrenic"]
ItemId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
AnswerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Answer(Words):
    """One answer of a choice.

    Args:
        points: What it adds to a table's total; None where it adds nothing.
        alone: It excludes the others, as "none of these" does.
    """

    points: FiniteFloat | None = None
    alone: bool = False


class Item(Frozen):
    """One question of a reading.

    Args:
        id: Unique in its form.
        label: Name to show.
        kind: How it is answered.
        present, absent: Standard sentences of a sign, and of a list.
        points: What a present sign adds to a table's total.
        sided: A sign has a side.
        zones: Where a sign may be; empty where that is not asked.
        sized: A sign has a size in mm.
        answers: Of a choice, in the order of their weight.
        ordered: The answers go from less to more, so that a change has a direction.
        unit: UCUM unit of a number.
        low, high: Numbers outside cannot be; not limits of the normal.
        items: Of each entry of a list.
        entry: Name of one entry of a list.
        fixed: Ids of the entries of a list that is always the same, such as two eyes.
        least_change: The smallest difference of size (mm) or number (its unit) that is called a
            change between two readings; None where none is known.
        asked_when: The item is not asked unless this holds.
        source, review: Of its numbers, where they are not those of the section.
    """

    id: ItemId
    label: Words
    kind: Kind = "sign"
    present: Words | None = None
    absent: Words | None = None
    points: FiniteFloat | None = None
    sided: bool = False
    zones: tuple[Zone, ...] = ()
    sized: bool = False
    answers: Mapping[AnswerId, Answer] = Field(default_factory=dict)
    ordered: bool = False
    unit: str | None = None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    items: tuple["Item", ...] = ()
    entry: Words | None = None
    fixed: Mapping[AnswerId, Words] = Field(default_factory=dict)
    least_change: PositiveFloat | None = None
    asked_when: Condition | None = None
    source: str | None = None
    review: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether the answer is a number."""
        return self.kind == "number"

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for fault in _faults(self):
            raise ValueError(f"item {self.id!r}: {fault}")
        return self


class Section(Frozen):
    """Items under one heading, in reading order.

    Args:
        id: Unique in its form.
        label: The heading.
        items: In the order in which they are looked at.
        source, review: Of the items and their numbers.
    """

    id: ItemId
    label: Words
    items: tuple[Item, ...]
    source: str
    review: str

    @model_validator(mode="after")
    def _review_form(self) -> Self:
        Review(tag=self.review)
        return self


def _faults(item: Item) -> Iterator[str]:
    if item.review is not None:
        Review(tag=item.review)
    yield from _lacking(item)
    yield from _foreign(item)


def _lacking(item: Item) -> Iterator[str]:
    if item.kind in ("sign", "list") and (item.present is None or item.absent is None):
        yield "its two standard sentences are missing"
    if (item.kind in ("choice", "choices")) != bool(item.answers):
        yield "answers belong to a choice"
    if item.is_number != (item.unit is not None):
        yield "a unit belongs to a number"
    if item.is_number and (item.low is None or item.high is None):
        yield "a number has the limits of what can be"
    if (item.kind == "list") != (bool(item.items) and item.entry is not None):
        yield "items, and a name for one entry, belong to a list"


def _foreign(item: Item) -> Iterator[str]:
    if item.fixed and item.kind != "list":
        yield "fixed entries belong to a list"
    if any(part.kind == "list" for part in item.items):
        yield "a list in a list"
    if item.kind != "sign" and (item.sided or item.zones or item.sized or item.points is not None):
        yield "side, zone, size and points belong to a sign"
    if item.kind != "choices" and any(answer.alone for answer in item.answers.values()):
        yield "only among answers that go together does one stand alone"
    if item.least_change is not None and not (item.is_number or item.sized):
        yield "a smallest change belongs to a size or a number"
