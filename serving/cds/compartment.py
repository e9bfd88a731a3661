"""One patient: every resource and order is compared with the patient of the call before use.

A resource of another patient refuses the whole call: nothing of it is combined. So does one that
does not say whose it is; a chart that mixes patients once may do so twice.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from knowledge.errors import IdentityConflictError
from knowledge.plain_text import visible
from serving.access.compartment import fhir_base
from serving.cds.page import USED
from tools.intake.fhir.searchset import OF_NOBODY

_OF_A_PATIENT = (USED - OF_NOBODY) | {
    "ServiceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "VisionPrescription",
    "DeviceRequest",
}


def check_patient(resources: Sequence[dict[str, Any]], patient: str, server: str | None) -> None:
    """Refuse resources that are not shown to be of one patient.

    Args:
        resources: Everything that was sent or fetched.
        patient: Id of the patient of the call.
        server: Base address of the client's FHIR server, where it was named.

    Raises:
        IdentityConflictError: Names types and positions, never values.
    """
    wrong = [
        f"{_type_of(resource)} {place}"
        for place, resource in enumerate(resources, start=1)
        if not _is_of(resource, patient, server)
    ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise IdentityConflictError(
            "prefetch",
            f"holds what is not shown to be of the patient of this call: {', '.join(wrong[:5])}"
            + more,
            "the EHR sends one patient's data; nothing was combined",
        )


def has_patient(resources: Iterable[dict[str, Any]]) -> bool:
    """Return whether the Patient resource is there: without it whose data they are is not shown."""
    return any(resource.get("resourceType") == "Patient" for resource in resources)


def _is_of(resource: dict[str, Any], patient: str, server: str | None) -> bool:
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        return False
    if kind == "Patient":
        return resource.get("id") == patient
    subjects = [resource[name] for name in ("subject", "patient", "for") if name in resource]
    if not subjects:
        return kind not in _OF_A_PATIENT
    return all(_means(subject, patient, server) for subject in subjects) and all(
        _is_of(inner, patient, server) for inner in _contained(resource)
    )


def _type_of(resource: dict[str, Any]) -> str:
    kind = resource.get("resourceType")
    return visible(kind)[:40] if isinstance(kind, str) else "a resource without a type"


def _contained(resource: dict[str, Any]) -> list[dict[str, Any]]:
    inner = resource.get("contained")
    if not isinstance(inner, list):
        return []
    return [
        one
        for one in inner
        if isinstance(one, dict)
        and isinstance(one.get("resourceType"), str)
        and ("subject" in one or "patient" in one)
    ]


def _means(subject: Any, patient: str, server: str | None) -> bool:
    """Return whether a reference is to the patient: relative, or absolute on the same server."""
    text = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(text, str):
        return False
    text = text.partition("/_history/")[0]
    if text == f"Patient/{patient}":
        return True
    base, slash, identity = text.rpartition("/Patient/")
    return (
        server is not None
        and bool(slash)
        and identity == patient
        and fhir_base(base) == fhir_base(server)
    )
