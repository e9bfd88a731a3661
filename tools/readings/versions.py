"""A reading is never changed: what a person or a model adds makes a new version."""

from collections.abc import Mapping

from knowledge.errors import ContractError, InvalidValueError
from knowledge.reading_form import reading_form
from knowledge.reference import table_hash
from tools.readings.model import NOBODY, Edit, Entry, Reading, Said, Stated, Study, Subject


def form_hash(form_id: str) -> str:
    """Return the SHA-256 of a form's file."""
    return table_hash(f"readings/{form_id}")


def new_reading(
    form_id: str, *, reading_id: str, subject: Subject, study: Study, started: Said
) -> Reading:
    """Return a reading in which nobody has looked at anything yet.

    Args:
        form_id: Which form.
        reading_id: Unique at the site.
        subject: Of whom.
        study: Of what.
        started: By whom and when.

    Raises:
        InvalidValueError: There is no such form.
        ContractError: The form is not for the modality.
    """
    form = reading_form(form_id)
    if study.modality not in form.modalities:
        raise ContractError(
            f"form {form.id}",
            f"is not for {study.modality}",
            "modalities: " + ", ".join(form.modalities),
        )
    return Reading(
        id=reading_id,
        form=form.id,
        form_version=form.version,
        form_sha256=form_hash(form.id),
        started=started,
        subject=subject,
        study=study,
        items=dict.fromkeys(form.items, NOBODY),
    )


def edited(reading: Reading, changes: Mapping[str, Stated], *, by: Said) -> Reading:
    """Return the next version, in which some items are stated anew.

    Args:
        reading: The last version.
        changes: By path: ``item`` or ``list/entry/item``.
        by: Who makes the change, and when; not before the last change.

    Raises:
        InvalidValueError: No such item, or the time is before that of the last version.
        ContractError: The reading is signed, or a reader's word would be replaced by a machine's.
    """
    if reading.status == "final":
        raise ContractError(
            f"reading {reading.id}", "is signed", "start an addendum as a new reading"
        )
    if by.at < reading.last_change:
        raise InvalidValueError(
            "time of the change", "is before the last version", "correct the clock or the time"
        )
    form = reading_form(reading.form)
    items = dict(reading.items)
    edits = []
    for path, stated in changes.items():
        form.item(path)
        before = reading.at(path)
        _not_over_a_reader(path, before, by)
        edits.append(
            Edit(version=reading.version + 1, path=path, before=before, by=by.who, at=by.at)
        )
        _put(items, path, stated)
    return reading.model_copy(
        update={
            "version": reading.version + 1,
            "items": items,
            "edits": (*reading.edits, *edits),
        }
    )


def signed(reading: Reading, *, by: Said) -> Reading:
    """Return the final version.

    Args:
        reading: The last version.
        by: The reader who signs.

    Raises:
        ContractError: Signed already, not signed by a reader, or something that only a machine or
            a prior reading says was not confirmed.
    """
    if by.by != "reader":
        raise ContractError(f"reading {reading.id}", "is signed by a reader", "name the reader")
    if reading.status == "final":
        raise ContractError(f"reading {reading.id}", "is signed already", "")
    open_items = unconfirmed(reading)
    if open_items:
        raise ContractError(
            f"reading {reading.id}",
            f"holds what no reader has confirmed: {', '.join(open_items[:8])}",
            "confirm each, correct it, or mark it not assessed",
        )
    update = {"version": reading.version + 1, "status": "final", "signed": by}
    return reading.model_copy(update=update)


def confirmed(stated: Stated, *, by: Said) -> Stated:
    """Return what a model or measurement said as the reader's own word."""
    return stated.model_copy(update={"said": by, "certainty": None})


def unconfirmed(reading: Reading) -> tuple[str, ...]:
    """Return the paths of what no reader has said."""
    found = [path for path, stated in reading.items.items() if stated.unconfirmed]
    for path, stated in reading.items.items():
        for entry in stated.entries:
            parts = [f"{path}/{entry.id}/{k}" for k, s in entry.items.items() if s.unconfirmed]
            found += parts
    return tuple(found)


def _not_over_a_reader(path: str, before: Stated, by: Said) -> None:
    if before.said is not None and before.said.by == "reader" and by.by != "reader":
        raise ContractError(
            path,
            f"a reader has stated it; a {by.by} does not replace that",
            "let a reader change it",
        )


def _put(items: dict[str, Stated], path: str, stated: Stated) -> None:
    first, _, rest = path.partition("/")
    if not rest:
        items[first] = stated
        return
    entry_id, _, part = rest.partition("/")
    held = items.get(first, NOBODY)
    entry = next((e for e in held.entries if e.id == entry_id), None)
    if entry is None:
        raise InvalidValueError(
            path[:120], "no such entry", "state the list with its entries first"
        )
    changed = Entry(id=entry.id, items={**entry.items, part: stated})
    entries = tuple(changed if e.id == entry_id else e for e in held.entries)
    items[first] = held.model_copy(update={"entries": entries})
