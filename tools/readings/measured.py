"""What is computed of a reading's own numbers: bone age less age, volumes against a norm."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, State, Why
from knowledge.quantity import format_number
from knowledge.reading_form import reading_form
from tools.readings.brain_norm import BrainNorm, Person, Scanner, scored
from tools.readings.model import NOBODY, Reading, Said, Stated
from tools.readings.versions import edited

BONE_AGE, BONE_AGE_VERSION = "bone age difference", "1"
VOLUMES, VOLUMES_VERSION = "brain volumes against norm", "1"


def with_bone_age(reading: Reading, *, at: AwareDatetime) -> Reading:
    """Return the next version of a bone age reading with difference and standard deviations.

    Args:
        reading: Of the form `bone_age`.
        at: When it is computed.

    Raises:
        ContractError: Another form.
    """
    _of(reading, "bone_age")
    said = Said(by="measurement", who=f"{BONE_AGE} {BONE_AGE_VERSION}", at=at)
    bone, age = _number(reading, "assessed_bone_age"), _number(reading, "chronological_age")
    sd = _number(reading, "reference_sd")
    difference = None if bone is None or age is None else round(bone - age, 3)
    lacking = "the bone age or the age is not assessed"
    changes = {"difference": _stated(difference, "mo", said, lacking)}
    z = None if difference is None or sd is None else round(difference / sd, 3)
    lacking = lacking if difference is None else "no standard deviation of the method was given"
    changes["difference_sd"] = _stated(z, "1", said, lacking)
    return edited(reading, changes, by=said)


def with_norm(reading: Reading, norm: BrainNorm, scanner: Scanner, *, at: AwareDatetime) -> Reading:
    """Return the next version of a volumetry with z-scores and percentiles against a norm.

    Args:
        reading: Of the form `brain_volumetry`; age and sex stand in its subject.
        norm: Of the site.
        scanner: How the volumes were measured.
        at: When it is computed.

    Raises:
        ContractError: Another form.
    """
    _of(reading, "brain_volumetry")
    said = Said(by="measurement", who=f"{VOLUMES} {VOLUMES_VERSION}, {norm.id}"[:200], at=at)
    items = reading_form(reading.form).items
    structures = [name for name in items if f"{name}_z" in items]
    volumes = {name: _number(reading, name) for name in structures}
    given = {name: volume for name, volume in volumes.items() if volume is not None}
    person = Person(
        age_years=reading.subject.age_years,
        sex=reading.subject.sex,
        icv_ml=_number(reading, "icv"),
    )
    found = {s.structure: s for s in scored(norm, given, person=person, scanner=scanner)}
    changes: dict[str, Stated] = {}
    for name in structures:
        score = found.get(name)
        why = score.not_assessed if score is not None else None
        missing = why or NotAssessed(why=Why.DEPENDS, detail="the volume is not assessed")
        for key, number, unit in (
            ("z", score.z if score else None, "1"),
            ("percentile", score.percentile if score else None, "%"),
        ):
            changes[f"{name}_{key}"] = _said(number, unit, said, missing)
    return edited(reading, changes, by=said)


def _of(reading: Reading, form: str) -> None:
    if reading.form != form:
        raise ContractError(f"reading {reading.id}", f"is a {reading.form}", f"give a {form}")


def _number(reading: Reading, item: str) -> float | None:
    items: Mapping[str, Stated] = reading.items
    return items.get(item, NOBODY).number


def _stated(number: float | None, unit: str, said: Said, lacking: str) -> Stated:
    return _said(number, unit, said, NotAssessed(why=Why.DEPENDS, detail=lacking))


def _said(number: float | None, unit: str, said: Said, missing: NotAssessed) -> Stated:
    if number is None:
        return Stated(state=State.NOT_ASSESSED, not_assessed=missing, said=said)
    return Stated(state=State.PRESENT, number=float(format_number(number)), unit=unit, said=said)
