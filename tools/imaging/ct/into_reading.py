"""What was measured on a CT series, put into the items of a chest CT reading that it answers.

A reader's word, or a model's, is never replaced. A sign that only eyes or a model could see is not
assessed, with that reason: a measurement never makes a sign present or absent.
"""

from collections.abc import Iterator, Mapping

from pydantic import AwareDatetime

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.finding import NotAssessed, State, Why
from knowledge.quantity import format_number
from knowledge.reading_form import reading_form
from tools.imaging.ct.into_nodules import FORM as NODULES
from tools.imaging.ct.into_nodules import with_nodules
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.report import NOT_LOOKED_FOR, CtReport
from tools.readings.model import NOBODY, Entry, Reading, Said, Stated
from tools.readings.versions import edited

FORM = "chest_ct"
METHOD = "ct_measurements_of_series 1"
_HU = "[hnsf'U]"
_TEXT = 1000


def with_ct(reading: Reading, report: CtReport, *, study: str, at: AwareDatetime) -> Reading:
    """Return the next version of a reading, with what the measurements answer.

    Args:
        reading: Of the form ``chest_ct`` or ``ct_nodules``, not signed, of the study the series
            belongs to.
        report: Of the series.
        study: Study Instance UID of the series.
        at: When it was measured.

    Raises:
        ContractError: Another form.
        IdentityConflictError: The series is not shown to be of the reading's study.
    """
    if reading.form not in (FORM, NODULES):
        forms = f"{FORM} or {NODULES}"
        raise ContractError(f"reading {reading.id}", f"is of the form {reading.form}", forms)
    _check_study(reading, report, study)
    if reading.form == NODULES:
        return with_nodules(reading, report, at=at)
    said = Said(by="measurement", who=METHOD, at=at)
    answers = dict(_answers(report, said))
    changes = {}
    for name, item in reading_form(FORM).items.items():
        before = reading.items.get(name, NOBODY)
        if before.said is not None and before.said.by != "measurement":
            continue
        stated = answers.get(name)
        if stated is None and item.kind == "sign":
            stated = _silent(NOT_LOOKED_FOR, said)
        if stated is not None:
            changes[name] = stated
    return edited(reading, changes, by=said)


def _check_study(reading: Reading, report: CtReport, study: str) -> None:
    named = {one.sop_uid for one in reading.study.images}
    if study == reading.study.study_uid and (not named or named & set(report.series.instances)):
        return
    raise IdentityConflictError(
        f"series and reading {reading.id}",
        "the series is not shown to be of the study that is read",
        "give a series of that study as DICOM",
        files=report.series.files,
    )


def _answers(report: CtReport, said: Said) -> Iterator[tuple[str, Stated]]:
    yield from _lungs(report, said)
    for item, name, number, unit in (
        ("agatston", "agatston", None if report.agatston is None else report.agatston.score, "1"),
        (
            "aorta_largest",
            "aorta",
            None if report.aorta is None else report.aorta.largest.mean_mm,
            "mm",
        ),
    ):
        yield item, _number(number, unit, report.not_assessed, name, said)
    if report.series.contrast is not None:
        state = State.PRESENT if report.series.contrast else State.ABSENT
        stated = Stated(state=state, text="as the header states it", said=said)
        if state is State.ABSENT:  # an agent that is not named may have been given all the same
            why = NotAssessed(why=Why.UNCONFIRMED, detail="the header names no contrast agent")
            stated = _silent(why, said)
        yield "contrast", stated
    measured = [(place, one.measure) for place, one in enumerate(report.nodules, 1) if one.measure]
    if measured:
        entries = tuple(_entry(place, one, said) for place, one in measured)
        yield "nodules", Stated(state=State.PRESENT, entries=entries, said=said)
    else:
        why = NOT_LOOKED_FOR
        if report.nodules:
            why = report.nodules[0].not_assessed.get("nodule", NOT_LOOKED_FOR)
        yield "nodules", _silent(why, said)


def _lungs(report: CtReport, said: Said) -> Iterator[tuple[str, Stated]]:
    lungs = report.lungs
    values = {
        "lung_volume": (None if lungs is None else lungs.volume_ml, "mL"),
        "laa_950": (None if lungs is None else lungs.laa_950_percent, "%"),
        "perc15": (None if lungs is None else lungs.perc15_hu, _HU),
    }
    text = "" if lungs is None else "; ".join((lungs.basis, *lungs.cautions))[:_TEXT]
    for item, (number, unit) in values.items():
        stated = _number(number, unit, report.not_assessed, "lungs", said)
        yield item, stated if number is None else stated.model_copy(update={"text": text})
    if lungs is not None:
        share = format_number(lungs.laa_950_percent)
        detail = f"{share} % of the lungs below -950 HU ({lungs.basis}): a reader decides"
        yield "emphysema", _silent(NotAssessed(why=Why.UNCONFIRMED, detail=detail), said)


def _number(
    number: float | None, unit: str, missing: Mapping[str, NotAssessed], name: str, said: Said
) -> Stated:
    if number is None:
        return _silent(missing.get(name, NOT_LOOKED_FOR), said)
    return Stated(state=State.PRESENT, number=float(format_number(number)), unit=unit, said=said)


def _entry(place: int, one: NoduleMeasure, said: Said) -> Entry:
    found = one.not_assessed
    items = {
        "diameter": _number(one.mean_mm, "mm", found, "diameter", said),
        "volume": _number(one.volume_mm3, "mm3", found, "volume", said),
        "where": Stated(
            state=State.PRESENT,
            text="centre " + ", ".join(f"{v:.0f}" for v in one.centre_lps) + " mm (LPS)",
            said=said,
        ),
    }
    return Entry(id=str(place), items=items)


def _silent(why: NotAssessed, said: Said) -> Stated:
    """Return that something is not assessed; an absent input is one that it depends on."""
    if why.why is Why.MISSING:
        why = why.model_copy(update={"why": Why.DEPENDS})
    return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
