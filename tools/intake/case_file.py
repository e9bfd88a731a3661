"""``case.yaml``: what a person states by hand, and how files without identity belong.

::

    schema: epicrisis/case/1
    case: example-nstemi             # identifier of the case
    synthetic: false                 # true for an invented patient
    problem: acute chest pain
    time_zone: Europe/Berlin         # for times without an offset, in every file of the case
    at: 2026-11-20T14:40:00+01:00    # moment of assessment
    patient:                         # compared with the identity of every other file
      identifiers: [{system: "urn:oid:1.2.3", value: "0012"}]
      family: Muster
      given: [Clara]
      birth_date: 1955-07-21
      sex: female
    facts:                           # ids of the clinical-input catalogue
      onset: 2026-11-20T10:30:00+01:00
      diaphoresis: no
      heart_rate: 110 /min
      systolic_bp: {value: 105, unit: mmHg, time: 2026-11-20T13:25:00+01:00, by: nurse}
    answers:                         # later answers: they win, and settle conflicts
      known_cad: {value: yes, by: Dr. M, time: 2026-11-20T14:30:00+01:00}
    results:                         # laboratory results and vital signs typed in by hand
      - {analyte: hs_ctnt, value: "12 ng/L", time: 2026-11-20T13:30:00+01:00, method: Roche}
    notes:                           # free text; also as files, under attach
      - {title: triage, time: 2026-11-20T13:25:00+01:00, by: nurse, text: "Pale and sweating."}
    attach:                          # files that carry no identity, or another one
      - {file: s0010_re.hea, patient: same, recorded_at: 2026-11-20T13:20:00+01:00}
    tables:                          # laboratory tables whose mapping file does not name them
      - {file: export.csv, mapping: mapping.yaml}
    images:                          # what a file does not say of itself; names are of the case
      - {file: film.png, of: chest film, view: pa, age_years: 63}
      - {file: field.png, of: ihc, marker: ki67, mpp_um: 0.5, region: region.geojson}
      - {file: ct/0001.dcm, of: ct, seeds: [[61.5, -20, -130]], aorta_mask: aorta.nii.gz}
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from knowledge.analytes import Converted, analytes, convert
from knowledge.clinical_time import ClinicalTime, load_zone, parse_fhir
from knowledge.codes import ANALYTE, Coding, Concept, clinical_input
from knowledge.errors import InvalidValueError, TooLargeError, UnreadableError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.patient import Identity
from knowledge.reference import strict_yaml
from knowledge.timeline import Category, Fact
from knowledge.units import parse_stated
from tools.imaging.in_case.model import StatedImage
from tools.intake.answer import Answer, Stated, known_input, stated_finding

__all__ = ["Answer", "CaseFile", "read_case_file", "stated_facts", "stated_finding"]

MAX_BYTES = 1024 * 1024
"""A case file is written by hand: a page, not a megabyte."""

MAX_ANSWERS = 500
"""Facts, answers or results: several times the questions of the catalogue."""

MAX_ATTACHED = 2000
"""Attached files: as many as a case may have."""

_MAX_SCALARS = 20_000
"""Words and numbers of the largest file within these limits."""

_HINTED = 5
"""Unknown names of a file for which near ones are looked up."""

MAX_DEPTH = 8
"""Levels of nesting: the deepest thing above has four."""


_REJECTED = frozenset({Why.VALUE_IMPOSSIBLE, Why.UNIT_NOT_RECOGNISED})
"""Why an answer that was given is not used; told even where the chart has a value instead."""


class StatedIdentifier(Frozen):
    """A number that identifies the patient, and who gave it; in quotes, as text."""

    system: str = ""
    value: str


class StatedPatient(Frozen):
    """Who the patient is; every part may be left out."""

    identifiers: tuple[StatedIdentifier, ...] = ()
    family: str | None = None
    given: tuple[str, ...] | str = ()
    birth_date: str | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None


class StatedResult(Frozen):
    """One laboratory result or vital sign.

    Args:
        analyte: Key of the analyte table.
        value: A number, or text such as ``"<6 ng/L"``.
        unit: Where it is not written with the value.
        time: Collection time.
        method: Assay or device.
        by: Who typed it in.
    """

    analyte: str
    value: int | float | str
    unit: str | None = None
    time: str | None = None
    method: str | None = None
    by: str | None = None


class Attachment(Frozen):
    """The statement that a file is of this patient.

    Args:
        file: Name of the file relative to the case.
        patient: ``same``: said explicitly, it also stands against a different identity in the file
            (an anonymised recording), and is then reported as an override.
        recorded_at: Start of the recording, where the file has none or a wrong one.
        time_zone: IANA zone of the file's own times.
        note: Why, or from where.
        sha256: Of the content that was meant, where the statement shall not hold for another one
            under the same name.
    """

    file: str
    patient: Literal["same"]
    recorded_at: str | None = None
    time_zone: str | None = None
    note: str | None = None
    sha256: str | None = None


class TableLine(Frozen):
    """Which mapping file reads a table of laboratory results.

    Args:
        file: Name of the table relative to the case.
        mapping: Name of its mapping file.
    """

    file: str
    mapping: str


class StatedNote(Frozen):
    """A note in free text.

    Args:
        text: As it stands.
        title: What it is.
        time: When it was written.
        by: Role or initials of its author.
    """

    text: str
    title: str = "note"
    time: str | None = None
    by: str | None = None


class CaseFile(Frozen):
    """The whole file; see the module for an example of every key."""

    schema_: Literal["epicrisis/case/1"] = Field(alias="schema")
    case: str | None = None
    synthetic: bool = False
    problem: str = "acute chest pain"
    time_zone: str | None = None
    at: str | None = None
    patient: StatedPatient | None = None
    facts: Mapping[str, Stated] = {}
    answers: Mapping[str, Stated] = {}
    results: tuple[StatedResult, ...] = ()
    notes: tuple[StatedNote, ...] = ()
    attach: tuple[Attachment, ...] = ()
    tables: tuple[TableLine, ...] = ()
    images: tuple[StatedImage, ...] = ()

    def moment(self, file: str) -> ClinicalTime | None:
        """Return the stated moment of assessment.

        Raises:
            InvalidValueError: Not a time, or a time of no known zone.
        """
        if self.at is None:
            return None
        time = parse_fhir(self.at, clock=file, zone=self.time_zone)
        if time.zone == "unknown":
            raise InvalidValueError(
                f"{file}: at", "has no time zone", "add an offset such as +01:00, or time_zone"
            )
        return time

    def identity(self, file: str) -> Identity | None:
        """Return who the file says the patient is, or None where it does not say.

        Raises:
            InvalidValueError: The date of birth is not a date.
        """
        stated = self.patient
        if stated is None:
            return None
        born = stated.birth_date
        return Identity(
            source=file,
            identifiers=tuple(sorted((i.system, i.value) for i in stated.identifiers)),
            family=stated.family,
            given=(stated.given,) if isinstance(stated.given, str) else stated.given,
            birth_date=None if born is None else parse_fhir(born, clock=file),
            sex=stated.sex if stated.sex in ("female", "male") else None,
        )


def read_case_file(content: bytes, file: str) -> CaseFile:
    """Return a case file, checked as a whole but for the single answers.

    Raises:
        TooLargeError: Over `MAX_BYTES`, or too many entries.
        UnreadableError: Not YAML, or YAML with aliases or too deep.
        InvalidValueError: A key is unknown or has a wrong type; the message names it.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(file, f"over {MAX_BYTES} bytes for a case file", "shorten it")
    try:
        _check_events(content, file)
        data = strict_yaml(content)
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise UnreadableError(file, f"not YAML: {error.problem}{line}", "correct it") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(file, "not YAML in UTF-8", "correct it") from error
    try:
        found = CaseFile.model_validate(data)
    except ValidationError as error:
        raise _refusal(file, error) from error
    _check_length(found, file)
    if found.time_zone is not None:
        load_zone(found.time_zone)
    for attachment in found.attach:
        if attachment.time_zone is not None:
            load_zone(attachment.time_zone)
    found.moment(file)
    found.identity(file)
    return found


def _check_length(found: CaseFile, file: str) -> None:
    parts = (
        ("facts", len(found.facts), MAX_ANSWERS),
        ("answers", len(found.answers), MAX_ANSWERS),
        ("results", len(found.results), MAX_ANSWERS),
        ("notes", len(found.notes), MAX_ANSWERS),
        ("attach", len(found.attach), MAX_ATTACHED),
    )
    for part, length, limit in parts:
        if length > limit:
            raise TooLargeError(f"{file}: {part}", f"over {limit} entries", "shorten it")


def stated_facts(
    case: CaseFile, file: str, *, zone: str | None, problems: list[str]
) -> Iterator[Fact]:
    """Yield the facts of a case file; an answer that cannot be used is told in `problems`.

    Args:
        case: The file's content.
        file: Its name.
        zone: IANA zone declared for times without an offset.
        problems: Collects what could not be used, with near matches.
    """
    for section, stated in (("facts", case.facts), ("answers", case.answers)):
        for input_id, answer in stated.items():
            record = f"{section}.{input_id}"
            try:
                finding = stated_finding(
                    input_id,
                    answer,
                    file=file,
                    record=record,
                    zone=zone,
                    hint=len(problems) < _HINTED,
                )
            except InvalidValueError as error:
                problems.append(f"{section}.{error}")
                refused = _not_understood(input_id, RecordEvidence(file=file, record=record))
                if refused is not None:
                    yield refused
                continue
            if finding.not_assessed is not None and finding.not_assessed.why in _REJECTED:
                problems.append(f"{input_id}: {finding.not_assessed.detail}")
            yield Fact(category=Category.STATED, finding=finding)
    for index, result in enumerate(case.results):
        try:
            fact = _result(result, RecordEvidence(file=file, record=f"results[{index}]"), zone)
        except InvalidValueError as error:
            problems.append(f"results[{index}].{error}")
            continue
        why = fact.finding.not_assessed
        if why is not None and why.why is Why.VALUE_IMPOSSIBLE:
            problems.append(f"results[{index}].{result.analyte}: {why.detail}")
        yield fact


def _not_understood(input_id: str, evidence: RecordEvidence) -> Fact | None:
    """Return a refused answer as not assessed, where at least its question is known."""
    try:
        concept = clinical_input(input_id, known_input(input_id, hint=False).label)
    except InvalidValueError:
        return None
    why = NotAssessed(why=Why.UNREADABLE, detail="the answer in the case file is not understood")
    finding = Finding(
        concept=concept, state=State.NOT_ASSESSED, not_assessed=why, evidence=(evidence,)
    )
    return Fact(category=Category.STATED, finding=finding)


def _result(stated: StatedResult, evidence: RecordEvidence, zone: str | None) -> Fact:
    row = analytes().analytes.get(stated.analyte)
    if row is None:
        near = get_close_matches(stated.analyte, analytes().analytes, n=3)
        known = ", ".join(near) or ", ".join(analytes().analytes)
        raise InvalidValueError("analyte", "not in the analyte table", f"one of {known}")
    text = f"{stated.value} {stated.unit or ''}".strip()
    parsed = parse_stated(text)
    if parsed is None:
        raise InvalidValueError("value", "not a number with its unit", 'write "12 ng/L"')
    time = None if stated.time is None else parse_fhir(stated.time, clock=evidence.file, zone=zone)
    outcome = convert(stated.analyte, *parsed)
    done = outcome if isinstance(outcome, Converted) else None
    finding = Finding(
        concept=Concept(text=row.label, codings=(Coding(system=ANALYTE, code=stated.analyte),)),
        state=State.PRESENT if done else State.NOT_ASSESSED,
        not_assessed=outcome if isinstance(outcome, NotAssessed) else None,
        value=done.value if done else None,
        time=time,
        method=stated.method,
        reported=text if done is None or done.changed else None,
        flags=("hand-entered", *(done.flags if done else ()))
        + (() if time is not None else ("no-collection-time",)),
        evidence=(evidence,),
    )
    group = Category.VITAL_SIGN if row.group == "vital-sign" else Category.LABORATORY
    return Fact(category=group, finding=finding)


def _check_events(content: bytes, file: str) -> None:
    """Refuse aliases (which can expand without bound) and deep nesting, before building anything.

    Raises:
        UnreadableError: The YAML has an alias or is nested too deep.
        TooLargeError: It has too many entries.
    """
    depth = scalars = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableError(file, "YAML aliases are not taken", "write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            scalars += 1
        if scalars > _MAX_SCALARS:
            raise TooLargeError(file, "too many entries for a case file", "shorten it")
        if depth > MAX_DEPTH:
            raise UnreadableError(file, "YAML nested too deep", "see the documented keys")


def _refusal(file: str, error: ValidationError) -> InvalidValueError:
    first = error.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    where = f"{file}: {'.'.join(path) or 'content'}"
    if first["type"] != "extra_forbidden":
        return InvalidValueError(where, first["msg"], "see the documented keys of case.yaml")
    near = get_close_matches(path[-1], _keys(), n=2)
    way_out = f"did you mean {', '.join(near)}?" if near else f"keys: {', '.join(_keys())}"
    return InvalidValueError(where, "not a key of case.yaml", way_out)


def _keys() -> list[str]:
    models: tuple[type[Frozen], ...] = (
        CaseFile,
        StatedPatient,
        StatedResult,
        StatedNote,
        Attachment,
        TableLine,
        Answer,
    )
    names = (field.alias or name for m in models for name, field in m.model_fields.items())
    return list(dict.fromkeys(names))
