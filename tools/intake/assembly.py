"""The parts of a case put together, after it is settled which files are of the patient."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import FhirEvidence, RecordEvidence
from knowledge.finding import Why
from knowledge.patient import Patient
from knowledge.timeline import Category, Fact, Timeline
from tools.ecg.model import EcgRecording
from tools.imaging.study import studies
from tools.intake.belonging import NEEDS_STATEMENT, Belonging, numbers_told, placeholders_told
from tools.intake.case_file import Attachment, stated_facts
from tools.intake.content import Content, Contents, unused
from tools.intake.fhir.bundle import FhirFile
from tools.intake.fhir.chart import Chart, read_chart, states_patient_facts
from tools.intake.fhir.patient import PatientRecord
from tools.intake.given import GivenAnswer, given_facts, given_file
from tools.intake.harmless import is_harmless
from tools.intake.images import (
    Images,
    beside_report,
    case_images,
    distinct_images,
    image_report,
    imaging_facts,
    with_models,
)
from tools.intake.lab_file import LabFile, LabFiles
from tools.intake.notes import clinical_notes, note_files, stated_notes
from tools.intake.onset import plausible_onset
from tools.intake.oxygen import without_oxygen
from tools.intake.person import Witness, person
from tools.intake.readings import (
    Readings,
    belonging_readings,
    case_readings,
    facts_read,
    reading_reports,
    urgent_read,
    with_readings,
    words_read,
)
from tools.intake.readings_known import fitting, in_time, known_at, released_reports
from tools.intake.recordings import Recordings, evidence_of, reference, said_by_device
from tools.intake.result import CaseFiles, InputFile, Status
from tools.intake.stated_case import StatedCase
from tools.intake.wearables import (
    Wearables,
    belonging_wearables,
    wearable_report_of,
    without_marked,
)
from tools.intake.withhold import is_future, withheld
from tools.readings.in_case import ReadingFile, standing
from tools.readings.statements import stated_readings

if TYPE_CHECKING:
    from tools.models.in_case import CaseModels

_NOTHING_USED = "holds no resource of a type that is used"
_NO_MODEL = "kept; its text is not read without a language model"
_TELLING = frozenset(
    {
        "Binary",
        "ClinicalImpression",
        "Communication",
        "Composition",
        "ImagingStudy",
        "Media",
        "QuestionnaireResponse",
    }
)
"""Resources that tell of a patient and are not read; a file with nothing but such is unread."""
_NOTHING_READ = "nothing in it could be used"
_NOTHING_STATED = "no fact, answer or result in it"


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The files that could be decoded.

    Args:
        charts: FHIR files.
        patients: Their Patient resources.
        recordings: ECG files.
        images: Images and slides.
        wearables: Values of the patient's own devices.
        failed: What could not be decoded.
        problems: File to Patient resources that could not be used.
        laboratory: Laboratory tables and reports.
        readings: Structured readings.
    """

    charts: tuple[FhirFile, ...]
    patients: tuple[PatientRecord, ...]
    recordings: Recordings
    images: Images
    wearables: Wearables
    failed: tuple[InputFile, ...]
    problems: Mapping[str, list[str]]
    laboratory: LabFiles = field(default_factory=LabFiles)
    readings: Readings = field(default_factory=Readings)


def assemble(
    contents: Contents,
    stated: StatedCase,
    parsed: Parsed,
    verdict: Belonging,
    *,
    zone: str | None,
    at: ClinicalTime | None,
    now: ClinicalTime | None,
    given: Sequence[GivenAnswer] = (),
    models: "CaseModels | None" = None,
    released: Sequence[ReadingFile] = (),
) -> CaseFiles:
    """Return the case of the files that belong to the patient.

    Args:
        contents: All contents.
        stated: The case file.
        parsed: FHIR and ECG files.
        verdict: Which of them belong.
        zone: IANA zone declared for the case or site.
        at: Moment of assessment, where one is stated.
        now: The moment after which facts are in the future.
        given: Answers entered after the files.
        models: That are asked about images; None for none.
        released: Readings that were released for this very case, beside its files.
    """
    parsed = replace(parsed, readings=known_at(parsed.readings, parsed.images.read, now))
    charts = [c for c in parsed.charts if c.file in verdict.files or not states_patient_facts(c)]
    refused = frozenset(id(r.entry.resource) for r in verdict.refused)
    chart = read_chart(charts, zone=zone, at=now, refused=refused)
    recordings, copies = _distinct(parsed.recordings, verdict)
    problems = {file: list(found) for file, found in parsed.problems.items()}
    for one in verdict.refused:
        problems.setdefault(one.entry.file, []).append(f"{one.entry.name}: {one.reason}")
    for file, untold in placeholders_told(verdict.report).items():
        problems.setdefault(file, []).append(untold)
    for file, differ in numbers_told(verdict.report, parsed.images.read).items():
        problems.setdefault(file, []).append(differ)
    own = problems.setdefault(stated.file, [])
    own += stated.problems
    by_hand = list(_stated(_without(stated, given), zone, now, own))
    unusable: list[str] = []
    charted, marked = without_marked(chart.facts, zone=zone)
    labs = [lab for file, lab in sorted(parsed.laboratory.read.items()) if file in verdict.files]
    notes = _without_laboratory(stated.attached, parsed.laboratory)
    texts = note_files(contents.usable, notes, zone=zone, problems=problems)
    typed = stated_notes(stated.case, stated.file, zone=zone, problems=own)
    reported = [lab.document for lab in labs if lab.document is not None]
    seen, twice = distinct_images(parsed.images, verdict.files)
    copies |= twice
    examined = tuple(with_models(study, models, contents.usable) for study in studies(seen))
    own_readings = belonging_readings(parsed.readings, verdict.files)
    read = (*own_readings, *in_time(fitting(released), parsed.images.read, now))
    facts = [
        *charted,
        *by_hand,
        *given_facts(given, zone=zone, problems=unusable),
        *(_dated(fact, now) for lab in labs for fact in lab.facts),
        *(_dated(fact, now) for one in recordings.values() for fact in said_by_device(one)),
        *(fact for study in examined for fact in imaging_facts(study)),
        *(_dated(fact, now) for fact in facts_read(read)),
    ]
    timeline = Timeline.of(
        _person(_witnesses(stated, parsed, recordings, verdict), now, problems),
        tuple(plausible_onset(fact, at or now) for fact in without_oxygen(facts)),
        tuple(reference(one) for one in recordings.values()),
        (*chart.documents, *texts.values(), *typed, *reported, *words_read(read)),
    )
    reports = _reports(
        contents, stated, parsed, chart, verdict, copies, problems, by_hand, frozenset(texts)
    )
    entered = given_file(given, unusable)
    listed = case_readings(read, examined, parsed.images.read)
    stated_ones = stated_readings(listed, read)
    reports = with_readings(reports, stated_ones, examined)
    reports += released_reports(released, standing(read))
    return CaseFiles(
        case=stated.case.case or _case_id(contents),
        problem=stated.case.problem,
        synthetic=stated.case.synthetic,
        time_zone=zone,
        at=at,
        timeline=timeline,
        recordings=recordings,
        inputs=(*reports, entered) if entered is not None else reports,
        identity=verdict.report,
        retracted=chart.retracted,
        overrides=verdict.overrides,
        notes=clinical_notes(timeline),
        documented=tuple(_dated(fact, now) for lab in labs for fact in lab.documented),
        studies=examined,
        images=case_images(seen, stated.images, contents.usable),
        wearables=(*belonging_wearables(parsed.wearables, verdict.files), *marked),
        readings=listed,
        urgent=urgent_read(read),
        stated_readings=stated_ones,
    )


def _person(
    witnesses: Sequence[Witness], now: ClinicalTime | None, problems: dict[str, list[str]]
) -> Patient:
    told: list[tuple[str, str]] = []
    patient = person(witnesses, at=now, problems=told)
    for file, what in told:
        problems.setdefault(file, []).append(what)
    return patient


def _without_laboratory(
    attached: Mapping[str, Attachment], laboratory: LabFiles
) -> dict[str, Attachment]:
    """Return the attached files without the laboratory's tables and reports: they are no notes."""
    taken = {*laboratory.read, *(report.file for report in laboratory.failed)}
    return {file: line for file, line in attached.items() if file not in taken}


def _without(stated: StatedCase, given: Sequence[GivenAnswer]) -> StatedCase:
    """Return the case file without the answers that were given again later."""
    later = {one.input for one in given}
    answers = {key: said for key, said in stated.case.answers.items() if key not in later}
    return replace(stated, case=stated.case.model_copy(update={"answers": answers}))


def _distinct(
    recordings: Recordings, verdict: Belonging
) -> tuple[dict[str, EcgRecording], dict[str, str]]:
    """Return the recordings that belong, by id, and why each further copy of one is left out.

    One SOP Instance UID is one recording however often its file was written (PS3.5 B.1).
    """
    found: dict[str, EcgRecording] = {}
    instances: dict[str, str] = {}
    copies: dict[str, str] = {}
    for file, recording in sorted(recordings.read.items()):
        if file not in verdict.files:
            continue
        uid = recording.sop_instance_uid or ""
        if recording.id in found:
            copies[file] = f"the same recording as {found[recording.id].file}"
        elif uid in instances:
            copies[file] = f"the same recording as {instances[uid]} (one SOP Instance UID)"
        else:
            found[recording.id] = recording
            instances |= {uid: file} if uid else {}
    return found, copies


def _stated(
    stated: StatedCase, zone: str | None, now: ClinicalTime | None, problems: list[str]
) -> Iterator[Fact]:
    if stated.content is None:
        return
    for fact in stated_facts(stated.case, stated.file, zone=zone, problems=problems):
        yield fact if fact.category is Category.STATED else _dated(fact, now)


def _dated(fact: Fact, now: ClinicalTime | None) -> Fact:
    if is_future(fact.finding.time, now):
        return withheld(fact, Why.FUTURE_TIME, "later than the moment of assessment", "future-time")
    return fact


def _witnesses(
    stated: StatedCase,
    parsed: Parsed,
    recordings: Mapping[str, EcgRecording],
    verdict: Belonging,
) -> list[Witness]:
    found = [
        Witness(
            identity=p.identity,
            evidence=FhirEvidence(file=p.entry.file, resource=p.entry.name, path="Patient"),
            deceased=p.deceased,
        )
        for p in sorted(parsed.patients, key=lambda p: (p.entry.file, p.entry.name))
        if p.entry.file in verdict.proven
    ]
    own = stated.case.identity(stated.file)
    if own is not None:
        evidence = RecordEvidence(file=stated.file, record="patient")
        found.append(Witness(identity=own, evidence=evidence))
    found += [
        Witness(identity=r.identity, evidence=evidence_of(r))
        for r in recordings.values()
        if r.file in verdict.proven and not r.identity.is_empty
    ]
    found += [
        Witness(identity=i.identity, evidence=i.evidence)
        for i in parsed.images.read.values()
        if i.file in verdict.proven and not i.identity.is_empty
    ]
    found += [
        Witness(identity=identity, evidence=RecordEvidence(file=file, record="patient"))
        for file, lab in sorted(parsed.laboratory.read.items())
        if file in verdict.proven
        for identity in lab.identities
    ]
    return found


def _reports(
    contents: Contents,
    stated: StatedCase,
    parsed: Parsed,
    chart: Chart,
    verdict: Belonging,
    copies: Mapping[str, str],
    problems: Mapping[str, Sequence[str]],
    by_hand: Sequence[Fact],
    notes: Collection[str],
) -> tuple[InputFile, ...]:
    """Return what became of every file, by name."""
    done = _known_reports(contents, stated, parsed, verdict, problems)
    charts = {c.file for c in parsed.charts}
    signals = parsed.recordings
    headers = frozenset(signals.parts.values())
    for file, content in contents.usable.items():
        harmless = is_harmless(content, contents.usable, headers=headers)
        if file in done:
            if harmless and done[file].unread:
                done[file] = done[file].model_copy(update={"unread": False})
            continue
        noted = problems.get(file, ())
        if file in charts:
            done[file] = _chart_report(content, chart, noted)
        elif file in signals.read or file in parsed.images.read:
            belongs = file in verdict.files
            done[file] = _signal_report(content, parsed, belongs, copies.get(file), noted)
        elif stated.content is content:
            counts = _understood(by_hand)
            reason = None if counts or noted else _NOTHING_STATED
            done[file] = content.report("read", reason, counts=counts, problems=noted)
        elif file in notes:
            done[file] = content.report("read", _NO_MODEL, kind="note", problems=noted)
        elif file in signals.parts:
            done[file] = content.report("read", kind=f"signal file of {signals.parts[file]}")
        elif file in signals.failed_parts and content.kind != "empty":
            reason = f"signal file of {signals.failed_parts[file]}, which failed"
            done[file] = content.report("ignored", reason)
        else:
            done[file] = unused(content, harmless=harmless)
    return tuple(done[file] for file in sorted(done))


def _known_reports(
    contents: Contents,
    stated: StatedCase,
    parsed: Parsed,
    verdict: Belonging,
    problems: Mapping[str, Sequence[str]],
) -> dict[str, InputFile]:
    """Return what became of the files whose fate is known, and of the laboratory's files."""
    failed = (*stated.failed, *parsed.failed, *parsed.laboratory.failed)
    done = {r.file: r for r in (*contents.done, *failed)}
    done |= reading_reports(contents.usable, parsed.readings, verdict.files)
    for file, lab in parsed.laboratory.read.items():
        told, belongs = problems.get(file, ()), file in verdict.files
        done[file] = _laboratory_report(contents.usable[file], lab, told, belongs=belongs)
    for file, content in contents.usable.items():
        if (beside := beside_report(content, stated.images)) is not None:
            done[file] = beside
    for file, found in parsed.wearables.read.items():
        done[file] = wearable_report_of(contents.usable[file], found, belongs=file in verdict.files)
    return done


def _chart_report(content: Content, chart: Chart, noted: Iterable[str]) -> InputFile:
    file = content.file
    if file not in chart.counts:
        return content.report("failed", NEEDS_STATEMENT, problems=tuple(noted))
    counts, ignored = chart.counts[file], chart.ignored[file]
    problems = (*noted, *chart.problems[file])
    retracted = any(r.file == file for r in chart.retracted)
    if counts or retracted:
        return content.report("read", counts=counts, ignored=ignored, problems=problems)
    if problems:
        return content.report("failed", _NOTHING_READ, ignored=ignored, problems=problems)
    if file in chart.copies:
        copies = f"duplicate of {' and '.join(chart.copies[file])}"
        return content.report("ignored", copies, ignored=ignored)
    telling = not _TELLING.isdisjoint(ignored)
    return content.report("ignored", _NOTHING_USED, ignored=ignored, unread=telling)


def _signal_report(
    content: Content, parsed: Parsed, belongs: bool, copy: str | None, noted: Sequence[str]
) -> InputFile:
    """Return what became of a recording or an image."""
    image = parsed.images.read.get(content.file)
    if image is not None:
        return image_report(content, image, noted, belongs=belongs, copy=copy)
    recording = parsed.recordings.read[content.file]
    because = copy if belongs else NEEDS_STATEMENT
    return _ecg_report(content, recording, belongs, because, noted)


def _ecg_report(
    content: Content,
    recording: EcgRecording,
    belongs: bool,
    unused_because: str | None,
    noted: Sequence[str],
) -> InputFile:
    unverified = ", a format not verified on a real file" if recording.format_caution else ""
    kind = f"ECG ({recording.source_format}{unverified})"
    if unused_because is not None:
        status: Status = "ignored" if belongs else "failed"
        return content.report(status, unused_because, kind=kind, problems=noted)
    counts = {"leads": len(recording.leads)}
    noted = (*noted, *recording.notes)
    return content.report("read", kind=kind, counts=counts, problems=noted)


def _laboratory_report(
    content: Content, lab: LabFile, noted: Sequence[str], *, belongs: bool
) -> InputFile:
    told = (*noted, *lab.notes, *lab.problems)
    if not belongs:
        return content.report("failed", NEEDS_STATEMENT, kind=lab.kind, problems=told)
    if not lab.facts and lab.document is None:
        nothing = "no result in it could be used"
        return content.report("failed", nothing, kind=lab.kind, counts=lab.counts, problems=told)
    reason = "not all of it was understood" if lab.unread else None
    return content.report(
        "read", reason, kind=lab.kind, counts=lab.counts, problems=told, unread=lab.unread
    )


def _understood(by_hand: Sequence[Fact]) -> dict[str, int]:
    """Return how many facts, answers and results of the case file were understood."""
    counts: Counter[str] = Counter()
    for fact in by_hand:
        why = fact.finding.not_assessed
        for place in fact.finding.evidence:
            if isinstance(place, RecordEvidence) and (why is None or why.why is not Why.UNREADABLE):
                counts[re.split(r"[.\[]", place.record)[0]] += 1
    return dict(counts)


def _case_id(contents: Contents) -> str:
    hashes = "\n".join(sorted(c.sha256 for c in contents.usable.values()))
    return "case-" + hashlib.sha256(hashes.encode()).hexdigest()[:12]
