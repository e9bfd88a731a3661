"""One prefetch value taken apart: a resource, a page of a search, an error, or no data."""

from datetime import datetime, timedelta
from typing import Any, Literal

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InputError
from knowledge.model import Frozen
from knowledge.pathways import pathway
from knowledge.plain_text import visible
from serving.cds.discovery import Wanted

_DATES = ("effectiveDateTime", "effectiveInstant", "issued", "authoredOn", "recordedDate")
_PERIODS = ("effectivePeriod", "period", "performedPeriod")
_LONGEST_URL = 4000


class Page(Frozen):
    """What a key holds.

    Args:
        kind: ``whole`` (all there is), ``partial`` (more on further pages, or not what was asked
            for), ``none`` (the client has no data), ``error`` (the client could not get them).
        resources: What is there.
        next: Address of the next page, where there is one.
        reason: Why it is not whole.
    """

    kind: Literal["whole", "partial", "none", "error"]
    resources: tuple[dict[str, Any], ...] = ()
    next: str | None = None
    reason: str = ""


def read_page(value: Any, wanted: Wanted, *, now: datetime) -> Page:
    """Return what one value holds.

    Args:
        value: As sent or fetched: null, a resource, a search Bundle, an OperationOutcome.
        wanted: What was asked for.
        now: The current moment.
    """
    if value is None:
        return Page(kind="none")
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        return Page(kind="error", reason="is not a FHIR resource")
    kind = value["resourceType"]
    if kind == "OperationOutcome":
        return Page(kind="error", reason=f"the EHR reports an error{_code(value)}")
    if kind in wanted.types:
        return Page(kind="whole", resources=(value,))
    if kind == "Bundle":
        return _bundle(value, wanted, now)
    return Page(kind="error", reason=f"is a {visible(kind)[:64]}, which was not asked for")


def _bundle(bundle: dict[str, Any], wanted: Wanted, now: datetime) -> Page:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        return Page(kind="error", reason="has no list of entries")
    found: list[dict[str, Any]] = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            return Page(kind="error", reason="has an entry without a resource")
        if resource["resourceType"] == "OperationOutcome":
            if _is_failure(resource):
                return Page(kind="error", reason=f"the EHR reports an error{_code(resource)}")
        elif resource["resourceType"] in wanted.types:
            found.append(resource)
        # what was included beside is of no use here, and is left out
    following = _next(bundle)
    if following is None:
        return Page(kind="whole", resources=tuple(found))
    if wanted.newest_first and _reaches_back(found, now):
        return Page(kind="whole", resources=tuple(found))
    return Page(
        kind="partial",
        resources=tuple(found),
        next=following,
        reason="has further pages that were not sent",
    )


def _next(bundle: dict[str, Any]) -> str | None:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return url[:_LONGEST_URL] if isinstance(url, str) else ""
    return None


def _reaches_back(resources: list[dict[str, Any]], now: datetime) -> bool:
    """Return whether a page is sorted, newest first, and ends before this presentation began.

    What then stands on later pages is older than anything that an assessment of now reads as new.
    """
    times: list[datetime] = []
    for resource in resources:
        at = time_of(resource)
        if at is None:
            return False
        times.append(at)
    if not times or times != sorted(times, reverse=True):
        return False
    window = timedelta(hours=pathway("chest_pain").episode.explained_hours)
    return times[-1] < now - window


def time_of(resource: dict[str, Any]) -> datetime | None:
    """Return when a resource is of, zoned; None where it does not tell to the minute."""
    texts = [resource.get(name) for name in _DATES]
    texts += [p.get("start") for name in _PERIODS if isinstance(p := resource.get(name), dict)]
    text = next((t for t in texts if isinstance(t, str)), None)
    if text is None:
        return None
    try:
        at = parse_fhir(text, clock="prefetch")
    except InputError:
        return None
    return at.at if at.at.tzinfo is not None else None


def _is_failure(outcome: dict[str, Any]) -> bool:
    issues = outcome.get("issue")
    return any(
        isinstance(issue, dict) and issue.get("severity") in ("error", "fatal")
        for issue in (issues if isinstance(issues, list) else [])
    )


def _code(outcome: dict[str, Any]) -> str:
    """Return the code of an outcome, never its free text: that may be of a patient."""
    issues = outcome.get("issue")
    first = issues[0] if isinstance(issues, list) and issues else None
    code = first.get("code") if isinstance(first, dict) else None
    return f" ({visible(code)[:40]})" if isinstance(code, str) and code.isascii() else ""
