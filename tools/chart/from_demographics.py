"""Age and sex from the patient's identity."""

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, Precision, age_years
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.patient import Patient
from knowledge.quantity import Choice, measured
from knowledge.troponin import pathways

_IN_DAYS = 60
"""Below it an age is told in days."""
_IN_MONTHS = 24
"""Below it, in months, an age is told in months."""


def from_demographics(input_id: str, patient: Patient, *, at: ClinicalTime) -> Finding | None:
    """Return age (completed years at `at`) or sex, or None where the identity does not tell."""
    if not patient.evidence:
        return None
    if input_id == "age_years" and patient.birth_date is not None:
        return _age(patient, patient.birth_date, at)
    if input_id == "sex" and patient.sex is not None:
        return Finding(
            concept=catalogue().concept(input_id),
            state=State.PRESENT,
            value=Choice(choice=patient.sex),
            evidence=patient.evidence,
        )
    return None


def recorded(input_id: str, patient: Patient, *, at: ClinicalTime) -> Finding | None:
    """Return what the record says of an input, to compare an answer with; None where it is silent.

    Unlike `from_demographics` it gives the age also where it is open whether that is an adult's.
    """
    found = from_demographics(input_id, patient, at=at)
    if found is None or found.state is State.PRESENT or patient.birth_date is None:
        return found
    return Finding(
        concept=found.concept,
        state=State.PRESENT,
        value=measured(age_years(patient.birth_date, at), "a"),
        evidence=found.evidence,
    )


def _age(patient: Patient, born: ClinicalTime, at: ClinicalTime) -> Finding:
    """Return the age; not assessed where it is not known whether the patient is an adult.

    Every rule here is for adults, so that "17 or 18" is an open question and not a number.
    """
    concept = catalogue().concept("age_years")
    years = age_years(born, at)
    limit = pathways().adult_from_years.value
    if years.compare("ge", limit) is None:
        detail = (
            f"{years.low:g} to {years.high:g} years by the date of birth: " if years.low else ""
        )
        return not_assessed(
            concept,
            Why.OUTSIDE_CONTRACT,
            f"{detail}whether the patient is {limit:g} is not known",
            evidence=patient.evidence,
        )
    return Finding(
        concept=concept,
        state=State.PRESENT,
        value=measured(years, "a"),
        reported=young_age(born, at),
        evidence=patient.evidence,
    )


def young_age(born: ClinicalTime, at: ClinicalTime) -> str | None:
    """Return the age in days or months by the calendar; None from two years or without the day.

    Examples:
        >>> from knowledge.clinical_time import parse_fhir
        >>> at = parse_fhir("2026-11-20T10:00:00Z", clock="chart")
        >>> [young_age(parse_fhir(d, clock="chart"), at) for d in ("2026-11-15", "2025-10-21")]
        ['5 days', '12 months']
    """
    if born.precision in (Precision.YEAR, Precision.MONTH):
        return None
    first, last = born.at.date(), at.at.date()
    days = (last - first).days
    months = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    if days < 0 or months >= _IN_MONTHS:
        return None
    if days < _IN_DAYS:
        return f"{days} day{'' if days == 1 else 's'}"
    return f"{months} month{'' if months == 1 else 's'}"
