"""A search result of a FHIR server taken apart, with every sign that it is not all there is.

What a server leaves out looks like what a patient does not have. So whatever says that something is
missing (a further page, a total that was not reached, an OperationOutcome of any severity) is kept
as a problem, and what cannot be read is one too. FHIR R4 3.1.1.4 (search outcome), 3.1.1.5.1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from knowledge.plain_text import visible

NOTHING_LOST = frozenset(
    {
        "business-rule",
        "code-invalid",
        "deleted",
        "duplicate",
        "extension",
        "informational",
        "invalid",
        "invariant",
        "limited-filter",
        "not-found",
        "not-supported",
        "processing",
        "required",
        "structure",
        "success",
        "value",
    }
)
"""Codes of an issue (FHIR R4 and R5 IssueType) that, as a warning or information, do not say that
data were left out: a parameter that is not supported makes a result larger, not smaller. Every
other code does, above all ``suppressed``, ``incomplete``, ``throttled``, ``too-costly`` and
``forbidden``, and so does one that is not in the standard."""

NOT_OF_A_PATIENT = frozenset(
    {
        "Endpoint",
        "HealthcareService",
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
    }
)
"""Types that say nothing of a patient's health; what else is not read is
said to be unread."""

OF_NOBODY = frozenset({"Device", "Medication", "Specimen"})
"""Types that need not say whose they are: others point at them."""

HINTS = frozenset({"warning", "information", "success"})
"""Severities below an error (FHIR R4 and R5 IssueSeverity)."""

_LONGEST = 40
_LONGEST_URL = 4000
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPage:
    """What one page of a search holds.

    Args:
        resources: Every resource on it other than an OperationOutcome.
        matches: Those that match the search: the others were included beside.
        total: How many match on all pages together, as the server says; None where it does not.
        next: Address of the following page, as written; None where there is none that can be used.
        problems: Why it may not be all there is, or what on it cannot be read; without its words.
        failed: Whether the server reports an error.
    """

    resources: tuple[dict[str, Any], ...] = ()
    matches: tuple[dict[str, Any], ...] = ()
    total: int | None = None
    next: str | None = None
    problems: tuple[str, ...] = ()
    failed: bool = False


def take_apart(answer: Any) -> SearchPage:
    """Return what an answer to a search holds.

    Examples:
        >>> take_apart({"resourceType": "Bundle", "type": "searchset", "total": 0}).problems
        ()
        >>> take_apart({"resourceType": "Bundle", "type": "history"}).problems
        ('the answer is not a search result',)
    """
    if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle":
        said = reported(answer) if _is_outcome(answer) else ""
        return SearchPage(problems=(said or "the answer is not a search result",), failed=True)
    problems: list[str] = []
    if answer.get("type") != "searchset":
        problems.append("the answer is not a search result")
    entries = answer.get("entry", [])
    if not isinstance(entries, list):
        problems.append("the answer has no list of entries")
        return SearchPage(problems=tuple(problems), failed=True)
    resources: list[dict[str, Any]] = []
    matches: list[dict[str, Any]] = []
    failed = False
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            problems.append("has an entry without a resource")
            failed = True
        elif _is_outcome(resource):
            problems.append(reported(resource))
            failed = failed or _is_error(resource)
        else:
            resources.append(resource)
            if _mode(entry) in ("match", None):
                matches.append(resource)
    total, wrong = _total(answer.get("total"))
    following, unusable = _next(answer.get("link"))
    problems += [wrong, unusable]
    return SearchPage(
        resources=tuple(resources),
        matches=tuple(matches),
        total=total,
        next=following,
        problems=tuple(dict.fromkeys(p for p in problems if p)),
        failed=failed,
    )


def reported(outcome: Mapping[str, Any]) -> str:
    """Return what of an OperationOutcome says that data are missing; empty where nothing does.

    Its code alone is repeated, never its free text: that may be of a patient.

    Examples:
        >>> reported({"issue": [{"severity": "information", "code": "incomplete"}]})
        'the server reports that data are missing (incomplete)'
        >>> reported({"issue": [{"severity": "warning", "code": "not-supported"}]})
        ''
    """
    issues = _issues(outcome)
    telling = [issue for issue in issues if not is_harmless(issue)]
    if issues and not telling:
        return ""
    codes = ", ".join(dict.fromkeys(_code(issue) for issue in telling[:_SHOWN])) or "no code"
    if _is_error(outcome):
        return f"the server reports an error ({codes})"
    return f"the server reports that data are missing ({codes})"


def names_of(resources: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what each resource is counted by: its type and id, else its content."""
    for resource in resources:
        own = resource.get("id")
        if isinstance(own, str) and own:
            yield f"{resource.get('resourceType')}/{own}"
        else:
            yield orjson.dumps(resource, option=orjson.OPT_SORT_KEYS).decode()


def fewer(total: int | None, came: int) -> str:
    """Return what is wrong where fewer came than the server says there are; else nothing."""
    if total is None or came >= total:
        return ""
    return f"the server says there are {total}, and {came} came"


def _is_outcome(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"


def _issues(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the issues; one that cannot be read is one that says nothing harmless."""
    issues = outcome.get("issue")
    return [
        issue if isinstance(issue, dict) else {}
        for issue in (issues if isinstance(issues, list) else [])
    ]


def is_harmless(issue: Mapping[str, Any]) -> bool:
    """Return whether an issue is a hint that does not say that data were left out."""
    severity, code = issue.get("severity"), issue.get("code")
    if not isinstance(severity, str) or not isinstance(code, str):
        return False
    return severity in HINTS and code in NOTHING_LOST


def _is_error(outcome: Mapping[str, Any]) -> bool:
    return any(
        issue.get("severity") not in ("warning", "information", "success")
        for issue in _issues(outcome)
    )


def _code(issue: Mapping[str, Any]) -> str:
    code = issue.get("code")
    return (
        visible(code)[:_LONGEST] if isinstance(code, str) and code.isascii() else ""
    ) or "no code"


def _mode(entry: Mapping[str, Any]) -> str | None:
    """Return why an entry is there; None where it does not say."""
    search = entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    return mode.strip().lower() if isinstance(mode, str) else None


def _total(stated: Any) -> tuple[int | None, str]:
    if stated is None:
        return None, ""
    if type(stated) is not int or stated < 0:
        return None, "the total it states is no number"
    return stated, ""


def _next(links: Any) -> tuple[str | None, str]:
    """Return the address of the following page, and what of the links cannot be read."""
    if links is None:
        return None, ""
    if not isinstance(links, list):
        return None, "its links cannot be read: there may be further pages"
    found: list[str] = []
    for link in links:
        relation = link.get("relation") if isinstance(link, dict) else None
        if not isinstance(relation, str):
            return None, "its links cannot be read: there may be further pages"
        if relation.strip().lower() == "next":
            url = link.get("url")
            if not isinstance(url, str) or not url or len(url) > _LONGEST_URL:
                return None, "the next page has no usable address and was not read"
            found.append(url)
    if len(set(found)) > 1:
        return found[0], "names more than one next page"
    return (found[0] if found else None), ""
