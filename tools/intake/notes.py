"""Clinical notes: texts beside the chart, texts in the case file, and what reports conclude.

A text file carries no identity, so it is read only where the case file states that it is of this
patient. What is kept is the text as it stands, for spans to point into; nothing is taken from it
here.
"""

import hashlib
from collections.abc import Iterator, Mapping

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.evidence import Evidence, RecordEvidence
from knowledge.plain_text import visible
from knowledge.quantity import Text
from knowledge.timeline import Category, Document, Timeline
from tools.intake.case_file import Attachment, CaseFile
from tools.intake.content import Content

MAX_TEXT = 50_000
"""Characters of one note that are kept: a discharge letter has 10,000."""

_TITLE = 200


def note_files(
    contents: Mapping[str, Content],
    attached: Mapping[str, Attachment],
    *,
    zone: str | None,
    problems: dict[str, list[str]],
) -> dict[str, Document]:
    """Return the attached text files as documents, by file; what cannot be read is told."""
    found: dict[str, Document] = {}
    for file, line in attached.items():
        content = contents[file]
        if content.kind != "text":
            continue
        told = problems.setdefault(file, [])
        text = _decoded(content.data)
        if text is None:
            told.append("not text in UTF-8 or UTF-16")
            continue
        title = line.note or file.rpartition("/")[2]
        place = RecordEvidence(file=file, record="text")
        time = _time(line.recorded_at, file, line.time_zone or zone, told)
        found[file] = _document(title, text, time, place, told)
    return found


def stated_notes(
    case: CaseFile, file: str, *, zone: str | None, problems: list[str]
) -> Iterator[Document]:
    """Yield the notes that are typed into the case file."""
    for index, note in enumerate(case.notes):
        place = RecordEvidence(file=file, record=f"notes[{index}]")
        by = f" ({note.by})" if note.by else ""
        time = _time(note.time, file, zone, problems)
        yield _document(f"{note.title}{by}", note.text, time, place, problems)


def clinical_notes(timeline: Timeline) -> tuple[Document, ...]:
    """Return every free text of the case: documents, and the conclusions of reports."""
    concluded = [
        _document(fact.finding.concept.text, fact.finding.value.text, fact.finding.time, place, [])
        for fact in timeline.in_category(Category.REPORT)
        if isinstance(fact.finding.value, Text)
        for place in fact.finding.evidence[:1]
    ]
    return tuple(sorted((*timeline.documents, *concluded), key=lambda d: d.id))


def _document(
    title: str, text: str, time: ClinicalTime | None, place: Evidence, problems: list[str]
) -> Document:
    if len(text) > MAX_TEXT:
        problems.append(f"a note of {len(text)} characters was cut to {MAX_TEXT}")
    kept = text[:MAX_TEXT]
    key = f"{place.model_dump_json()}|{kept}".encode("utf-8", "surrogatepass")
    return Document(
        id="d-" + hashlib.sha256(key).hexdigest()[:12],
        title=visible(title)[:_TITLE],
        text=kept,
        time=time,
        evidence=place,
    )


def _decoded(data: bytes) -> str | None:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _time(
    text: str | None, file: str, zone: str | None, problems: list[str]
) -> ClinicalTime | None:
    if text is None:
        return None
    try:
        return parse_fhir(text, clock=file, zone=zone)
    except InvalidValueError as error:
        problems.append(f"time of a note: {error.reason}")
        return None
