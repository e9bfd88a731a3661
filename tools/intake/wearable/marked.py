"""Values of a chart that its own words call those of a patient's device: no inputs of a rule."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from knowledge.clinical_time import ClinicalTime, Precision, load_zone
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.evidence import describe
from knowledge.quantity import Quantity
from knowledge.timeline import Category, Fact
from knowledge.wearable import wearable
from tools.intake.wearable.model import Kind, Reading
from tools.intake.wearable.trend import WEARABLE

_KINDS: dict[str, Kind] = {
    "systolic_bp": "systolic",
    "diastolic_bp": "diastolic",
    "heart_rate": "heart_rate",
}
_UNITS: dict[Kind, str] = {"systolic": "mm[Hg]", "diastolic": "mm[Hg]", "heart_rate": "/min"}


def is_marked(fact: Fact) -> bool:
    """Return whether the method or device of a vital sign is that of a patient's own device."""
    if fact.category not in (Category.VITAL_SIGN, Category.OBSERVATION):
        return False
    said = (fact.finding.method or "").casefold()
    return any(word in said for word in wearable().marks.words)


def apart(fact: Fact) -> Fact:
    """Return a marked fact under a concept that answers no clinical input."""
    own = Concept(
        text=f"{fact.finding.concept.text} (patient's own device)",
        codings=(Coding(system=WEARABLE, code="chart-value"),),
    )
    finding = fact.finding.model_copy(
        update={"concept": own, "flags": (*fact.finding.flags, "wearable")}
    )
    return fact.model_copy(update={"category": Category.WEARABLE, "finding": finding})


def readings(facts: Iterable[Fact], *, zone: str | None) -> Iterator[Reading]:
    """Yield blood pressures and heart rates of marked facts, before they are taken apart."""
    for fact in facts:
        finding, kind = fact.finding, _kind(fact)
        if kind is None or not isinstance(finding.value, Quantity) or not finding.evidence:
            continue
        if finding.value.unit != _UNITS[kind]:
            continue
        place = finding.evidence[0]
        yield Reading(
            kind=kind,
            value=finding.value.value,
            time=finding.time,
            wall=_wall(finding.time, zone),
            device=finding.method or "",
            file=place.file if hasattr(place, "file") else "",
            place=describe(place),
        )


def _kind(fact: Fact) -> Kind | None:
    for coding in fact.finding.concept.codings:
        if coding.system == ANALYTE and coding.code in _KINDS:
            return _KINDS[coding.code]
    return None


def _wall(time: ClinicalTime | None, zone: str | None) -> datetime | None:
    """Return a time on the clock of the case's zone; None where that is not known."""
    if time is None or time.precision not in (Precision.MINUTE, Precision.SECOND):
        return None
    if time.at.tzinfo is None:
        return time.at
    return None if zone is None else time.at.astimezone(load_zone(zone)).replace(tzinfo=None)
