"""Which server a resource or a reference is of, as far as its absolute URL tells."""

from urllib.parse import urlsplit

from tools.intake.fhir.bundle import Entry

_PORTS = (":80", ":443")


def server_of(entry: Entry) -> str | None:
    """Return the server a resource stands on by its ``fullUrl``; None where it does not tell."""
    return None if entry.full_url is None else server_in(entry.full_url, entry.type)


def server_in(url: str, kind: str) -> str | None:
    """Return the base of an absolute URL of one type, without its scheme; None for another URL.

    Host names are compared without case, and ``http`` with ``https``: one server answers to both.

    Examples:
        >>> server_in("https://EHR.example:443/fhir/Patient/7/_history/2", "Patient")
        'ehr.example/fhir'
        >>> server_in("Patient/7", "Patient"), server_in("urn:uuid:7", "Patient")
        (None, None)
    """
    if not url.lower().startswith(("http://", "https://")):
        return None
    base, found, _ = url.partition("/_history/")[0].rpartition(f"/{kind}/")
    if not found:
        return None
    try:
        parts = urlsplit(base)
    except ValueError:
        return base
    host = parts.netloc.lower()
    for port in _PORTS:
        host = host.removesuffix(port)
    return host + parts.path.rstrip("/")
