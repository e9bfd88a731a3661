"""One prefetch value taken apart: a resource, a page of a search, an error, or no data."""

from datetime import datetime, timedelta
from typing import Any, Literal

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InputError
from knowledge.model import Frozen
from knowledge.pathways import pathway
from knowledge.plain_text import visible
from serving.cds.discovery import PREFETCH, Wanted
from tools.intake.fhir.chart import READ
from tools.intake.fhir.searchset import (
    NOT_OF_A_PATIENT,
    fewer,
    names_of,
    reported,
    take_apart,
)

_DATES = ("effectiveDateTime", "effectiveInstant", "issued", "authoredOn", "recordedDate")
_PERIODS = ("effectivePeriod", "period", "performedPeriod")
_FURTHER = "has further pages that were not sent"

USED = READ | {kind for wanted in PREFETCH.values() for kind in wanted.types}
"""Types that an assessment reads: used under whatever key they were sent."""


class Page(Frozen):
    """What a key holds.

    Args:
        kind: ``whole`` (all there is), ``partial`` (not all there is, or not known to be), ``none``
            (the client has no data), ``error`` (the client could not get them).
        resources: What is there that an assessment reads.
        beside: What else is there: of no use, but of this patient or of nobody.
        next: Address of the next page, where there is one that is needed.
        reason: Why it is not whole.
        problems: Of the reasons those that the next page does not mend.
        total: How many match on all pages together, as the server says.
        matches: Names of those on this page.
        enough: Whether the pages after it are of no use, however many there are.
    """

    kind: Literal["whole", "partial", "none", "error"]
    resources: tuple[dict[str, Any], ...] = ()
    beside: tuple[dict[str, Any], ...] = ()
    next: str | None = None
    reason: str = ""
    problems: tuple[str, ...] = ()
    total: int | None = None
    matches: frozenset[str] = frozenset()
    enough: bool = False


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
        return _failed("is not a FHIR resource")
    kind = value["resourceType"]
    if kind == "OperationOutcome":
        return _failed(reported(value) or "holds a message in place of data")
    if kind == "Bundle":
        return _bundle(value, wanted, now)
    if kind not in wanted.types:
        return _failed(f"is a {visible(kind)[:64]}, which was not asked for", beside=(value,))
    if wanted.is_read:
        return Page(kind="whole", resources=(value,))
    return _partial((value,), (), ("is one resource, and no search result",))


def _bundle(bundle: dict[str, Any], wanted: Wanted, now: datetime) -> Page:
    page = take_apart(bundle)
    used = tuple(r for r in page.resources if r["resourceType"] in USED)
    beside = tuple(r for r in page.resources if r["resourceType"] not in USED)
    unread = {r["resourceType"] for r in beside} - NOT_OF_A_PATIENT
    problems = (
        *page.problems,
        *(f"holds a {visible(kind)[:64]}, which is not read here" for kind in sorted(unread)),
    )
    own = [r for r in page.matches if r["resourceType"] in wanted.types]
    if page.failed:
        return _failed("; ".join(problems), resources=used, beside=beside)
    paged = page.next is not None
    enough = paged and wanted.newest_first and _reaches_back(own, now)
    return _partial(
        used,
        beside,
        problems,
        following=None if enough else page.next,
        total=None if enough else page.total,
        matches=frozenset(names_of(own)),
    ).model_copy(update={"enough": enough})


def _failed(
    reason: str,
    *,
    resources: tuple[dict[str, Any], ...] = (),
    beside: tuple[dict[str, Any], ...] = (),
) -> Page:
    return Page(kind="error", resources=resources, beside=beside, reason=reason, problems=(reason,))


def _partial(
    resources: tuple[dict[str, Any], ...],
    beside: tuple[dict[str, Any], ...],
    problems: tuple[str, ...],
    *,
    following: str | None = None,
    total: int | None = None,
    matches: frozenset[str] = frozenset(),
) -> Page:
    """Return a page, whole where nothing says otherwise."""
    further = _FURTHER if following is not None else fewer(total, len(matches))
    reasons = [reason for reason in (*problems, further) if reason]
    return Page(
        kind="partial" if reasons else "whole",
        resources=resources,
        beside=beside,
        next=following,
        reason="; ".join(reasons),
        problems=problems,
        total=total,
        matches=matches,
    )


def joined(pages: list[Page], *, unread: str) -> Page:
    """Return the pages of one search as one.

    Args:
        pages: In order.
        unread: Why the pages after them were not read; empty where there are none.
    """
    stated = [page.total for page in pages if page.total is not None]
    matches = frozenset[str]().union(*(page.matches for page in pages))
    problems = [problem for page in pages for problem in page.problems]
    if unread:
        problems.append(unread)
    elif not any(page.enough for page in pages):
        problems.append(fewer(max(stated, default=None), len(matches)))
    reasons = [reason for reason in dict.fromkeys(problems) if reason]
    failed = any(page.kind == "error" for page in pages)
    return Page(
        kind="error" if failed else "partial" if reasons else "whole",
        resources=tuple(r for page in pages for r in page.resources),
        beside=tuple(r for page in pages for r in page.beside),
        reason="; ".join(reasons),
        problems=tuple(reasons),
    )


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
