"""What a signed reading says that no table reads: its words, and findings for a person to read."""

import hashlib
from collections.abc import Iterator

from knowledge.evidence import RecordEvidence
from knowledge.plain_text import visible
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_inputs import reading_inputs
from knowledge.reading_items import Item
from knowledge.rules import Condition, holds
from knowledge.timeline import Document
from tools.readings.answers import facts_of
from tools.readings.in_case import ReadingFile
from tools.readings.model import NOBODY, Stated
from tools.readings.sentences import sentence
from tools.readings.urgent import urgent_items

_TITLE = 200
NOT_ASKED = "a signed reading states it, and no rule of the pathway reads it"


def reading_words_of(one: ReadingFile) -> Iterator[Document]:
    """Yield every text of a reader in a signed reading, and each finding for a person to read.

    Args:
        one: The reading; what only a model or a prior reading says is not the reader's.
    """
    form = reading_form(one.reading.form)
    for name in _for_a_person(one, form):
        item = form.items[name]
        text = sentence(item, one.reading.items[name], "en")
        yield _document(one, name, f"{form.name.en}, {item.label.en}", text, because=NOT_ASKED)
    for item in form.items.values():
        for path, text in _texts(item, one.reading.items.get(item.id, NOBODY), item.id):
            yield _document(one, path, f"{form.name.en}, {item.label.en}", text)


def _for_a_person(one: ReadingFile, form: ReadingForm) -> tuple[str, ...]:
    """Return the items that state a finding which a person reads before anybody is called low.

    What is told at once leads the answer already.
    """
    found: list[str] = []
    told = urgent_items(one)
    for row in reading_inputs().for_a_person:
        if row.form == form.id:
            held = [leaf.input or "" for leaf in row.when.leaves() if _holds(one, form, leaf)]
            found += [name for name in held if name not in told]
    return tuple(dict.fromkeys(found))


def _holds(one: ReadingFile, form: ReadingForm, test: Condition) -> bool:
    names = tuple(test.inputs())
    said = {name: one.reading.items.get(name, NOBODY) for name in names}
    own = {name: NOBODY if given.unconfirmed else given for name, given in said.items()}
    facts = facts_of([form.items[name] for name in names], own, [test])
    return holds(test, facts.answers) is True


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


def _document(one: ReadingFile, path: str, title: str, text: str, *, because: str = "") -> Document:
    place = RecordEvidence(file=one.file, record=path)
    key = f"{place.model_dump_json()}|{text}".encode("utf-8", "surrogatepass")
    return Document(
        id="d-" + hashlib.sha256(key).hexdigest()[:12],
        title=visible(title)[:_TITLE],
        text=text,
        time=one.time,
        evidence=place,
        report=not because,
        because=because,
    )
