"""A reading is never changed: what a person or a model adds makes a new version."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

from knowledge.errors import ContractError, InvalidValueError
from knowledge.reading_form import reading_form
from knowledge.reading_items import Item
from knowledge.reading_score import rests_on
from knowledge.reference import raw, table_hash
from tools.readings.category import contradictions
from tools.readings.contradictions import Clash
from tools.readings.model import (
    NOBODY,
    Accepted,
    Edit,
    Entry,
    Reading,
    Said,
    Stated,
    Study,
    Subject,
)


class EmptyReadingError(ContractError):
    """A reading in which no reader has stated anything cannot be signed."""


class ContradictionError(ContractError):
    """A reading with answers that cannot stand together cannot be signed."""


@cache
def form_hash(form_id: str) -> str:
    """Return the SHA-256 of a form's file and of the data that its tables are taken from."""
    name = f"readings/{form_id}"
    own = table_hash(name)
    others = sorted({one for table in raw(name).get("tables", ()) for one in rests_on(table)})
    if not others:
        return own
    together = "\n".join([own, *(table_hash(one) for one in others)])
    return hashlib.sha256(together.encode()).hexdigest()


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
        _put(items, form.items[path.partition("/")[0]], path, stated)
    return reading.model_copy(
        update={
            "version": reading.version + 1,
            "items": items,
            "edits": (*reading.edits, *edits),
            "accepted": _still(reading, changes),
        }
    )


def _still(reading: Reading, changes: Mapping[str, Stated]) -> tuple[Accepted, ...]:
    """Return what stays confirmed: what rests on nothing that is changed."""
    if not reading.accepted:
        return ()
    changed = {path.partition("/")[0] for path in changes}
    rests = {
        clash.key: {path.partition("/")[0] for path in clash.paths}
        for clash in contradictions(reading)
    }
    return tuple(one for one in reading.accepted if not rests.get(one.key, changed) & changed)


def accepted(reading: Reading, keys: Sequence[str], *, by: Said) -> Reading:
    """Return the next version, in which a reader confirms what he was asked to look at again.

    Args:
        reading: The last version.
        keys: Of `Clash`; each is one that asks to look again.
        by: The reader.

    Raises:
        ContractError: Signed already, not by a reader, or a contradiction, which is corrected.
        InvalidValueError: Nothing of the kind is to be looked at.
    """
    if by.by != "reader":
        raise ContractError(f"reading {reading.id}", "is confirmed by a reader", "name the reader")
    if reading.status == "final":
        raise ContractError(
            f"reading {reading.id}", "is signed", "start an addendum as a new reading"
        )
    known = {clash.key: clash for clash in contradictions(reading)}
    for key in keys:
        if key not in known:
            again = ", ".join(k for k, clash in known.items() if clash.look_again)
            raise InvalidValueError(
                key[:80], "is not to be looked at again", f"open: {again or 'nothing'}"
            )
        if not known[key].look_again:
            raise ContractError(
                key, "is a contradiction and cannot be confirmed", "correct one of the answers"
            )
    done = {one.key for one in reading.accepted}
    new = [Accepted(key=key, said=by) for key in dict.fromkeys(keys) if key not in done]
    if not new:
        return reading
    return reading.model_copy(
        update={"version": reading.version + 1, "accepted": (*reading.accepted, *new)}
    )


def open_clashes(reading: Reading) -> tuple[Clash, ...]:
    """Return what has to be settled before the reading can be signed."""
    done = {one.key for one in reading.accepted}
    return tuple(c for c in contradictions(reading) if not c.look_again or c.key not in done)


def signed(reading: Reading, *, by: Said) -> Reading:
    """Return the final version.

    Args:
        reading: The last version.
        by: The reader who signs.

    Raises:
        ContractError: Signed already, not signed by a reader, or something that only a machine or
            a prior reading says was not confirmed.
        EmptyReadingError: No reader has stated anything; names what there is to look at.
        ContradictionError: Answers cannot stand together, or something to look at again was not
            confirmed; names all of it.
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
    _not_empty(reading)
    _settled(reading)
    update = {"version": reading.version + 1, "status": "final", "signed": by}
    return reading.model_copy(update=update)


def _not_empty(reading: Reading) -> None:
    every = [stated for stated in reading.items.values() if not stated.entries]
    every += [
        s for given in reading.items.values() for e in given.entries for s in e.items.values()
    ]
    if any(one.said is not None and one.said.by == "reader" for one in every):
        return
    sections = "; ".join(section.label.en for section in reading_form(reading.form).sections)
    raise EmptyReadingError(
        f"reading {reading.id}",
        "says nothing: no reader has stated or confirmed an item",
        f"state what was seen, or why it is not assessed: {sections}"[:400],
    )


def _settled(reading: Reading) -> None:
    found = open_clashes(reading)
    if not found:
        return
    hard = [clash for clash in found if not clash.look_again]
    told = "; ".join(f"{clash.because.en} [{clash.key}]" for clash in hard or found)
    if hard:
        raise ContradictionError(
            f"reading {reading.id}", f"contradicts itself: {told}"[:600], "correct one of them"
        )
    raise ContradictionError(
        f"reading {reading.id}",
        f"look again: {told}"[:600],
        "correct it, or confirm each by its name in brackets",
    )


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


def _put(items: dict[str, Stated], item: Item, path: str, stated: Stated) -> None:
    first, _, rest = path.partition("/")
    if not rest:
        items[first] = stated
        return
    entry_id, _, part = rest.partition("/")
    held = items.get(first, NOBODY)
    entry = next((e for e in held.entries if e.id == entry_id), None)
    if entry is None:
        named = [e.id for e in held.entries]
        named += [key for key in item.fixed if key not in named]
        named += [] if item.fixed or entry_id in named else [entry_id]
        raise InvalidValueError(
            path[:120],
            f"{first} has no entry {entry_id[:40]!r} yet",
            f"first name its entries: {first}='present;{','.join(named)}', then {path[:80]}=...",
        )
    changed = Entry(id=entry.id, items={**entry.items, part: stated})
    entries = tuple(changed if e.id == entry_id else e for e in held.entries)
    items[first] = held.model_copy(update={"entries": entries})
