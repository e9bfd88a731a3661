"""Whether a resource is of the patient that was asked for: an ignored filter must not fuse two."""

from typing import Any, Literal
from urllib.parse import urlsplit

from knowledge.errors import IdentityConflictError
from serving.access.compartment import fhir_base

Belongs = Literal["yes", "unknown"]

_PORTS = {"http": 80, "https": 443}


def belongs(resource: dict[str, Any], *, base: str, patient: str) -> Belongs:
    """Return whether a resource is of the patient; "unknown" where it does not say by reference.

    Args:
        resource: As it came.
        base: Base address of the server.
        patient: Id that was asked for.

    Raises:
        IdentityConflictError: It is of another patient.
    """
    kind = resource["resourceType"]
    if kind == "Patient":
        if resource.get("id") == patient:
            return "yes"
        raise _conflict(kind)
    subject = resource.get("subject", resource.get("patient"))
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str) or not reference:
        return "unknown"
    named = _patient_of(reference, base)
    if named is None:
        return "unknown"
    if named != patient:
        raise _conflict(kind)
    return "yes"


def same_server(url: str, base: str) -> bool:
    """Return whether an address is of the server: host and port alike, http taken as https."""
    one, other = urlsplit(url), urlsplit(base)
    try:
        return _place(one.hostname, one.port, one.scheme) == _place(
            other.hostname, other.port, other.scheme
        )
    except ValueError:
        return False


def _place(host: str | None, port: int | None, scheme: str) -> tuple[str, int | None]:
    usual = port is None or port == _PORTS.get(scheme)
    return (host or "").lower().rstrip("."), None if usual else port


def _patient_of(reference: str, base: str) -> str | None:
    """Return the id of the patient a reference names; None for one that names none here.

    A patient of another server is another patient: what is not shown to be the same is not fused.
    """
    bare = reference.split("/_history/")[0].split("?")[0].rstrip("/")
    if "://" in bare:
        server, _, place = bare.rpartition("/Patient/")
        if not place:
            return None
        return place if _same_base(server, base) else f"{server}/{place}"
    kind, _, place = bare.rpartition("/")
    return place if kind == "Patient" and place else None


def _same_base(server: str, base: str) -> bool:
    paths = (urlsplit(fhir_base(url)).path for url in (server, base))
    return same_server(server, base) and len(set(paths)) == 1


def _conflict(kind: str) -> IdentityConflictError:
    return IdentityConflictError(
        f"FHIR server: {kind}",
        "the server answered with data of another patient; nothing was taken",
        "ask the operator of the server; do not combine by hand",
    )
