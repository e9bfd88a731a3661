"""The structured readings of a case: which one stands, and what it answers of the clinical inputs.

Only a signed reading answers, only what a reader stated himself, and silence answers nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence, RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.patient import Identity
from knowledge.reading_form import reading_form
from knowledge.reading_inputs import FORM, STUDY, ReadingInput, reading_inputs
from knowledge.rules import Answer, holds
from knowledge.timeline import Category, Fact
from knowledge.words import Words
from tools.readings.answers import facts_of
from tools.readings.category import contradictions, outcomes
from tools.readings.model import NOBODY, Edit, Reading, Stated
from tools.readings.summary import summary

Standing = Literal["signed", "unsigned", "superseded"]

UNSIGNED = "unsigned reading in the case"
WITHDRAWN = "withdrawn"
"""Flag of a reading that leaves a question open and takes back an earlier examination's answer."""

CLOCKS = "signed-before-made"
"""Flag of a reading whose images are said to be made after it was signed: a clock is wrong."""

DENIED = "denied"
"""Flag of one that takes back what the same reader stated of the same images."""

_WHO = 80


class ReadingFile(Frozen):
    """One reading as a file of the case holds it.

    Args:
        file: Its name, relative to the case.
        written_as: ``reading``, ``FHIR bundle`` or ``DICOM SR``.
        reading: What it holds.
        time: Of the examination; None where the reading does not say.
        identity: Who it says was examined.
        signed_later: When it was signed, where that is later than the moment of the assessment.
    """

    file: str
    written_as: str
    reading: Reading
    time: ClinicalTime | None = None
    identity: Identity
    signed_later: ClinicalTime | None = None

    @property
    def evidence(self) -> Evidence:
        """The file as a whole."""
        return RecordEvidence(file=self.file, record=self.reading.id)


class CaseReading(Frozen):
    """A reading as a report lists it.

    Args:
        file: Where it stands.
        id, version: Of the reading.
        form, title: Id and name of its form.
        study: Id of the imaging study of the case that it is of; empty where its images are not
            in the case.
        time: Of the examination.
        standing: Signed, unsigned, or replaced by a later signed version; only the first answers.
        signed_by, signed_at: By whom and when; empty where it is not signed.
        summary_en, summary_zh: Its summary.
        answers: Clinical inputs that it answers; of an assessment, those that it really answered.
        not_used: Why the assessment does not use one of its answers.
        evidence: The file, and each item that answers.
    """

    file: str
    id: str
    version: int
    form: str
    title: Words
    study: str = ""
    time: ClinicalTime | None = None
    standing: Standing
    signed_by: str = ""
    signed_at: ClinicalTime | None = None
    summary_en: tuple[str, ...]
    summary_zh: tuple[str, ...]
    answers: tuple[str, ...] = ()
    not_used: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)
    evidence: tuple[Evidence, ...]


def standing(files: Sequence[ReadingFile]) -> dict[str, Standing]:
    """Return, by file, which readings count.

    A signed version replaces an older version of the same reading whose history it holds; a number
    alone is not believed, and an unsigned version replaces nothing. Two signed contents under one
    version both stand: they may contradict each other.
    """
    found: dict[str, Standing] = {}
    for one in files:
        if any(_continues(two.reading, one.reading) for two in files):
            found[one.file] = "superseded"
        else:
            found[one.file] = "signed" if one.reading.signed is not None else "unsigned"
    return found


def corrects(newer: Reading, older: Reading) -> bool:
    """Return whether a signed reading is a later word on the same images than another one.

    It is where the same reader signed it later, or where it names the other as its prior. It
    counts only where it says something: an addendum about a rib does not take back a pneumothorax.
    """
    if newer.signed is None or older.signed is None or newer.id == older.id:
        return False
    if not _of_the_same(newer, older) or newer.signed.at <= older.signed.at:
        return False
    same = newer.signed.who.strip().casefold() == older.signed.who.strip().casefold()
    return same or newer.prior == older.id


def clocks_differ(reading: Reading) -> bool:
    """Return whether the images are said to be made after the reading was signed."""
    done = reading.study.done
    return reading.signed is not None and done is not None and reading.signed.at < done


def _of_the_same(one: Reading, two: Reading) -> bool:
    """Return whether two readings are of one patient, one study and one form."""
    return (one.subject.issuer, one.subject.id, one.study.study_uid, one.form) == (
        two.subject.issuer,
        two.subject.id,
        two.study.study_uid,
        two.form,
    )


def _continues(newer: Reading, older: Reading) -> bool:
    """Return whether a signed version was made from an older one: taking its edits back gives it.

    The first edit of an item after the older version holds what the older version said, and what
    was not edited is unchanged.
    """
    if newer.signed is None or newer.id != older.id or newer.version <= older.version:
        return False
    before = len(older.edits)
    added = newer.edits[before:]
    if not _of_the_same(newer, older) or newer.edits[:before] != older.edits:
        return False
    if any(not older.version < edit.version <= newer.version for edit in added):
        return False
    first: dict[str, Edit] = {}
    for edit in added:
        first.setdefault(edit.path.partition("/")[0], edit)
    if any(older.at(edit.path) != edit.before for edit in first.values()):
        return False
    kept = {*newer.items, *older.items} - set(first)
    return all(newer.at(item) == older.at(item) for item in kept)


def copies_of(files: Iterable[ReadingFile]) -> dict[str, str]:
    """Return the files that hold the same version as an earlier one, word by word, and which."""
    first: dict[str, str] = {}
    copies: dict[str, str] = {}
    for one in files:
        key = one.reading.model_dump_json()
        if first.setdefault(key, one.file) != one.file:
            copies[one.file] = first[key]
    return copies


def reading_facts(one: ReadingFile, stands: Standing) -> Iterator[Fact]:
    """Yield what a reading says to each clinical input that its form may answer.

    Args:
        one: The reading.
        stands: Whether it counts; a replaced one says nothing.
    """
    if stands == "superseded":
        return
    items = _of_a_reader(one.reading)
    for row in reading_inputs().of(one.reading.form):
        if any(not one.reading.at(item).nobody_looked for item in row.items):
            finding = _unsigned(one, row) if stands == "unsigned" else _answer(one, row, items)
            yield Fact(category=Category.READING, finding=finding)


def why_unsigned(one: ReadingFile) -> str:
    """Return why nothing of an unsigned reading is used."""
    if one.signed_later is not None:
        return f"it was signed at {one.signed_later}, later than the moment of the assessment"
    return "nothing of it is used until a reader has signed it"


def listed_reading(one: ReadingFile, stands: Standing, *, study: str) -> CaseReading:
    """Return a reading as a report lists it.

    Args:
        one: The reading.
        stands: Whether it counts.
        study: Id of the imaging study of the case that it is of; empty for none.
    """
    reading, form = one.reading, reading_form(one.reading.form)
    found, against = outcomes(form, reading.items), contradictions(reading)
    answered = [
        fact.finding
        for fact in reading_facts(one, stands)
        if fact.finding.state is not State.NOT_ASSESSED
    ]
    places = (e for finding in answered for e in finding.evidence)
    return CaseReading(
        file=one.file,
        id=reading.id,
        version=reading.version,
        form=form.id,
        title=form.name,
        study=study,
        time=one.time,
        standing=stands,
        signed_by=reading.signed.who if reading.signed is not None else "",
        signed_at=ClinicalTime(at=reading.signed.at) if reading.signed is not None else None,
        summary_en=summary(reading, form, found, against, "en"),
        summary_zh=summary(reading, form, found, against, "zh"),
        answers=tuple(c.code for f in answered for c in f.concept.codings),
        evidence=tuple(dict.fromkeys((one.evidence, *places))),
    )


def _of_a_reader(reading: Reading) -> dict[str, Stated]:
    """Return the items without what only a model, a measurement or a prior reading says."""
    return {key: NOBODY if said.unconfirmed else said for key, said in reading.items.items()}


def _answer(one: ReadingFile, row: ReadingInput, items: dict[str, Stated]) -> Finding:
    form = reading_form(row.form)
    read = [form.items[item] for item in row.items]
    facts = facts_of(read, {k: items.get(k, NOBODY) for k in row.items}, row.conditions)
    for state, condition in (
        (State.PRESENT, row.present_when),
        (State.ABSENT, row.absent_when),
    ):
        if condition is not None and holds(condition, facts.answers) is True:
            return _finding(one, row, state, None)
    found = _finding(one, row, State.NOT_ASSESSED, _why_not(one, row, items))
    flags = tuple(_denials(row, facts.answers))
    return found.model_copy(update={"flags": (*found.flags, *flags)}) if flags else found


def _denials(row: ReadingInput, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Yield in which way a reading that does not answer takes back what was stated before."""
    if row.withdrawn_when is not None and holds(row.withdrawn_when, answers) is True:
        yield WITHDRAWN
        yield DENIED
    elif row.present_when is not None and holds(row.present_when, answers) is False:
        yield DENIED


def _why_not(one: ReadingFile, row: ReadingInput, items: dict[str, Stated]) -> NotAssessed:
    """Return the reader's own reason where he gave one for the item that is asked, else ours."""
    form = reading_form(row.form)
    for item in row.items:
        said, label = items.get(item, NOBODY), form.items[item].label.en
        if one.reading.at(item).unconfirmed:
            detail = f"{label}: no reader has confirmed it"
            return NotAssessed(why=Why.UNCONFIRMED, detail=_told(one, detail))
        if said.not_assessed is not None and not said.nobody_looked:
            detail = f"{label} not assessed: {said.not_assessed.detail or said.not_assessed.why}"
            return NotAssessed(why=said.not_assessed.why, detail=_told(one, detail))
    first = row.items[0]
    if one.reading.at(first).nobody_looked:
        detail = f"{form.items[first].label.en}: the reader does not say"
        return NotAssessed(why=Why.MISSING, detail=_told(one, detail))
    return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=_told(one, row.otherwise.en))


def _told(one: ReadingFile, detail: str) -> str:
    return f"{reading_form(one.reading.form).name.en} ({one.file}): {detail}"


def _unsigned(one: ReadingFile, row: ReadingInput) -> Finding:
    detail = f"{UNSIGNED} ({one.file}): {why_unsigned(one)}"
    return _finding(one, row, State.NOT_ASSESSED, NotAssessed(why=Why.UNCONFIRMED, detail=detail))


def _finding(one: ReadingFile, row: ReadingInput, state: State, why: NotAssessed | None) -> Finding:
    reading, form = one.reading, reading_form(row.form)
    looked = [item for item in row.items if not reading.at(item).nobody_looked]
    said = "; ".join(f"{form.items[item].label.en}: {_word(reading.at(item))}" for item in looked)
    signed = reading.signed
    by = None
    if signed is not None:
        by = f"read and signed by {signed.who[:_WHO]} at {signed.at:%Y-%m-%d %H:%M %Z}"
    return Finding(
        concept=catalogue().concept(row.input),
        state=state,
        not_assessed=why,
        time=one.time,
        method=by,
        reported=f"{form.name.en}: {said}",
        evidence=tuple(RecordEvidence(file=one.file, record=item) for item in looked),
        derived_from=(f"{STUDY}{reading.study.study_uid}", f"{FORM}{reading.form}"),
        flags=(CLOCKS,) if clocks_differ(reading) else (),
    )


def _word(stated: Stated) -> str:
    answer = ", ".join(stated.choices) or stated.state.value.replace("_", " ")
    return f"{answer}, {stated.side}" if stated.side is not None else answer
