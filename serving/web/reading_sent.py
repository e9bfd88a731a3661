"""What a reader sent with the page of a reading, as changes of its items."""

from collections.abc import Mapping, Sequence

from knowledge.errors import InvalidValueError
from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import ReadingForm
from knowledge.reading_items import Item
from serving.reading.differences import said
from serving.web.reading_fields import NEW_ENTRY, state_of
from tools.readings.check import as_stated
from tools.readings.model import NOBODY, Entry, Reading, Said, Stated

Sent = Mapping[str, Sequence[str]]
"""Name of an input to its values."""

_MOST_ENTRIES = 50


def changes(form: ReadingForm, reading: Reading, sent: Sent, *, by: Said) -> dict[str, Stated]:
    """Return what was changed, or confirmed of what a machine had said.

    Args:
        form: Of the reading.
        reading: As it stands.
        sent: What was sent.
        by: Who sent it.

    Raises:
        InvalidValueError: A number is none, or an answer is given without its state.
    """
    found: dict[str, Stated] = {}
    for item in form.items.values():
        before = reading.items.get(item.id, NOBODY)
        after = _stated(item, item.id, before, sent, by)
        confirmed = before.unconfirmed and f"{item.id}:confirm" in sent
        if confirmed or not _same(before, after):
            found[item.id] = after
    return found


def _same(before: Stated, after: Stated) -> bool:
    return said(before) == said(after) and _entries_of(before) == _entries_of(after)


def _entries_of(stated: Stated) -> dict[str, dict[str, Stated]]:
    return {
        entry.id: {key: said(one) for key, one in entry.items.items() if not one.nobody_looked}
        for entry in stated.entries
    }


def _stated(item: Item, path: str, before: Stated, sent: Sent, by: Said) -> Stated:
    """Return what stands in the fields of one item."""
    state = _one(sent, path, "state")
    if f"{path}:state" not in sent:
        return before
    text = _one(sent, path, "text")
    if state.startswith("na:") and state == state_of(before) and text == before.text:
        return before
    if state.startswith("na:"):
        why = Why(state.removeprefix("na:")) if state != "na:other" else Why.UNCONFIRMED
        reason = NotAssessed(why=why, detail=text or why.value.replace("-", " "))
        return Stated(state=State.NOT_ASSESSED, not_assessed=reason, said=by, text=text)
    parts = _parts(item, path, before, sent, by)
    if not state and (parts or (text and item.kind == "text")):
        state = "present"  # an answer that is filled in is given
    if not state and item.kind in ("text", "number") and before.not_assessed is not None:
        return before  # these have no choice of states: leaving them empty withdraws nothing
    if not state:
        return NOBODY
    if state == "absent":
        return Stated(state=State.ABSENT, said=by, text=text)
    if item.kind in ("choice", "choices", "number") and not parts:
        raise InvalidValueError(item.label.en, "is given without its answer", "choose or enter it")
    if item.kind == "text" and not text:
        return NOBODY
    value = {"state": "present", "said": by.model_dump(mode="json"), "text": text, **parts}
    return as_stated(value, path=path)


def _parts(item: Item, path: str, before: Stated, sent: Sent, by: Said) -> dict[str, object]:
    found: dict[str, object] = {}
    chosen = [value for value in sent.get(f"{path}:choice", ()) if value]
    if chosen:
        found["choices"] = chosen
    if number := _one(sent, path, "number"):
        typed = _number(number, item)
        margin = before.margin if typed == before.number else None  # confirming adds no precision
        found |= {"number": typed, "unit": item.unit, "margin": margin}
    if side := _one(sent, path, "side"):
        found["side"] = side
    if zones := [value for value in sent.get(f"{path}:zone", ()) if value]:
        found["zones"] = zones
    if size := _one(sent, path, "size"):
        found["size_mm"] = _number(size, item)
    if item.kind == "list":
        entries = _entries(item, path, before, sent, by)
        if entries:
            found["entries"] = [entry.model_dump(mode="json") for entry in entries]
    return found


def _entries(item: Item, path: str, before: Stated, sent: Sent, by: Said) -> list[Entry]:
    known = {entry.id: entry for entry in before.entries}
    names = list(item.fixed) or [*known, NEW_ENTRY]
    made: list[Entry] = []
    for name in names:
        old = known.get(name, Entry(id=name))
        items = {}
        for part in item.items:
            stood = old.items.get(part.id, NOBODY)
            given = _stated(part, f"{path}/{name}/{part.id}", stood, sent, by)
            if not given.nobody_looked:
                items[part.id] = stood if _same(stood, given) else given
        if items:
            made.append(Entry(id=_free(known) if name == NEW_ENTRY else name, items=items))
    return made[:_MOST_ENTRIES]


def _free(known: Mapping[str, Entry]) -> str:
    number = len(known) + 1
    while str(number) in known:
        number += 1
    return str(number)


def _one(sent: Sent, path: str, name: str) -> str:
    values = sent.get(f"{path}:{name}", ())
    return values[0].strip() if values else ""


def _number(value: str, item: Item) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidValueError(item.label.en, "is no number", "give digits") from error
