"""What a signed reading says in words alone: texts no table reads, for people and note reading."""

import hashlib
from collections.abc import Iterator

from knowledge.evidence import RecordEvidence
from knowledge.plain_text import visible
from knowledge.reading_form import reading_form
from knowledge.reading_inputs import reading_inputs
from knowledge.reading_items import Item
from knowledge.rules import holds
from knowledge.timeline import Document
from tools.readings.answers import facts_of
from tools.readings.in_case import ReadingFile
from tools.readings.model import NOBODY, Stated

_TITLE = 200


def reading_words_of(one: ReadingFile) -> Iterator[Document]:
    """Yield every text of a reader in a signed reading, and every remark beside an item.

    Args:
        one: The reading; what only a model or a prior reading says is not the reader's.
    """
    form = reading_form(one.reading.form)
    alone = _in_words_alone(one)
    written = [
        (path, item, text)
        for item in form.items.values()
        for path, text in _texts(item, one.reading.items.get(item.id, NOBODY), item.id)
    ]
    for path, item, text in written:
        yield _document(one, path, f"{form.name.en}, {item.label.en}", text, report=not alone)
    if alone and not written:
        # the reader states a finding and does not say which: that too is for a person
        text = "; ".join(form.items[name].label.en for name in alone)
        yield _document(one, alone[0], form.name.en, text, report=False)


def _in_words_alone(one: ReadingFile) -> tuple[str, ...]:
    """Return the items by which the finding stands in words alone; none where it does not."""
    form = reading_form(one.reading.form)
    for row in reading_inputs().in_words:
        if row.form != form.id:
            continue
        names = tuple(row.when.inputs())
        said = {name: one.reading.items.get(name, NOBODY) for name in names}
        own = {name: NOBODY if given.unconfirmed else given for name, given in said.items()}
        facts = facts_of([form.items[name] for name in names], own, [row.when])
        if holds(row.when, facts.answers) is True:
            return names
    return ()


def _texts(item: Item, given: Stated, path: str) -> Iterator[tuple[str, str]]:
    if given.unconfirmed:
        return
    if given.text.strip():
        yield path, given.text
    parts = {part.id: part for part in item.items}
    for entry in given.entries:
        for key, stated in entry.items.items():
            if key in parts:
                yield from _texts(parts[key], stated, f"{path}/{entry.id}/{key}")


def _document(one: ReadingFile, path: str, title: str, text: str, *, report: bool) -> Document:
    place = RecordEvidence(file=one.file, record=path)
    key = f"{place.model_dump_json()}|{text}".encode("utf-8", "surrogatepass")
    return Document(
        id="d-" + hashlib.sha256(key).hexdigest()[:12],
        title=visible(title)[:_TITLE],
        text=text,
        time=one.time,
        evidence=place,
        report=report,
    )
