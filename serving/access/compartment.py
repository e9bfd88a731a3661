"""Whose data: one text that names a patient of a FHIR server, the same wherever it is made."""

import re

from knowledge.errors import InvalidValueError

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""FHIR R4, data type id."""


def fhir_base(address: str) -> str:
    """Return the base address of a FHIR server as it is compared: without a slash at its end.

    Examples:
        >>> fhir_base("https://ehr.example/fhir/")
        'https://ehr.example/fhir'
    """
    return address.strip().rstrip("/")


def patient_compartment(base: str, patient: str) -> str:
    """Return `Case.patient` for a patient of a FHIR server.

    Args:
        base: Base address of the server.
        patient: FHIR id.

    Raises:
        InvalidValueError: The id is none.

    Examples:
        >>> patient_compartment("https://ehr.example/fhir/", "pt-1")
        'https://ehr.example/fhir|Patient/pt-1'
    """
    return f"{fhir_base(base)}|Patient/{fhir_id(patient)}"


def encounter_compartment(base: str, encounter: str) -> str:
    """Return `Case.encounter` for an encounter of a FHIR server.

    Raises:
        InvalidValueError: The id is none.
    """
    return f"{fhir_base(base)}|Encounter/{fhir_id(encounter)}"


def fhir_id(text: object) -> str:
    """Return a FHIR id as it is.

    Raises:
        InvalidValueError: It is none.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise InvalidValueError("id", "is no FHIR id", "letters, digits, '-' and '.', at most 64")
    return text
