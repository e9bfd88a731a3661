"""Structured readings among the files of a case, in any form this program writes them in.

A reading is recognised by our own names in it: its JSON, the FHIR bundle or the DICOM structured
report of its export. What is not ours is left to whoever reads such files.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import ValidationError

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InputError, InvalidValueError
from knowledge.finding import State
from knowledge.patient import Identity
from knowledge.timeline import Document, Fact
from tools.imaging.model import ImageFile, Study
from tools.intake.belonging import NEEDS_STATEMENT
from tools.intake.content import Content, refused
from tools.intake.identity import compare
from tools.intake.reading_identity import identified
from tools.intake.result import InputFile
from tools.readings import sr_terms
from tools.readings.any_file import read_any
from tools.readings.fhir_terms import ABOUT
from tools.readings.in_case import (
    DENIED,
    UNSIGNED,
    CaseReading,
    ReadingFile,
    Standing,
    clocks_differ,
    copies_of,
    corrects,
    listed_reading,
    reading_facts,
    standing,
    why_unsigned,
)
from tools.readings.in_words import reading_words_of
from tools.readings.model import Reading
from tools.readings.statements import StatedReading
from tools.readings.urgent import UrgentReading, urgent_reading
from tools.readings.versions import open_clashes

REPLACED = "replaced by a later signed version of the same reading"
HAVE_IT_SIGNED = "has an unsigned reading: have it signed"
"""Of an image of a study with a reading that nobody has signed."""

_SCHEMA = b"epicrisis/reading/"
_IN_BUNDLE = f"{ABOUT}-form-sha256".encode()
_IN_REPORT = (sr_terms.SCHEME.encode(), sr_terms.ABOUT.encode())
_EXPORTED = frozenset({"DiagnosticReport", "Patient", "ImagingStudy", "Observation", "Provenance"})
"""What our export consists of; a bundle with more is a chart."""


@dataclass(frozen=True, kw_only=True)
class Readings:
    """The reading files of a case.

    Args:
        read: File to its reading.
        failed: Files that are readings and could not be used.
    """

    read: Mapping[str, ReadingFile] = field(default_factory=dict)
    failed: tuple[InputFile, ...] = ()

    @property
    def files(self) -> frozenset[str]:
        """Every file that is a reading, used or not."""
        return frozenset({*self.read, *(report.file for report in self.failed)})


def written_as(content: Content) -> str:
    """Return the form in which a content holds a reading of ours; empty where it holds none."""
    data = content.data
    if content.kind == "DICOM":
        return "DICOM SR" if all(mark in data for mark in _IN_REPORT) else ""
    if content.kind != "FHIR JSON" or (_SCHEMA not in data and _IN_BUNDLE not in data):
        return ""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    if str(body.get("schema", "")).startswith(_SCHEMA.decode()):
        return "reading"
    return "FHIR bundle" if _is_export(body) else ""


def read_readings(contents: Mapping[str, Content]) -> Readings:
    """Return the readings of a case; one that cannot be used does not stop the rest."""
    read: dict[str, ReadingFile] = {}
    failed: list[InputFile] = []
    for file, content in contents.items():
        form = written_as(content)
        if not form:
            continue
        try:
            reading = read_any(content.data, name=file, any_version=True)
            _check_signature(reading, file)
            one = identified(reading_file(reading, file=file, written_as=form), content.data)
        except InputError as error:
            failed.append(
                refused(file, f"structured reading ({form})", error, sha256=content.sha256)
            )
            continue
        read[file] = one
    return Readings(read=read, failed=tuple(failed))


def _check_signature(reading: Reading, file: str) -> None:
    """Refuse a signature under answers that cannot stand together: here it is not given.

    Raises:
        InvalidValueError: The reading is signed, and contradicts itself.
    """
    open_ones = open_clashes(reading) if reading.signed is not None else ()
    if open_ones:
        raise InvalidValueError(
            file,
            f"is signed although its answers contradict each other: {open_ones[0].because.en}",
            "have the reader correct or confirm it, and sign again",
        )


def reading_file(reading: Reading, *, file: str, written_as: str) -> ReadingFile:
    """Return a reading as one of a case."""
    try:
        time = ClinicalTime(at=reading.study.done) if reading.study.done is not None else None
    except ValidationError:  # a placeholder such as year 1 says nothing
        time = None
    if clocks_differ(reading):
        time = None  # nobody reads what is not made yet
    who = reading.subject
    return ReadingFile(
        file=file,
        written_as=written_as,
        reading=reading,
        time=time,
        identity=Identity(
            source=file,
            identifiers=((who.issuer, who.id),),
            sex=who.sex if who.sex in ("female", "male") else None,
        ),
    )


def with_identities(readings: Readings, images: Mapping[str, ImageFile]) -> Readings:
    """Return the readings with the identity of their images where these are in the case.

    A reading names its patient by a number alone, often without its issuer. Where the study it is
    of is in the case under the same number, it is of the patient whom those images name.
    """
    return Readings(
        read={file: _identified(one, images.values()) for file, one in readings.read.items()},
        failed=readings.failed,
    )


def belonging_readings(readings: Readings, belonging: Collection[str]) -> tuple[ReadingFile, ...]:
    """Return the readings that are shown to be of the patient, by name."""
    return tuple(one for file, one in sorted(readings.read.items()) if file in belonging)


def case_readings(
    files: Sequence[ReadingFile], studies: Sequence[Study], images: Mapping[str, ImageFile]
) -> tuple[CaseReading, ...]:
    """Return the readings that belong as a report lists them, without copies."""
    copies, stands = copies_of(files), standing(files)
    return tuple(
        listed_reading(one, stands[one.file], study=_study_of(one, studies, images))
        for one in files
        if one.file not in copies
    )


def words_read(read: Sequence[ReadingFile]) -> Iterator[Document]:
    """Yield what the signed readings of a case say in words, each version and item once.

    They are words of a report: what they deny is no news. A finding that no question takes and that
    a person reads first (`reading_inputs.yaml`, ``for_a_person``) is kept like a note.
    """
    copies, stands = copies_of(read), standing(read)
    for one in read:
        if one.file not in copies and stands[one.file] == "signed":
            yield from reading_words_of(one)


def urgent_read(read: Sequence[ReadingFile]) -> tuple[UrgentReading, ...]:
    """Return what the signed readings of a case state that is to be told at once, each once."""
    copies, stands = copies_of(read), standing(read)
    count = [one for one in read if one.file not in copies and stands[one.file] == "signed"]
    found = (urgent_reading(one, count) for one in count)
    return tuple(one for one in found if one is not None)


def facts_read(read: Sequence[ReadingFile]) -> Iterator[Fact]:
    """Yield what the readings of a case say to its questions, each version once.

    What a later signed reading of the same images states anew is told by that reading alone.
    """
    copies, stands = copies_of(read), standing(read)
    said = [
        (one, fact)
        for one in read
        if one.file not in copies
        for fact in reading_facts(one, stands[one.file])
    ]
    known = [pair for pair in said if _says(pair[1])]
    for one, fact in said:
        same = [pair for pair in known if pair[1].finding.concept == fact.finding.concept]
        if (one, fact) not in same:
            yield fact
        elif not any(corrects(two.reading, one.reading) for two, _ in same):
            yield _telling(fact, [pair for pair in same if corrects(one.reading, pair[0].reading)])


def _says(fact: Fact) -> bool:
    """Return whether a fact answers, or takes back what the same reader answered."""
    return fact.finding.state is not State.NOT_ASSESSED or DENIED in fact.finding.flags


def _telling(fact: Fact, earlier: Sequence[tuple[ReadingFile, Fact]]) -> Fact:
    """Return a fact that says what earlier readings of the same images stated otherwise."""
    new = fact.finding
    silent = (new.state, State.NOT_ASSESSED)
    other = [pair for pair in earlier if pair[1].finding.state not in silent]
    if not other:
        return fact
    told = "; ".join(
        f"it replaces the earlier reading {one.file}: {old.finding.state.value}"
        for one, old in other
    )
    evidence = (*new.evidence, *(e for _, old in other for e in old.finding.evidence))
    update = {"reported": f"{new.reported}; {told}", "evidence": evidence}
    return fact.model_copy(update={"finding": new.model_copy(update=update)})


def reading_reports(
    contents: Mapping[str, Content], readings: Readings, belonging: Collection[str]
) -> dict[str, InputFile]:
    """Return what became of every reading file that could be decoded."""
    read = belonging_readings(readings, belonging)
    copies, stands = copies_of(read), standing(read)
    return {
        file: reading_report_of(contents[file], one, stands.get(file), copies.get(file))
        for file, one in readings.read.items()
    }


def with_readings(
    reports: Sequence[InputFile], readings: Sequence[StatedReading], studies: Sequence[Study]
) -> tuple[InputFile, ...]:
    """Return the reports with what became of the images of studies that have a reading.

    A signed reading that states anything makes the images of its study read; an unsigned one asks
    for a signature.

    Args:
        reports: One for each file.
        readings: Those of the case that are not replaced.
        studies: The imaging studies of the case.
    """
    reasons: dict[str, str] = {}
    for study in studies:
        own = [one for one in readings if one.study == study.id]
        who = dict.fromkeys(one.signed_by for one in own if one.is_read)
        if who:
            reasons |= dict.fromkeys(study.files, f"read and signed by {', '.join(who)}")
        elif any(not one.signed_by for one in own):
            reasons |= dict.fromkeys(study.files, HAVE_IT_SIGNED)
    return tuple(
        one.model_copy(
            update={"reason": reasons[one.file], "unread": reasons[one.file] == HAVE_IT_SIGNED}
        )
        if one.status == "read" and one.unread and one.file in reasons
        else one
        for one in reports
    )


def reading_report_of(
    content: Content, one: ReadingFile, stands: Standing | None, copy: str | None
) -> InputFile:
    """Return what became of a reading file.

    Args:
        content: The file.
        one: The reading.
        stands: Whether it counts; None where it is not shown to be of the patient.
        copy: The file that holds the same version, where there is one.
    """
    kind = f"structured reading ({one.written_as})"
    if stands is None:
        return content.report("failed", NEEDS_STATEMENT, kind=kind)
    if copy is not None:
        return content.report("ignored", f"the same version as {copy}", kind=kind)
    if stands == "superseded":
        return content.report("ignored", REPLACED, kind=kind)
    if stands == "unsigned":
        reason = f"{UNSIGNED}: {why_unsigned(one)}"
        return content.report("read", reason, kind=kind, unread=True)
    looked = sum(not said.nobody_looked for said in one.reading.items.values())
    return content.report("read", kind=kind, counts={"items": looked})


def _is_export(body: Mapping[str, object]) -> bool:
    entries = body.get("entry")
    if body.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return False
    held = [e.get("resource") for e in entries if isinstance(e, dict)]
    types = {str(r.get("resourceType")) for r in held if isinstance(r, dict)}
    return types <= _EXPORTED


def _identified(one: ReadingFile, images: Collection[ImageFile]) -> ReadingFile:
    who = one.reading.subject
    for image in sorted(images, key=lambda image: image.file):
        if image.study != one.reading.study.study_uid:
            continue
        if any(
            value.strip() == who.id and who.issuer in ("", system)
            for system, value in image.identity.identifiers
        ):
            sex = one.identity.sex or image.identity.sex
            identity = image.identity.model_copy(update={"source": one.file, "sex": sex})
            if compare(one.identity, identity).differ:
                continue  # it says itself who it is of, and that is somebody else
            return one.model_copy(update={"identity": identity})
    return one


def _study_of(one: ReadingFile, studies: Sequence[Study], images: Mapping[str, ImageFile]) -> str:
    uid = one.reading.study.study_uid
    return next(
        (s.id for s in studies if any(f in images and images[f].study == uid for f in s.files)), ""
    )
