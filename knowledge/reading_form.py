"""Structured readings as data: one YAML file for each under ``knowledge/data/readings``.

A form has sections in reading order and tables. A table gives a category by the first of its rows
that holds, in three-valued logic: what is not assessed leaves a range of categories.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import FiniteFloat, StringConstraints, model_validator

from knowledge.errors import InvalidValueError, ReferenceDataError
from knowledge.model import Frozen
from knowledge.reading_contradictions import (
    Contradiction,
    Derived,
    condition_faults,
    derived_faults,
    further_names,
    names_of,
)
from knowledge.reading_items import Item, ItemId, Section
from knowledge.reading_score import filled
from knowledge.reference import Review, Table, load, table_names
from knowledge.rules import Condition
from knowledge.words import Words

_FOLDER = "readings/"
_SCORED = ("sign", "choice", "choices")

CategoryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+.-]{0,39}$")]


class Category(Frozen):
    """One category of a table.

    Args:
        id: As the rows name it.
        label: Name to show.
        short: For the headline; empty where the category is not named there.
        management: What the source advises; empty where it advises nothing.
        source, review: Of it.
    """

    id: CategoryId
    label: Words
    short: str = ""
    management: Words | None = None
    source: str
    review: str


class CategoryRow(Frozen):
    """One row: the first whose condition holds gives the category.

    Args:
        when: Over items and earlier tables; None for the last row.
        category: Which.
        because: Said beside the category.
        source, review: Of the row.
    """

    when: Condition | None = None
    category: CategoryId
    because: Words
    source: str
    review: str


class Total(Frozen):
    """A sum of points over items.

    Args:
        start: Before anything is added.
        items: Whose points are added.
        zero_when: Nothing is added where this holds.
        label: Name to show.
        source, review: Of it.
    """

    start: FiniteFloat = 0.0
    items: tuple[ItemId, ...]
    zero_when: Condition | None = None
    label: Words
    source: str
    review: str


class CategoryTable(Frozen):
    """A classification.

    Args:
        id: Under which other tables read its category; its total is ``<id>.total``.
        label: Name to show.
        of: A list, each entry of which has its own category; None for the reading as a whole.
        total: Points, where the categories rest on them.
        categories: The least first; the worst of several entries is the last.
        rows: In order; the last has no condition. A file may name a score instead of categories
            and rows (see `knowledge.reading_score`).
    """

    id: ItemId
    label: Words
    of: ItemId | None = None
    total: Total | None = None
    categories: tuple[Category, ...]
    rows: tuple[CategoryRow, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_other_data(cls, raw: Any) -> Any:
        return filled(raw)

    def category(self, category_id: str) -> Category:
        """Return one category."""
        return next(c for c in self.categories if c.id == category_id)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition."""
        yield from (row.when for row in self.rows if row.when is not None)
        if self.total is not None and self.total.zero_when is not None:
            yield self.total.zero_when

    def reads(self) -> tuple[str, ...]:
        """Return every name its conditions and its total read, once each."""
        found = [name for condition in self.conditions() for name in condition.inputs()]
        found += list(self.total.items) if self.total is not None else []
        return tuple(dict.fromkeys(found))


class Slot(Frozen):
    """What of a plugged model's output fills an item.

    Args:
        labels: Of the model, in small letters.
        system, code: The label's code, where the model gives one.
        item: That is filled; an item of the form, not of a list.
        answer: Of a choice, where the label stands for one answer.
        side: Where the label is of one side.
    """

    labels: tuple[str, ...]
    system: str | None = None
    code: str | None = None
    item: ItemId
    answer: str | None = None
    side: Literal["left", "right"] | None = None


class Note(Frozen):
    """A caveat that stands in every report."""

    text: Words
    source: str
    review: str


class Relation(Frozen):
    """Two numbers of which the first is never more than the second.

    Args:
        least, most: Items of the form, numbers of one unit.
        because: Why the opposite cannot be.
        source, review: Of it.
    """

    least: ItemId
    most: ItemId
    because: Words
    source: str
    review: str


class ReadingForm(Table):
    """One form.

    Args:
        id: Name of the file.
        name: Name to show.
        modalities: DICOM codes of what is read.
        sections: In reading order.
        tables: Classifications; a later one may read an earlier one.
        relations: Between its numbers; what breaks one cannot be.
        contradictions: Answers that cannot stand together.
        derived: Numbers that follow from others; what is stated is compared with them.
        headline: Tables whose `short` make the first line, joined by a slash.
        slots: For plugged models.
        notes: Caveats; trade marks.
        template: What the form needs from outside to be of use; empty for most.
    """

    id: ItemId
    name: Words
    modalities: tuple[str, ...]
    sections: tuple[Section, ...]
    tables: tuple[CategoryTable, ...] = ()
    relations: tuple[Relation, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    derived: tuple[Derived, ...] = ()
    headline: tuple[ItemId, ...] = ()
    slots: tuple[Slot, ...] = ()
    notes: tuple[Note, ...] = ()
    template: Literal["", "norm-file"] = ""

    @property
    def items(self) -> Mapping[str, Item]:
        """Every item outside lists, in reading order."""
        return {item.id: item for section in self.sections for item in section.items}

    def item(self, path: str) -> Item:
        """Return the item at ``item`` or ``list/entry/item``.

        Raises:
            InvalidValueError: There is none.
        """
        first, _, rest = path.partition("/")
        found = self.items.get(first)
        if found is not None and rest:
            part = rest.partition("/")[2]
            found = next((item for item in found.items if item.id == part), None)
        if found is None:
            raise InvalidValueError(
                path[:80], f"no such item in {self.id}", f"see `epicrisis reading forms {self.id}`"
            )
        return found

    def table(self, table_id: str) -> CategoryTable:
        """Return one classification."""
        return next(table for table in self.tables if table.id == table_id)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for fault in _faults(self):
            raise ValueError(fault)
        return self


def _faults(form: ReadingForm) -> Iterator[str]:
    ids = [item.id for section in form.sections for item in section.items]
    ids += [part.id for item in form.items.values() for part in item.items]
    ids += [table.id for table in form.tables] + [c.id for c in form.contradictions]
    if len(set(ids)) != len(ids):
        yield "an id is given twice: " + ", ".join(sorted({i for i in ids if ids.count(i) > 1}))
    tables = {table.id for table in form.tables}
    if not set(form.headline) <= tables:
        yield "the headline names a table that is not there"
    for slot in form.slots:
        if slot.item not in form.items:
            yield f"a slot fills {slot.item!r}, which is not there"
        elif slot.answer is not None and slot.answer not in form.items[slot.item].answers:
            yield f"a slot gives {slot.item!r} an answer that is not there"
    yield from _relation_faults(form)
    yield from derived_faults(form.derived, form.items)
    yield from _contradiction_faults(form)
    yield from _source_faults(form)
    for index, table in enumerate(form.tables):
        yield from _table_faults(form, table, form.tables[:index])
    for item in (*form.items.values(), *(p for i in form.items.values() for p in i.items)):
        if item.asked_when is not None:
            yield from condition_faults(item.asked_when, _readable(form, ()), item.id)


def _relation_faults(form: ReadingForm) -> Iterator[str]:
    for relation in form.relations:
        pair = [form.items.get(relation.least), form.items.get(relation.most)]
        units = {None if item is None else item.unit for item in pair}
        if relation.least == relation.most or None in units or len(units) > 1:
            yield f"a relation of {relation.least!r} and {relation.most!r}, no two numbers alike"


def _contradiction_faults(form: ReadingForm) -> Iterator[str]:
    for one in form.contradictions:
        if one.of is not None and (one.of not in form.items or not form.items[one.of].items):
            yield f"{one.id!r} is of a list that is not there"
            continue
        of = one.of if one.of is not None else ""
        readable = {**_readable(form, form.tables, of), **dict(further_names(form.items))}
        yield from condition_faults(one.when, readable, one.id, compares=True)


def _source_faults(form: ReadingForm) -> Iterator[str]:
    rows: list[tuple[str | None, str | None]] = [(s.source, s.review) for s in form.sections]
    rows += [(i.source, i.review) for i in form.items.values()]
    rows += [(p.source, p.review) for i in form.items.values() for p in i.items]
    rows += [(n.source, n.review) for n in form.notes]
    rows += [(r.source, r.review) for r in form.relations]
    rows += [(c.source, c.review) for c in form.contradictions]
    rows += [(d.source, d.review) for d in form.derived]
    for table in form.tables:
        rows += [(category.source, category.review) for category in table.categories]
        rows += [(row.source, row.review) for row in table.rows]
        rows += [(table.total.source, table.total.review)] if table.total else []
    for source, review in rows:
        if (source is None) != (review is None):
            yield "source and review go together"
        if source is not None and source not in form.sources:
            yield f"source {source!r} is not among the file's sources"
        if review is not None:
            Review(tag=review)


def _table_faults(
    form: ReadingForm, table: CategoryTable, earlier: tuple[CategoryTable, ...]
) -> Iterator[str]:
    names = [category.id for category in table.categories]
    if len(set(names)) != len(names):
        yield f"table {table.id!r}: a category is given twice"
    if any(row.category not in names for row in table.rows):
        yield f"table {table.id!r}: a row names a category that is not there"
    if [row.when is None for row in table.rows] != [False] * (len(table.rows) - 1) + [True]:
        yield f"table {table.id!r}: the last row, and only it, has no condition"
    if table.of is not None and (table.of not in form.items or not form.items[table.of].items):
        yield f"table {table.id!r}: is of a list that is not there"
        return
    readable = _readable(form, (*earlier, table), table.of)
    for condition in table.conditions():
        yield from condition_faults(condition, readable, table.id)
    beside = form.items[table.of].items if table.of is not None else ()
    scored = {i.id for i in (*form.items.values(), *beside) if i.kind in _SCORED}
    for item_id in table.total.items if table.total is not None else ():
        if item_id not in scored:
            yield f"table {table.id!r}: the total adds {item_id!r}, which has no points"


def _readable(
    form: ReadingForm, tables: tuple[CategoryTable, ...], of: str | None = None
) -> Mapping[str, frozenset[str] | None]:
    """Return every name a condition may read, with its answers; None for a number.

    An item's ``asked_when`` reads the items beside it, so without a list all parts are named.
    """
    found: dict[str, frozenset[str] | None] = {}
    parts = [p for item in form.items.values() if of in (None, item.id) for p in item.items]
    beside = parts if of is not None or not tables else []
    for item in (*form.items.values(), *beside):
        found.update(names_of(item))
    for table in tables:
        found[table.id] = frozenset({c.id for c in table.categories} | {"none"})
        if table.total is not None:
            found[f"{table.id}.total"] = None
    return found


def reading_form_ids() -> tuple[str, ...]:
    """Return the ids of all packaged forms, sorted."""
    return tuple(n.removeprefix(_FOLDER) for n in table_names() if n.startswith(_FOLDER))


@cache
def reading_form(form_id: str) -> ReadingForm:
    """Return one packaged form.

    Raises:
        InvalidValueError: There is no such form.
        ReferenceDataError: Its file is not valid.
    """
    if form_id not in reading_form_ids():
        raise InvalidValueError(
            f"form {form_id[:60]!r}", "no such form", "known: " + ", ".join(reading_form_ids())
        )
    found = load(_FOLDER + form_id, ReadingForm)
    if found.id != form_id:
        raise ReferenceDataError(f"{form_id}.yaml: id", f"is {found.id!r}, not the file's name")
    return found
