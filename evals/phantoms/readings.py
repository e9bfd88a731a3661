"""Readings with some items stated: short ways to write them down."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item
from tools.readings.model import Entry, Image, Reading, Said, Stated, Study, Subject
from tools.readings.typed import typed_stated
from tools.readings.versions import new_reading

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
READER = Said(by="reader", who="Dr Reader", at=NOON)
MODEL = Said(by="model", who="finder 1.2", at=NOON)
IMAGES = (
    Image(sop_class_uid="1.2.840.10008.5.1.4.1.1.1", series_uid="1.2.3.1", sop_uid="1.2.3.1.1"),
    Image(sop_class_uid="1.2.840.10008.5.1.4.1.1.1", series_uid="1.2.3.1", sop_uid="1.2.3.1.2"),
    Image(sop_class_uid="1.2.840.10008.5.1.4.1.1.1", series_uid="1.2.3.2", sop_uid="1.2.3.2.1"),
)


def stated(form: ReadingForm, items: Mapping[str, Any]) -> dict[str, Stated]:
    """Return stated items: text as a person types it, or a mapping of entries for a list."""
    return {key: one(form.items[key], value) for key, value in items.items()}


def one(item: Item, value: Any) -> Stated:
    """Return one stated item by a reader."""
    if isinstance(value, Mapping):
        parts = {part.id: part for part in item.items}
        entries = tuple(
            Entry(id=str(key), items={k: one(parts[k], v) for k, v in held.items()})
            for key, held in value.items()
        )
        return Stated(state=State.PRESENT, said=READER, entries=entries)
    return typed_stated(item, str(value), path=item.id, said=READER, before=NOBODY_YET)


NOBODY_YET = Stated(
    state=State.NOT_ASSESSED, not_assessed=NotAssessed(why=Why.MISSING, detail="nobody has looked")
)


def reading(form_id: str, items: Mapping[str, Any] | None = None, **changes: Any) -> Reading:
    """Return a reading with some items stated by a reader."""
    form = reading_form(form_id)
    made = new_reading(
        form_id,
        reading_id=changes.pop("id", "reading-1"),
        subject=changes.pop("subject", Subject(id="P1", issuer="urn:hospital", sex="female")),
        study=changes.pop(
            "study",
            Study(
                study_uid="1.2.3", modality=form.modalities[0], done=NOON, accession="A1",
                images=IMAGES,
            ),
        ),
        started=READER,
    )  # fmt: skip
    every = {**made.items, **stated(form, items or {})}
    return made.model_copy(update={"items": every, **changes})
