"""One page of a search, taken apart; nothing in it is trusted."""

from typing import Any
from urllib.parse import urljoin, urlsplit

from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.fhir_in.subject import belongs, same_server
from serving.fhir_in.wanted import Wanted

_LONGEST = 200
_LONGEST_URL = 4000
_ERRORS = ("error", "fatal")


class Page(Frozen):
    """What a page holds.

    Args:
        entries: Bundle entries that are of the patient, with their full address.
        total: How many the server says there are.
        next: Address of the following page.
        problems: What of it could not be taken, and why.
    """

    entries: tuple[dict[str, Any], ...] = ()
    total: int | None = None
    next: str | None = None
    problems: tuple[str, ...] = ()


def read_page(answer: Any, wanted: Wanted, *, base: str, patient: str) -> Page:
    """Return what is on a page of a search.

    Args:
        answer: JSON as it came.
        wanted: What was asked for.
        base: Base address of the server.
        patient: Id of the patient.

    Raises:
        IdentityConflictError: Something on it is of another patient.
    """
    if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle":
        return Page(problems=(_refusal(answer) or "the answer is not a search result",))
    raw = answer.get("entry", [])
    if not isinstance(raw, list):
        return Page(problems=("the answer has no list of entries",))
    entries: list[dict[str, Any]] = []
    problems: list[str] = []
    for entry in raw:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            problems.append("an entry without a resource")
            continue
        kept, problem = _judge(resource, wanted, base=base, patient=patient)
        if problem:
            problems.append(problem)
        if kept:
            entries.append({"fullUrl": _address(resource, base), "resource": resource})
    following, refused = _next(answer, base)
    if refused:
        problems.append(refused)
    total = answer.get("total")
    return Page(
        entries=tuple(entries),
        total=total if type(total) is int and total >= 0 else None,
        next=following,
        problems=tuple(dict.fromkeys(problems)),
    )


def _judge(
    resource: dict[str, Any], wanted: Wanted, *, base: str, patient: str
) -> tuple[bool, str]:
    """Return whether a resource is taken, and what is wrong with it."""
    kind = resource["resourceType"]
    if kind == "OperationOutcome":
        return False, _refusal(resource)
    if kind in wanted.included:
        return isinstance(resource.get("id"), str), ""
    if kind != wanted.type:
        return False, f"a {visible(kind)[:64]}, which was not asked for, was left out"
    if not isinstance(resource.get("id"), str):
        return False, "a resource without an id was left out"
    if belongs(resource, base=base, patient=patient) == "unknown":
        return False, "a resource that does not name its patient by reference was left out"
    return True, ""


def _refusal(answer: Any) -> str:
    """Return the errors an OperationOutcome reports; empty where it reports none."""
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
        return ""
    issues = answer.get("issue")
    codes = [
        visible(str(issue.get("code", "")))[:_LONGEST] or "no code"
        for issue in (issues if isinstance(issues, list) else ())
        if isinstance(issue, dict) and issue.get("severity") in _ERRORS
    ]
    return f"the server reports an error ({', '.join(codes[:3])})" if codes else ""


def _next(answer: dict[str, Any], base: str) -> tuple[str | None, str]:
    """Return the address of the next page, or why it is not followed."""
    links = answer.get("link")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("relation") != "next":
            continue
        url = link.get("url")
        if not isinstance(url, str) or not url or len(url) > _LONGEST_URL:
            return None, "the next page has no usable address and was not read"
        whole = urljoin(f"{base}/", url)
        if not same_server(whole, base):
            return None, "the next page is at another server and was not read"
        own = urlsplit(base)
        return urlsplit(whole)._replace(scheme=own.scheme, netloc=own.netloc).geturl(), ""
    return None, ""


def _address(resource: dict[str, Any], base: str) -> str:
    return f"{base}/{resource['resourceType']}/{resource.get('id', '')}"
