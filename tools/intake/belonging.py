"""Which files are of the one patient: proven by identity, or stated explicitly.

Any mismatch refuses the case. A file whose identity cannot be compared needs an explicit statement
(an ``attach`` line, ``--same-patient``), unless it is the only source and nothing is combined.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from knowledge.errors import IdentityConflictError
from knowledge.patient import Identity
from tools.ecg.model import EcgRecording
from tools.imaging.model import ImageFile
from tools.intake.fhir.bundle import FhirFile
from tools.intake.fhir.patient import PatientRecord
from tools.intake.identity import Comparison, IdentityReport, compare, compare_all
from tools.intake.reference import References, Refused
from tools.intake.result import Override
from tools.intake.wearable.model import WearableFile
from tools.readings.in_case import ReadingFile

NEEDS_STATEMENT = (
    "carries no identity that can be compared; if it is of this patient, add to case.yaml "
    "attach: [{file: NAME, patient: same}], or say --same-patient"
)

MAX_PATIENTS = 200
"""Patient resources in one file; a file with more is of a population, not of a patient."""

_SHOWN = 5
"""Pairs named in a message; the report has them all."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is compared.

    Args:
        case: Identity stated in ``case.yaml``, where there is one.
        has_case_file: Whether there is a ``case.yaml``, which could hold the explicit statement.
        charts: FHIR files that state facts of a patient.
        patients: Patient resources of these files.
        recordings: File to its recording.
        images: File to its image.
        wearables: File to what a patient's own device measured.
        stated: File to how it is said to be of the same patient.
        laboratory: Laboratory table or report to the identities it states; none where it is silent.
        readings: File to its structured reading.
        beside: Identities of files that a statement about an image names: masks in DICOM.
    """

    case: Identity | None
    has_case_file: bool
    charts: Sequence[FhirFile]
    patients: Sequence[PatientRecord]
    recordings: Mapping[str, EcgRecording]
    images: Mapping[str, ImageFile] = field(default_factory=dict)
    wearables: Mapping[str, WearableFile] = field(default_factory=dict)
    stated: Mapping[str, str]
    laboratory: Mapping[str, Sequence[Identity]] = field(default_factory=dict)
    readings: Mapping[str, ReadingFile] = field(default_factory=dict)
    beside: Sequence[Identity] = ()

    @property
    def signals(self) -> dict[str, EcgRecording | ImageFile | WearableFile | ReadingFile]:
        """What carries an identity beside its data, by file."""
        return {**self.recordings, **self.images, **self.wearables, **self.readings}


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """The verdict.

    Args:
        files: Files whose facts may be combined.
        proven: Those of them whose identity may describe the patient.
        report: All comparisons.
        overrides: Explicit statements used.
        refused: Resources of these files that are not shown to be of the patient.
    """

    files: frozenset[str]
    proven: frozenset[str]
    report: IdentityReport
    overrides: tuple[Override, ...]
    refused: tuple[Refused, ...]


def belonging(sources: Sources) -> Belonging:
    """Return which files are of the one patient.

    Raises:
        IdentityConflictError: Two sources disagree and nobody stated that they are the same;
            names files and fields, never values.
    """
    own = [p.identity for p in sources.patients]
    own += [sources.case] if sources.case is not None else []
    recorded = [r.identity for r in sources.signals.values()]
    recorded += [identity for said in sources.laboratory.values() for identity in said]
    recorded += sources.beside
    compared = compare_all([*own, *recorded], stated=sources.stated)
    between = [c for c in compared.comparisons if len(set(c.files)) > 1 or c.result == "mismatch"]
    between += _within_one_file(sources.patients)
    _refuse_conflicts(between, sources)
    references = References(sources.charts, sources.patients, own, sources.stated)
    found = (*between, *references.comparisons)
    report = compared.model_copy(update={"comparisons": tuple(dict.fromkeys(found))})
    _refuse_conflicts(report.comparisons, sources)
    files = {chart.file for chart in sources.charts} | set(sources.signals)
    files |= set(sources.laboratory)
    proven = _proven(files, report, sources)
    return Belonging(
        files=frozenset(proven | (files & set(sources.stated))),
        proven=frozenset(proven - set(sources.stated)),
        report=report,
        overrides=tuple(
            Override(file=file, by=by, differs=_differs(file, report))
            for file, by in sorted(sources.stated.items())
            if file in files or file in {one.source for one in sources.beside}
        ),
        refused=tuple(references.refused),
    )


def placeholders_told(report: IdentityReport) -> dict[str, str]:
    """Return, by file, that its name was not compared: one of two says a placeholder."""
    told: dict[str, str] = {}
    for pair in report.comparisons:
        if pair.result == "match" and pair.not_compared:
            first, second = pair.files
            what = " and ".join(pair.not_compared)
            said = "one says a placeholder; the patient's number agrees"
            told.setdefault(second, f"{what} not compared with {first}: {said}")
    return told


def numbers_told(report: IdentityReport, images: Collection[str]) -> dict[str, str]:
    """Return, by the first file, that images were joined although their patient numbers differ."""
    pairs = [c for c in report.comparisons if c.numbers_differ and set(c.files) <= set(images)]
    if not pairs:
        return {}
    first, second = pairs[0].files
    agree = " and ".join(pairs[0].agree)
    return {
        second: f"its patient number is not that of {first}, and neither names who gave it: taken "
        f"as one patient because {agree} agree"
    }


def _refuse_conflicts(comparisons: Sequence[Comparison], sources: Sources) -> None:
    conflicts = [
        c
        for c in comparisons
        if c.result == "mismatch" and not any(file in sources.stated for file in c.files)
    ]
    if conflicts:
        raise _conflict(conflicts)


def _within_one_file(patients: Sequence[PatientRecord]) -> Iterator[Comparison]:
    """Yield a mismatch where Patients of one file are not shown to be the same; the first of each.

    A Patient contained in another resource may say less; it conflicts only where it disagrees.
    """
    by_file: dict[str, list[PatientRecord]] = {}
    for record in patients:
        if record.entry.within is None:
            by_file.setdefault(record.entry.file, []).append(record)
    for same_file in by_file.values():
        if len(same_file) > MAX_PATIENTS:
            file = same_file[0].entry.file
            yield Comparison(files=(file, file), result="mismatch", differ=("patient",))
            continue
        for a, b in combinations(same_file, 2):
            if a.entry.name == b.entry.name:
                continue
            pair = compare(a.identity, b.identity)
            if pair.result != "match":
                differ = pair.differ or ("patient",)
                yield pair.model_copy(update={"result": "mismatch", "differ": differ})
                break


def _proven(files: set[str], report: IdentityReport, sources: Sources) -> set[str]:
    """Return the files joined to the anchor by matches, from file to file."""
    anchor = _anchor(files, sources)
    if anchor is None:
        return set()
    proven, waiting = set(anchor), list(anchor)
    while waiting:
        here = waiting.pop()
        for pair in report.comparisons:
            if pair.result != "match" or here not in pair.files:
                continue
            there = pair.files[1] if pair.files[0] == here else pair.files[0]
            if there not in proven and there not in sources.stated:
                proven.add(there)
                waiting.append(there)
    return proven & files


def _anchor(files: set[str], sources: Sources) -> list[str] | None:
    """Return the source the others must match: a Patient, else case.yaml, else a chart, an ECG.

    A Patient who is named goes before one of whom nothing is stated, whatever the files are called.
    """
    free = files - set(sources.stated)
    named_patients = {p.entry.file for p in sources.patients if not p.identity.is_empty}
    with_patient = sorted(named_patients & free)
    with_patient = with_patient or sorted({p.entry.file for p in sources.patients} & free)
    if with_patient:
        return with_patient[:1]
    if sources.case is not None and not sources.case.is_empty:
        return [sources.case.source]
    charts = sorted({chart.file for chart in sources.charts} & free)
    if charts:
        return charts[:1]
    named = sorted(f for f, r in sources.signals.items() if f in free and not r.identity.is_empty)
    named += sorted(
        f
        for f, said in sources.laboratory.items()
        if f in free and any(not i.is_empty for i in said)
    )
    if named:
        return named[:1]
    return sorted(free) if len(files) == 1 and not sources.has_case_file else None


def _differs(file: str, report: IdentityReport) -> tuple[str, ...]:
    fields = [f for c in report.mismatches if file in c.files for f in c.differ]
    return tuple(dict.fromkeys(fields))


def _conflict(conflicts: Sequence[Comparison]) -> IdentityConflictError:
    files = sorted({file for c in conflicts for file in c.files})
    details = list(
        dict.fromkeys(
            f"{' and '.join(dict.fromkeys(c.files))} differ in {', '.join(c.differ)}"
            for c in conflicts
        )
    )
    more = [f"{len(details) - _SHOWN} more"] if len(details) > _SHOWN else []
    return IdentityConflictError(
        " and ".join(files),
        "not shown to be of one patient: " + "; ".join(details[:_SHOWN] + more),
        "remove the wrong file, or state --same-patient FILE, which is recorded",
        files=tuple(files),
    )
