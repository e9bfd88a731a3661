"""Whose data: one text that names a patient of a FHIR server, the same wherever it is made."""

import re
from urllib.parse import urlsplit, urlunsplit

from knowledge.errors import InvalidValueError

_PORTS = {"http": 80, "https": 443}
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""FHIR R4, data type id."""


def fhir_base(address: str) -> str:
    """Return the base address of a FHIR server as it is compared: one server has one.

    RFC 3986, 6.2.2 and 6.2.3: scheme and host in lower case, without the scheme's own port; and
    without a slash at the end. What is no http address stays as it is.

    Examples:
        >>> fhir_base("HTTPS://EHR.example:443/fhir/")
        'https://ehr.example/fhir'
        >>> fhir_base("https://ehr.example:8443/FHIR")
        'https://ehr.example:8443/FHIR'
    """
    text = address.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    if parts.scheme not in _PORTS or not parts.hostname:
        return text
    host = parts.hostname.rstrip(".")
    user, at, _ = parts.netloc.rpartition("@")
    named = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return urlunsplit(parts._replace(netloc=f"{user}{at}{named}{shown}")).rstrip("/")


def normal(compartment: str) -> str:
    """Return a compartment with its server's address as it is compared.

    Examples:
        >>> normal("https://EHR.example/fhir/|Patient/1")
        'https://ehr.example/fhir|Patient/1'
    """
    base, bar, relative = compartment.partition("|")
    return f"{fhir_base(base)}{bar}{relative}" if bar else compartment


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
