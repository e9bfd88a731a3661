"""Signs of a signed reading that its form says are to be told at once.

A form names them in its table ``urgent``: every row of it that holds is such a sign, whatever a
pathway knows of it.
"""

from collections.abc import Sequence

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.evidence import Evidence, RecordEvidence
from knowledge.model import Frozen
from knowledge.reading_form import CategoryRow, ReadingForm, reading_form
from knowledge.rules import holds
from knowledge.words import Words
from tools.readings.answers import asked, facts_of, not_asked
from tools.readings.in_case import ReadingFile, corrects
from tools.readings.model import NOBODY, Stated

URGENT = "urgent"
"""Id of the table of a form that names what is to be told at once."""

_WHO = 80


class UrgentReading(Frozen):
    """What a signed reading states that is to be told at once.

    Args:
        file: Where the reading stands.
        title: Name of its form.
        told: Name of the form's table of urgent signs.
        signs: Those that are present, in the order of the form.
        time: Of the examination; None where the reading does not say.
        signed_by, signed_at: By whom and when.
        evidence: The items.
    """

    file: str
    title: Words
    told: Words
    signs: tuple[Words, ...]
    time: ClinicalTime | None = None
    signed_by: str
    signed_at: ClinicalTime
    evidence: tuple[Evidence, ...]


def urgent_reading(one: ReadingFile, others: Sequence[ReadingFile] = ()) -> UrgentReading | None:
    """Return the urgent signs that the reader of a signed reading states; None for none.

    What only a model, a measurement or a prior reading says is no statement of the reader. A sign
    that a later signed reading with the same form denies is taken back: of the same images by the
    same reader, or of a later examination.

    Args:
        one: The reading.
        others: Signed readings of the case that count.
    """
    reading, form = one.reading, reading_form(one.reading.form)
    table = next((table for table in form.tables if table.id == URGENT), None)
    if table is None or reading.signed is None:
        return None
    stated = {key: said for key, said in reading.items.items() if not said.unconfirmed}
    later = [two for two in others if two is not one and _is_later(two, one)]
    held = [row for row in table.rows if _holds(form, row, stated)]
    held = [row for row in held if not any(_denies(form, row, two) for two in later)]
    if not held:
        return None
    items = [name for row in held for name in _names(row)]
    return UrgentReading(
        file=one.file,
        title=form.name,
        told=table.label,
        signs=tuple(_bare(row.because) for row in held),
        time=one.time,
        signed_by=" ".join(reading.signed.who.split())[:_WHO],
        signed_at=ClinicalTime(at=reading.signed.at),
        evidence=tuple(RecordEvidence(file=one.file, record=name) for name in dict.fromkeys(items)),
    )


def urgent_items(one: ReadingFile) -> frozenset[str]:
    """Return the items by which a reading states signs that are told at once."""
    reading, form = one.reading, reading_form(one.reading.form)
    stated = {key: said for key, said in reading.items.items() if not said.unconfirmed}
    rows = [row for table in form.tables if table.id == URGENT for row in table.rows]
    return frozenset(name for row in rows if _holds(form, row, stated) for name in _names(row))


def _names(row: CategoryRow) -> tuple[str, ...]:
    return () if row.when is None else tuple(row.when.inputs())


def _is_later(two: ReadingFile, one: ReadingFile) -> bool:
    """Return whether a reading is a later word of its reader, or of a later examination."""
    if two.reading.signed is None or two.reading.form != one.reading.form:
        return False
    if corrects(two.reading, one.reading):
        return True
    if two.reading.study.study_uid == one.reading.study.study_uid:
        return False  # two readers of the same images contradict each other
    minutes = elapsed(one.time, two.time).minutes
    return minutes is not None and minutes.low is not None and minutes.low > 0


def _denies(form: ReadingForm, row: CategoryRow, two: ReadingFile) -> bool:
    """Return whether a reading states that a sign is not there; silence denies nothing."""
    if row.when is None:
        return False
    said = {key: given for key, given in two.reading.items.items() if not given.unconfirmed}
    every = facts_of(form.items.values(), said, ())
    names = [name for name in row.when.inputs() if name in form.items]
    answers = dict(facts_of([form.items[n] for n in names], said, [row.when]).answers)
    for name in names:
        if asked(form.items[name], every.answers) is False:
            answers |= not_asked(form.items[name])
    return holds(row.when, answers) is False


def _holds(form: ReadingForm, row: CategoryRow, stated: dict[str, Stated]) -> bool:
    if row.when is None:
        return False
    names = [name for name in row.when.inputs() if name in form.items]
    given = {name: stated.get(name, NOBODY) for name in names}
    facts = facts_of([form.items[name] for name in names], given, [row.when])
    return holds(row.when, facts.answers) is True


def _bare(words: Words) -> Words:
    return Words(en=words.en.rstrip("."), zh=words.zh.rstrip("。"))
