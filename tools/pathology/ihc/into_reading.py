"""A measured share in the histology report: the measurement's until a reader confirms it."""

from pydantic import AwareDatetime

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, State, Why
from knowledge.ihc_measurements import IhcMarker
from tools.pathology.ihc.measure import METHOD, IhcMeasure
from tools.readings.model import NOBODY, Reading, Said, Stated
from tools.readings.versions import edited

ITEMS: dict[str, dict[IhcMarker, tuple[str, str]]] = {
    "pathology_breast": {
        "ki67": ("ki67_percent", "ki67_cells"),
        "er": ("er_percent", ""),
        "pr": ("pr_percent", ""),
    },
    "pathology_net": {"ki67": ("ki67", "ki67_cells")},
}
"""Items of a form: the share, and how many nuclei it rests on where the form asks that."""

_NO_REGION = (
    "counted only inside a tumour region that a person draws: measure the fields (epicrisis ihc) "
    "and state the share"
)


def with_ihc(
    reading: Reading, found: IhcMeasure, *, at: AwareDatetime, same_patient: bool
) -> Reading:
    """Return the next version of a histology report with a measured share.

    Where no share was stated, its item becomes not assessed with the reason; what a reader stated
    stays his.

    Args:
        reading: Of a form that asks the marker.
        found: The measurement.
        at: When.
        same_patient: Somebody who knows says that the fields are of the reading's patient: pictures
            do not tell.

    Raises:
        ContractError: The form does not ask the marker, or nobody says whose fields they are.
        InvalidValueError: A reader has already stated the item.
    """
    asked = ITEMS.get(reading.form, {}).get(found.marker)
    if asked is None:
        raise ContractError(
            f"reading {reading.id}", f"{reading.form} does not ask {found.name}",
            "give a report of " + " or ".join(f for f, m in ITEMS.items() if found.marker in m),
        )  # fmt: skip
    if not same_patient:
        raise ContractError(
            "fields",
            "pictures do not tell whose they are",
            "state with --same-patient that they are of the patient of the report",
        )
    said = Said(by="measurement", who=f"{METHOD}, {_basis(found)}"[:200], at=at)
    share, cells = asked
    missing = found.not_assessed.get("share")
    if found.share is None or missing is not None:
        why = missing or found.not_assessed["share"]
        return edited(
            reading,
            {share: Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)},
            by=said,
        )
    number = Stated(state=State.PRESENT, number=found.share.percent, unit="%", said=said)
    changes = {share: number}
    if cells:
        changes[cells] = Stated(
            state=State.PRESENT, number=float(found.share.all), unit="1", said=said
        )
    return edited(reading, changes, by=said)


def _basis(found: IhcMeasure) -> str:
    made = found.calibration
    known = "no calibration" if made is None else f"calibration of {made.clone}, {made.made_on}"
    return f"{len(found.fields)} fields, {found.area_mm2:g} mm2; {known}"


def without_region(reading: Reading, *, at: AwareDatetime) -> Reading:
    """Return the next version, in which no share is stated: none is without a region of a person.

    Args:
        reading: Of a form that asks markers.
        at: When.
    """
    said = Said(by="measurement", who=METHOD, at=at)
    why = NotAssessed(why=Why.DEPENDS, detail=_NO_REGION)
    silent = Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
    asked = {share for share, _ in ITEMS.get(reading.form, {}).values()}
    changes = {
        item: silent for item in sorted(asked) if reading.items.get(item, NOBODY).nobody_looked
    }
    return edited(reading, changes, by=said) if changes else reading
