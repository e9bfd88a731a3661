"""A reading with something of every kind, for round trips."""

from datetime import timedelta, timezone

from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import reading_form
from knowledge.reading_items import Item
from tests.tools.readings.made import MODEL, NOON, READER, reading
from tools.readings.model import Entry, Reading, Said, Stated
from tools.readings.versions import edited

LATER = Said(by="reader", who="Dr Œ. Müller 王", at=NOON.astimezone(timezone(timedelta(hours=8))))


def full_reading(form_id: str) -> Reading:
    """Return a reading of a form in which every item that is asked says something, and edits.

    Signs are present, absent and not assessed in turn, by reader, model, measurement and prior.
    """
    form = reading_form(form_id)
    made = reading(form_id)
    changes = {
        item.id: _stated(item, place)
        for place, item in enumerate(form.items.values())
        if item.asked_when is None
    }
    made = edited(made, changes, by=LATER)
    first = next(iter(changes))
    again = Stated(
        state=State.NOT_ASSESSED,
        not_assessed=NotAssessed(why=Why.QUALITY, detail="moved <&> \\ twice"),
        said=LATER,
    )
    return edited(made, {first: again}, by=LATER)


def _stated(item: Item, place: int) -> Stated:
    match item.kind:
        case "sign":
            return _sign(item, place)
        case "choice":
            return Stated(state=State.PRESENT, said=READER, choices=(next(iter(item.answers)),))
        case "choices":
            free = tuple(k for k, a in item.answers.items() if not a.alone)
            return Stated(state=State.PRESENT, said=MODEL, choices=free[:2], certainty=0.75)
        case "number":
            number = round(((item.low or 0) + (item.high or 1)) / 2 + 1 / 3, 6)
            return Stated(
                state=State.PRESENT, said=_measured(), number=number, unit=item.unit, margin=0.125
            )
        case "text":
            return Stated(state=State.PRESENT, said=LATER, text="左肺 <b>clear</b> & \\ quiet")
        case "list":
            names = list(item.fixed) or ["n1", "n-2"]
            parts = [part for part in item.items if part.asked_when is None]
            held = {part.id: _stated(part, place + k) for k, part in enumerate(parts)}
            entries = (Entry(id=names[0], items=held), Entry(id=names[1]))
            return Stated(state=State.PRESENT, said=READER, entries=entries)


def _sign(item: Item, place: int) -> Stated:
    if place % 4 == 1:
        return Stated(state=State.ABSENT, said=MODEL, certainty=0.125)
    if place % 4 == 2:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="")
        return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=_measured())
    if place % 4 == 3:
        said = Said(by="prior", who="reading-0", at=NOON)
        return Stated(state=State.PRESENT, said=said, change="stable")
    return Stated(
        state=State.PRESENT,
        said=READER,
        side="both" if item.sided else None,
        zones=item.zones[:2],
        size_mm=12.3456 if item.sized else None,
        change="larger",
        certainty=0.1 + 0.2,
        text="beside it",
    )


def _measured() -> Said:
    return Said(by="measurement", who="ruler 3", at=NOON)
