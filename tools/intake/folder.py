"""A folder of one patient's files, in any mix, to one case."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError, InputError, InvalidValueError
from knowledge.settings import Settings
from tools.intake.assembly import Parsed, assemble
from tools.intake.belonging import Sources, belonging
from tools.intake.content import Contents, read_contents, refused
from tools.intake.fhir.bundle import FhirFile, parse
from tools.intake.fhir.chart import states_patient_facts
from tools.intake.fhir.patient import patients
from tools.intake.given import GivenAnswer
from tools.intake.hl7v2 import reader as hl7v2
from tools.intake.images import beside_identities, image_files, read_images
from tools.intake.readings import read_readings, with_identities
from tools.intake.recordings import read_recordings
from tools.intake.report_text.read import read_reports
from tools.intake.result import CaseFiles, InputFile
from tools.intake.stated_case import StatedCase, read_stated
from tools.intake.tables.read import read_tables
from tools.intake.walk import Found, files_of, shown
from tools.intake.wearables import read_wearables
from tools.readings.in_case import ReadingFile

if TYPE_CHECKING:
    from tools.models.in_case import CaseModels

_LONGEST = 200
"""Characters of a name that are looked at and shown."""

_SAME_PATIENT = "--same-patient"
_CONFLICT = "identity conflict"
_NOT_COMBINED = "not used: the case is refused"
_ATTACHED = "the attach line of the case file"


def read_case(
    paths: Sequence[Path],
    *,
    at: ClinicalTime | None,
    settings: Settings,
    now: ClinicalTime | None = None,
    same_patient: Sequence[str] = (),
    given: Sequence[GivenAnswer] = (),
    released: Sequence[ReadingFile] = (),
) -> CaseFiles:
    """Return a case from folders and files; the order of files changes nothing.

    One bad file does not stop the rest: every file is in `CaseFiles.inputs` as read, ignored or
    failed with the reason.

    Args:
        paths: Folders and files of one patient.
        at: Moment of assessment; else the one ``case.yaml`` states, else `now`.
        settings: Limits, and the site's time zone.
        now: The current moment; only to tell what is in the future.
        same_patient: Files stated to be of the same patient although their identity differs.
        given: Answers a person entered after the files; the newest one to each input.
        released: Structured readings that were released for this very case, beside its files.

    Raises:
        UnreadableError: A path given does not exist.
        TooLargeError: Too many files, or too large together.
        InvalidValueError: `same_patient` names a file that is not in the case.
        IdentityConflictError: The files are not of one patient; its `inputs` lists every file.
    """
    found = files_of(paths, settings=settings)
    contents = read_contents(found, settings=settings)
    stated = read_stated(contents)
    zone = stated.case.time_zone or settings.time_zone
    moment = at or stated.case.moment(stated.file)
    overrides = dict.fromkeys(stated.attached, _ATTACHED)
    overrides |= {_named(name, found, contents): _SAME_PATIENT for name in same_patient}
    parsed = _parsed(contents, stated, zone)
    parsed = _with_laboratory(parsed, contents, stated, zone, overrides, settings)
    sources = Sources(
        case=stated.case.identity(stated.file),
        has_case_file=stated.content is not None or bool(stated.failed),
        charts=[chart for chart in parsed.charts if states_patient_facts(chart)],
        patients=parsed.patients,
        recordings=parsed.recordings.read,
        images=parsed.images.read,
        readings=parsed.readings.read,
        wearables=parsed.wearables.read,
        stated=overrides,
        laboratory={file: lab.identities for file, lab in parsed.laboratory.read.items()},
        beside=beside_identities(stated.images, contents.usable, zone=zone),
    )
    try:
        verdict = belonging(sources)
    except IdentityConflictError as error:
        error.inputs = _refused_inputs(contents, stated, parsed, error.files)
        raise
    case = assemble(
        contents, stated, parsed, verdict, zone=zone, at=moment, now=moment or now, given=given,
        models=_models(settings) if parsed.images.read else None, released=released,
    )  # fmt: skip
    return replace(case, complaint_stated=_complaint_stated(contents, sources, settings))


def _models(settings: Settings) -> "CaseModels | None":
    from tools.models.in_case import case_models

    return case_models(settings)


def _complaint_stated(contents: Contents, sources: Sources, settings: Settings) -> bool:
    """Return whether the case is for acute chest pain: messages of a feed alone do not say so."""
    of_a_feed = any(content.kind == "HL7 v2" for content in contents.usable.values())
    unsaid = settings.hl7_complaint == "not stated"
    return sources.has_case_file or not of_a_feed or not unsaid


def _with_laboratory(
    parsed: Parsed,
    contents: Contents,
    stated: StatedCase,
    zone: str | None,
    overrides: Collection[str],
    settings: Settings,
) -> Parsed:
    """Return the parts with the laboratory tables and reports among the files."""
    own = stated.case.identity(stated.file)
    known = [p.identity for p in parsed.patients] + ([own] if own is not None else [])
    tables = read_tables(
        contents.usable, named=stated.tables, zone=zone, known=known, stated=overrides
    )
    read = {*tables.read, *(report.file for report in tables.failed)}
    read |= {name for name in parsed.recordings.parts} | {stated.file}
    attached = {file: stated.attached.get(file) for file in overrides}
    reports = read_reports(
        contents.usable, taken=read, attached=attached, zone=zone, settings=settings
    )
    return replace(parsed, laboratory=tables.with_(reports))


def _refused_inputs(
    contents: Contents, stated: StatedCase, parsed: Parsed, conflicting: Collection[str]
) -> tuple[InputFile, ...]:
    """Return every file of a case that is refused, by name: none of them was used."""
    failed = (*stated.failed, *parsed.failed, *parsed.laboratory.failed)
    done = {r.file: r for r in (*contents.done, *failed)}
    for file, content in contents.usable.items():
        if file not in done:
            reason = _CONFLICT if file in conflicting else _NOT_COMBINED
            problems = parsed.problems.get(file, ())
            done[file] = content.report("ignored", reason, problems=problems)
    return tuple(done[file] for file in sorted(done))


def _named(name: str, found: Sequence[Found], contents: Contents) -> str:
    """Return the file that ``--same-patient`` names: by its name in the case, or by its path.

    Raises:
        InvalidValueError: There is none, or more than one.
    """
    try:
        path = Path(name).resolve()
    except (OSError, RuntimeError, ValueError):
        path = None  # not a path at all; it may still be a name as listed
    meant = {f.file for f in found if shown(name) == f.file or path == f.path}
    meant = meant or {f.file for f in found if f.file.rpartition("/")[2] == shown(name)}
    if len(meant) != 1:
        near = get_close_matches(name[:_LONGEST], [f.file for f in found], n=2)
        raise InvalidValueError(
            f"{_SAME_PATIENT} {shown(Path(name).name)[:_LONGEST]}",
            "names no single file of the case",
            f"did you mean {', '.join(near)}?" if near else "name it as the case lists it",
        )
    file = meant.pop()
    return contents.same_as.get(file, file)


def _parsed(contents: Contents, stated: StatedCase, zone: str | None) -> Parsed:
    charts: list[FhirFile] = []
    failed: list[InputFile] = []
    readings = read_readings(contents.usable)
    others = {f: c for f, c in contents.usable.items() if f not in readings.files}
    beside: dict[str, dict[str, bytes]] = {}
    for content in contents.usable.values():
        beside.setdefault(content.folder, {})[content.name] = content.data
    for copy, original in contents.same_as.items():
        folder, _, name = copy.rpartition("/")
        beside.setdefault(folder, {})[name] = contents.usable[original].data
    pictures = image_files(others)
    images = read_images(
        others, pictures, attached=stated.attached, zone=zone, case_file=stated.file
    )
    wearables = read_wearables(contents.usable, attached=stated.attached, zone=zone)
    recordings = read_recordings(
        others,
        attached=stated.attached,
        siblings=beside,
        zone=zone,
        case_file=stated.file,
        images=pictures,
    )
    messages: list[hl7v2.Hl7File] = []
    for content in others.values():
        try:
            if content.kind == "FHIR JSON":
                charts.append(parse(content.data, content.file))
            elif content.kind == "HL7 v2":
                messages.append(hl7v2.parse(content.data, content.file))
        except InputError as error:
            failed.append(refused(content.file, content.kind, error, sha256=content.sha256))
    charts += hl7v2.linked(messages, zone=zone)
    problems: dict[str, list[str]] = {}
    return Parsed(
        charts=tuple(charts),
        patients=tuple(patients(charts, problems)),
        recordings=recordings,
        images=images,
        wearables=wearables,
        failed=(
            *failed,
            *recordings.failed,
            *images.failed,
            *wearables.failed,
            *readings.failed,
        ),
        problems=problems,
        readings=with_identities(readings, images.read),
    )
