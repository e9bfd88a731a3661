"""Signs of a signed reading that its form says are to be told at once.

A form names them in its table ``urgent``: every row of it that holds is such a sign, whatever a
pathway knows of it.
"""

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence, RecordEvidence
from knowledge.model import Frozen
from knowledge.reading_form import CategoryRow, ReadingForm, reading_form
from knowledge.rules import holds
from knowledge.words import Words
from tools.readings.answers import facts_of
from tools.readings.in_case import ReadingFile
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


def urgent_reading(one: ReadingFile) -> UrgentReading | None:
    """Return the urgent signs that the reader of a signed reading states; None for none.

    What only a model, a measurement or a prior reading says is no statement of the reader.
    """
    reading, form = one.reading, reading_form(one.reading.form)
    table = next((table for table in form.tables if table.id == URGENT), None)
    if table is None or reading.signed is None:
        return None
    stated = {key: said for key, said in reading.items.items() if not said.unconfirmed}
    held = [row for row in table.rows if _holds(form, row, stated)]
    if not held:
        return None
    items = [name for row in held if row.when is not None for name in row.when.inputs()]
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


def _holds(form: ReadingForm, row: CategoryRow, stated: dict[str, Stated]) -> bool:
    if row.when is None:
        return False
    names = [name for name in row.when.inputs() if name in form.items]
    given = {name: stated.get(name, NOBODY) for name in names}
    facts = facts_of([form.items[name] for name in names], given, [row.when])
    return holds(row.when, facts.answers) is True


def _bare(words: Words) -> Words:
    return Words(en=words.en.rstrip("."), zh=words.zh.rstrip("。"))
