"""Findings of a measurement, put on the study of the case; and those of one that was not made."""

from collections.abc import Iterable

from knowledge.codes import Coding, Concept
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed, State, Why, not_assessed
from knowledge.imaging_measures import imaging_measures
from knowledge.quantity import Value
from tools.imaging.in_case.model import Kind, StudyImages
from tools.imaging.model import Study

MEASURE = "urn:epicrisis:imaging"
UNCONFIRMED = "not-confirmed"
SIGNS = NotAssessed(
    why=Why.NO_MODEL, detail="no validated model configured: no sign of disease is looked for"
)
"""Why signs of disease on a slide are not assessed, whatever is given or missing."""
_NEVER = {"slide-signs": SIGNS}


def of_study(findings: Iterable[Finding], images: StudyImages) -> tuple[Finding, ...]:
    """Return findings with the time of the study, as the case knows it."""
    time = images.study.time
    return tuple(f if time is None else f.model_copy(update={"time": time}) for f in findings)


def value(
    code: str,
    found: Value,
    images: StudyImages,
    *,
    method: str,
    note: str = "",
    flags: tuple[str, ...] = (),
) -> Finding:
    """Return one measured value."""
    return Finding(
        concept=_concept(code),
        state=State.PRESENT,
        value=found,
        time=images.study.time,
        method=method,
        flags=(*flags, UNCONFIRMED),
        evidence=places(images.study, images.files),
        note=note,
    )


def missing(
    code: str, why: NotAssessed, study: Study, files: tuple[str, ...], *, method: str
) -> Finding:
    """Return that one value was not measured, and why."""
    found = not_assessed(
        _concept(code), why.why, why.detail, evidence=places(study, files), time=study.time
    )
    return found.model_copy(update={"method": method})


def nothing_measured(
    kind: Kind, why: NotAssessed, study: Study, files: tuple[str, ...], *, method: str
) -> tuple[Finding, ...]:
    """Return that nothing of what a kind of image is asked was measured, each with the reason."""
    asked = imaging_measures().kinds[kind].asked
    off = why.why is Why.SWITCHED_OFF
    return tuple(
        missing(code, why if off else _NEVER.get(code, why), study, files, method=method)
        for code in asked
    )


def places(study: Study, files: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return where the first and the last of some files of a study stand."""
    by_file = dict(zip(study.files, study.evidence, strict=True))
    found = [by_file[file] for file in files if file in by_file]
    return tuple(dict.fromkeys((*found[:1], *found[-1:]))) or study.evidence[:1]


def _concept(code: str) -> Concept:
    row = imaging_measures().names[code]
    return Concept(text=row.en, codings=(Coding(system=row.system, code=code),))
