"""One page of a search, taken apart; nothing in it is trusted."""

from typing import Any
from urllib.parse import urljoin, urlsplit

from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.fhir_in.subject import belongs, same_server
from serving.fhir_in.wanted import SEARCHES, Wanted
from tools.intake.fhir.chart import READ
from tools.intake.fhir.searchset import NOT_OF_A_PATIENT, OF_NOBODY, names_of, take_apart

TAKEN = READ | {wanted.type for wanted in SEARCHES}
"""Types that are taken under whatever search they came."""


class Page(Frozen):
    """What a page holds.

    Args:
        entries: Bundle entries that are of the patient, with their full address.
        matches: Names of the resources that were asked for, among everything on it.
        total: How many the server says there are.
        next: Address of the following page.
        problems: What of it could not be taken, and why.
    """

    entries: tuple[dict[str, Any], ...] = ()
    matches: frozenset[str] = frozenset()
    total: int | None = None
    next: str | None = None
    problems: tuple[str, ...] = ()


def read_page(answer: Any, wanted: Wanted, *, base: str, patient: str) -> Page:
    """Return what is on a page of a search.

    Whose it is is asked of everything on it, also of what is not used.

    Args:
        answer: JSON as it came.
        wanted: What was asked for.
        base: Base address of the server.
        patient: Id of the patient.

    Raises:
        IdentityConflictError: Something on it is of another patient.
    """
    page = take_apart(answer)
    entries: list[dict[str, Any]] = []
    problems = list(page.problems)
    for resource in page.resources:
        kept, problem = _judge(resource, base=base, patient=patient)
        if problem:
            problems.append(problem)
        if kept:
            entries.append({"fullUrl": _address(resource, base), "resource": resource})
    following, refused = _next(page.next, base)
    problems.append(refused)
    return Page(
        entries=tuple(entries),
        matches=frozenset(names_of(r for r in page.matches if r["resourceType"] == wanted.type)),
        total=page.total,
        next=following,
        problems=tuple(dict.fromkeys(p for p in problems if p)),
    )


def _judge(resource: dict[str, Any], *, base: str, patient: str) -> tuple[bool, str]:
    """Return whether a resource is taken, and what is wrong with it."""
    kind = resource["resourceType"]
    whose = belongs(resource, base=base, patient=patient)
    if kind in NOT_OF_A_PATIENT:
        return False, ""
    if kind not in TAKEN:
        return False, f"a {visible(kind)[:64]}, which is not read here, was left out"
    if not isinstance(resource.get("id"), str):
        return False, "a resource without an id was left out"
    if whose == "unknown" and kind not in OF_NOBODY:
        return False, "a resource that does not name its patient by reference was left out"
    return True, ""


def _next(url: str | None, base: str) -> tuple[str | None, str]:
    """Return the address of the next page, or why it is not followed."""
    if url is None:
        return None, ""
    whole = urljoin(f"{base}/", url)
    if not same_server(whole, base):
        return None, "the next page is at another server and was not read"
    own = urlsplit(base)
    return urlsplit(whole)._replace(scheme=own.scheme, netloc=own.netloc).geturl(), ""


def _address(resource: dict[str, Any], base: str) -> str:
    return f"{base}/{resource['resourceType']}/{resource.get('id', '')}"
