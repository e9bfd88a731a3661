"""Age and sex from the patient's identity."""

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, age_years
from knowledge.finding import Finding, State
from knowledge.patient import Patient
from knowledge.quantity import Choice, measured


def from_demographics(input_id: str, patient: Patient, *, at: ClinicalTime) -> Finding | None:
    """Return age (completed years at `at`) or sex, or None where the identity does not tell."""
    if not patient.evidence:
        return None
    if input_id == "age_years" and patient.birth_date is not None:
        return Finding(
            concept=catalogue().concept(input_id),
            state=State.PRESENT,
            value=measured(age_years(patient.birth_date, at), "a"),
            evidence=patient.evidence,
        )
    if input_id == "sex" and patient.sex is not None:
        return Finding(
            concept=catalogue().concept(input_id),
            state=State.PRESENT,
            value=Choice(choice=patient.sex),
            evidence=patient.evidence,
        )
    return None
