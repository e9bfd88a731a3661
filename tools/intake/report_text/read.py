"""The laboratory reports among the texts and PDFs of a case: results with their place in the text.

They are shown beside the record, marked "from document", and answer no question by themselves
(docs/decisions/0009). Lines that are not understood are listed by number.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import (
    InputError,
    InvalidValueError,
    MissingExtraError,
    UnsupportedError,
)
from knowledge.evidence import NoteEvidence, RecordEvidence
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from knowledge.patient import Identity
from knowledge.plain_text import visible
from knowledge.result_sources import specimen_heading, stated_specimen
from knowledge.settings import Settings
from knowledge.timeline import Document, Fact
from tools.intake.case_file import Attachment
from tools.intake.content import Content, refused
from tools.intake.fhir.haemolysis import FLAG, says_haemolysed
from tools.intake.lab_file import LabFile, LabFiles, told
from tools.intake.printed_result import NumberFormat, Printed, named_test, result_fact
from tools.intake.report_text.head import is_heading, labelled, stated_time
from tools.intake.report_text.result_line import ResultLine, results_of_line
from tools.intake.result import InputFile

KIND = "laboratory report"
FROM_DOCUMENT = "from-document"
"""Flag of a result that was read from a text: a person compares it with the document."""

MAX_TEXT = 200_000
"""Characters of a report: 50 pages."""

_WHO = ("name", "patient_id", "birth_date", "sex")
_HAEMOLYSED = re.compile("(?<![无未非])(?<!未见)溶血(?!试验)")
_LEAST = 2
"""Lines with a known test and its number that make a text a laboratory report."""

_FEW = 3
"""A text with more than three lines that are not understood for each that is, is no such report."""

_NO_RESULTS = "no laboratory results in it; its text is read where `attach` says whose it is"
_CONFIRM = "from a document: they answer no question until a person confirms them"


@dataclass(kw_only=True)
class _Reading:
    """What was read so far of one report."""

    file: str
    document: str
    zone: str | None
    facts: list[Fact] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    identity: dict[str, str] = field(default_factory=dict)
    time: ClinicalTime | None = None
    numbers: NumberFormat = field(default_factory=NumberFormat)
    specimen: str | None = None
    method: str | None = None
    known: int = 0
    haemolysed: bool = False


def read_reports(
    contents: Mapping[str, Content],
    *,
    taken: Collection[str],
    attached: Mapping[str, Attachment | None],
    zone: str | None,
    settings: Settings,
) -> LabFiles:
    """Return the laboratory reports among the contents; one bad file does not stop the rest.

    Args:
        contents: Every file of the case.
        taken: Files that are something else.
        attached: Files said to be of this patient, with their line in the case file.
        zone: IANA zone declared for the case.
        settings: Limits of documents.
    """
    read: dict[str, LabFile] = {}
    failed: list[InputFile] = []
    for file, content in contents.items():
        if file in taken or content.kind not in ("text", "PDF"):
            continue
        line = attached.get(file)
        own = (line.time_zone if line is not None else None) or zone
        try:
            found = read_report(content, zone=own, settings=settings, attached=file in attached)
        except (InputError, MissingExtraError) as error:
            if content.kind == "PDF":
                failed.append(_failed(content, error))
            continue
        if found is not None:
            read[file] = found if line is None else _as_attached(found, line, own)
    return LabFiles(read=read, failed=tuple(failed))


def read_report(
    content: Content, *, zone: str | None, settings: Settings, attached: bool = False
) -> LabFile | None:
    """Return the results of one text or PDF; None for a text that is no laboratory report.

    Args:
        content: The file.
        zone: IANA zone declared for the case.
        settings: Limits of documents.
        attached: Whether the file is said to be of this patient, so that its text is kept.

    Raises:
        InputError: A PDF that cannot be read, or that holds no results and is nobody's note.
        MissingExtraError: Reading PDF is not installed.
    """
    text, notes = _text(content, settings)
    reading = _Reading(file=content.file, document=_id(content.file, text), zone=zone)
    lines = list(_lines(text))
    reading.numbers = NumberFormat.of(line for _, _, line in lines if not labelled(line))
    for number, start, line in lines:
        _line(reading, number, start, line)
    if reading.known < _LEAST or reading.known * _FEW < len(reading.problems):
        if content.kind != "PDF":
            return None
        if not attached:
            raise UnsupportedError(content.file, _NO_RESULTS)
        reading.facts.clear()
        reading.problems.clear()
    return LabFile(
        file=content.file,
        kind=f"{KIND} (PDF)" if content.kind == "PDF" else KIND,
        identities=_identities(reading),
        documented=tuple(_flagged(reading)),
        document=_document(content.file, text, reading),
        counts={"lines": len(text.splitlines()), "results": len(reading.facts)},
        notes=(*notes, *((_CONFIRM,) if reading.facts else ())),
        problems=told([*reading.problems, *_words(reading.words)]),
        unread=bool(reading.problems),
    )


def _flagged(reading: _Reading) -> Iterator[Fact]:
    """Yield the results, flagged where the report says that the specimen is haemolysed."""
    for fact in reading.facts:
        finding = fact.finding
        flags = (*finding.flags, FLAG) if reading.haemolysed else finding.flags
        yield fact.model_copy(update={"finding": finding.model_copy(update={"flags": flags})})


def _as_attached(found: LabFile, line: Attachment, zone: str | None) -> LabFile:
    """Return a report with the title and the time that the case file states for its text."""
    document = found.document
    if document is None:
        return found
    changed: dict[str, object] = {"title": visible(line.note)[:200]} if line.note else {}
    problems = found.problems
    if line.recorded_at is not None:
        try:
            changed["time"] = parse_fhir(line.recorded_at, clock=found.file, zone=zone)
        except InvalidValueError as error:
            problems = (*problems, f"recorded_at: {error.reason}")
    return replace(found, document=document.model_copy(update=changed), problems=problems)


def _text(content: Content, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and what the reader of it must know.

    Raises:
        InputError: It cannot be decoded, or is too long.
        MissingExtraError: Reading PDF is not installed.
    """
    if content.kind == "PDF":
        return _pdf_text(content, settings)
    encoding = "utf-16" if content.data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    notes: tuple[str, ...] = ()
    try:
        text = content.data.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise UnsupportedError(content.file, "not text in UTF-8, UTF-16 or GB18030") from error
        notes = ("read as GB18030: not UTF-8",)
    if len(text) > MAX_TEXT:
        raise UnsupportedError(content.file, "a text longer than a laboratory report")
    return text, notes


def _pdf_text(content: Content, settings: Settings) -> tuple[str, tuple[str, ...]]:
    try:
        from knowledge.ingest.pdf import visible_lines

        pages, notes = visible_lines(content.data, name=content.file, settings=settings)
    except ImportError as error:
        raise MissingExtraError(
            content.file, "reading PDF is not installed", "pip install 'epicrisis[ingest]'"
        ) from error
    text = "\n".join(line for page in pages for line in page)
    if len(text) > MAX_TEXT:
        raise UnsupportedError(content.file, "a text longer than a laboratory report")
    return text, tuple(dict.fromkeys(f"{note.kind.value}: {note.detail}" for note in notes))


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the number from 1, the first character and the text of every line that is not blank."""
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, start, line
        start += len(line) + 1


def _line(reading: _Reading, number: int, start: int, line: str) -> None:
    reading.haemolysed |= says_haemolysed(line) or bool(_HAEMOLYSED.search(line))
    labels = labelled(line)
    if labels:
        for label, said in labels:
            _label(reading, number, label, said)
        return
    section = specimen_heading(line)
    if section is not None:
        reading.specimen = section
        return
    if is_heading(line):
        return
    results = results_of_line(line, reading.numbers)
    if results is None:
        if any(c.isdigit() for c in line):
            reading.problems.append(f"line {number}: holds a number and is not understood")
        else:
            reading.words.append(number)
        return
    if isinstance(results, str):
        reading.problems.append(f"line {number}: {results}")
        return
    lead = len(line) - len(line.lstrip())
    span = (start + lead, start + len(line.rstrip()))
    for result in results:
        reading.known += result.known is not None and result.interval is not None
        reading.facts.append(_fact(reading, number, result, span))


def _fact(reading: _Reading, number: int, line: ResultLine, span: tuple[int, int]) -> Fact:
    test = named_test(line.name, None, reading.specimen)
    if test.problem is not None:
        reading.problems.append(f"line {number}: {test.problem}")
    place = NoteEvidence(file=reading.file, document=reading.document, start=span[0], end=span[1])
    return result_fact(
        Printed(
            test=test,
            value=line.value,
            interval=line.interval,
            unit=line.unit,
            range_words=line.range_words,
            flags=(FROM_DOCUMENT, *((line.flag,) if line.flag else ())),
            time=reading.time,
            specimen=reading.specimen,
            method=reading.method,
            evidence=(place,),
        )
    )


def _label(reading: _Reading, number: int, label: str, said: str) -> None:
    if label == "collected" and said:
        try:
            reading.time = stated_time(said, file=reading.file, zone=reading.zone)
        except InvalidValueError as error:
            reading.time = None
            reading.problems.append(f"line {number}: collection time: {error.reason}")
    elif label == "specimen":
        reading.specimen = stated_specimen(said) if any(map(str.isalpha, said)) else None
    elif label == "method":
        reading.method = said[:400] or None
    elif label in _WHO and said and reading.identity.setdefault(label, said) != said:
        reading.identity[f"{label} again"] = said


def _identities(reading: _Reading) -> tuple[Identity, ...]:
    """Return who the head names; two where it names two."""
    said = reading.identity
    first = _identity(reading, said)
    again = {key.removesuffix(" again"): v for key, v in said.items() if key.endswith(" again")}
    second = _identity(reading, {**said, **again}) if again else None
    return tuple(i for i in (first, second) if i is not None)


def _identity(reading: _Reading, said: Mapping[str, str]) -> Identity | None:
    if not {"name", "patient_id", "birth_date"} & set(said):
        return None
    number = said.get("patient_id", "")
    born = said.get("birth_date")
    try:
        birth = None if born is None else stated_time(born, file=reading.file, zone=None)
    except InvalidValueError as error:
        birth = None
        reading.problems.append(f"date of birth: {error.reason}")
    return Identity(
        source=reading.file,
        identifiers=(("", number),) if number else (),
        family=said.get("name"),
        birth_date=birth,
        sex=laboratory_vocabulary().sex(said.get("sex", "")),
    )


def _document(file: str, text: str, reading: _Reading) -> Document:
    return Document(
        id=reading.document,
        title=file.rpartition("/")[2][:200],
        text=text,
        time=reading.time,
        evidence=RecordEvidence(file=file, record="text"),
    )


def _id(file: str, text: str) -> str:
    key = f"{file}|{text}".encode("utf-8", "surrogatepass")
    return "d-" + hashlib.sha256(key).hexdigest()[:12]


def _words(numbers: list[int]) -> list[str]:
    """Return the lines of words that are no result, as one statement."""
    if not numbers:
        return []
    shown = ", ".join(str(number) for number in numbers[:40])
    more = f" and {len(numbers) - 40} more" if len(numbers) > 40 else ""
    return [f"lines of words that are no result: {shown}{more}"]


def _failed(content: Content, error: InputError | MissingExtraError) -> InputFile:
    if isinstance(error, InputError):
        report = refused(content.file, "PDF", error, sha256=content.sha256)
        return report.model_copy(update={"unread": True})
    reason = f"{error.reason} ({error.way_out})"
    return content.report("failed", reason, kind="PDF", unread=True)
