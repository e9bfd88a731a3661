"""The pull of one patient: every search to its last page, and what could not be read said."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from knowledge.errors import EpicrisisError, InputError, UnavailableError
from knowledge.model import Frozen
from serving.access.compartment import fhir_base, fhir_id
from serving.access.errors import NotFoundError
from serving.access.outbound import OutboundError
from serving.fhir_in.page import read_page
from serving.fhir_in.subject import belongs
from serving.fhir_in.wanted import SEARCHES, Wanted

Fetch = Callable[[str], Any]
"""Returns the JSON at an address, as `OutboundClient.get_json` does, the token already in it."""

_WORDS = {
    401: "the token is not accepted (401)",
    403: "the token does not allow it (403)",
    404: "it is not there (404)",
    410: "it was deleted (410)",
    429: "the server asks to slow down (429)",
}


_NOT_OFFERED = frozenset({404, 405, 501})


class Pulled(Frozen):
    """What came.

    Args:
        bundle: A searchset Bundle of everything that is of the patient. What could not be read is
            in it as an OperationOutcome, so that no later reader takes it for complete.
        counts: Resource type to number.
        problems: What could not be read, a sentence each.
        not_offered: Resource types the server has none of for anybody.
    """

    bundle: dict[str, Any]
    counts: dict[str, int]
    problems: tuple[str, ...]
    not_offered: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is read at most.

    Args:
        pages: Pages of one search.
        seconds: All of it together.
    """

    pages: int = 50
    seconds: float = 60.0


@dataclass(kw_only=True)
class _Found:
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    not_offered: list[str] = field(default_factory=list)


def pull_patient(
    fetch: Fetch,
    *,
    base: str,
    patient: str,
    limits: Limits | None = None,
    searches: tuple[Wanted, ...] = SEARCHES,
    timer: Callable[[], float] = time.monotonic,
) -> Pulled:
    """Return everything of one patient that the server gives.

    Args:
        fetch: Reads one address.
        base: FHIR base address.
        patient: Id of the patient there.
        limits: How much at most.
        searches: What to ask for.
        timer: Seconds that only go forward.

    Raises:
        IdentityConflictError: The server answered with another patient's data.
        NotFoundError: It has no such patient.
        UnavailableError: The patient could not be read: nothing was pulled.
        InvalidValueError: The address may not be called, or the id is none.
    """
    base, patient = fhir_base(base), fhir_id(patient)
    within = limits or Limits()
    end = timer() + within.seconds
    person = _patient(fetch, base, patient)
    found = _Found()
    found.entries[f"Patient/{patient}"] = {
        "fullUrl": f"{base}/Patient/{patient}",
        "resource": person,
    }
    for wanted in searches:
        reasons = list(_search(fetch, wanted, found, base, patient, within, lambda: timer() > end))
        found.problems += [f"{wanted.type} could not be read: {reason}" for reason in reasons]
    return _pulled(found)


def _patient(fetch: Fetch, base: str, patient: str) -> dict[str, Any]:
    try:
        person = fetch(f"{base}/Patient/{patient}")
    except OutboundError as error:
        if error.status in (404, 410):
            raise NotFoundError("patient at the FHIR server") from error
        if error.status == 401:
            raise UnavailableError(
                "FHIR server", _WORDS[401], "launch again from the EHR; nothing was pulled"
            ) from error
        raise UnavailableError(
            "FHIR server", f"Patient could not be read: {_words(error)}", "nothing was pulled"
        ) from error
    if not isinstance(person, dict) or person.get("resourceType") != "Patient":
        raise UnavailableError(
            "FHIR server", "Patient could not be read: the answer is none", "nothing was pulled"
        )
    belongs(person, base=base, patient=patient)
    return person


def _search(
    fetch: Fetch,
    wanted: Wanted,
    found: _Found,
    base: str,
    patient: str,
    limits: Limits,
    is_late: Callable[[], bool],
) -> Iterator[str]:
    """Add one search to `found`, page by page, and yield what of it could not be read."""
    url: str | None = f"{base}/{wanted.path(patient)}"
    seen: set[str] = set()
    matches: set[str] = set()
    total: int | None = None
    while url is not None:
        stop = _why_stop(url, seen, limits, is_late=is_late())
        if stop:
            yield stop
            return
        seen.add(url)
        try:
            page = read_page(fetch(url), wanted, base=base, patient=patient)
        except (UnavailableError, InputError) as error:
            if _is_not_offered(error) and len(seen) == 1:
                found.not_offered.append(wanted.type)
            else:
                yield f"{_words(error)}; pages read before: {len(seen) - 1}"
            return
        yield from page.problems
        for entry in page.entries:
            key = entry["fullUrl"].removeprefix(f"{base}/")
            found.entries[key] = entry
            if entry["resource"]["resourceType"] == wanted.type:
                matches.add(key)
        total = page.total if page.total is not None else total
        url = page.next
    if total is not None and len(matches) < total:
        yield f"the server says there are {total}, and {len(matches)} came"


def _why_stop(url: str, seen: set[str], limits: Limits, *, is_late: bool) -> str:
    """Return why no further page is read; empty where it is."""
    if url in seen:
        return "the pages lead back to one that was read"
    if len(seen) >= limits.pages:
        return f"more than {limits.pages} pages; the rest was not read"
    if is_late:
        return f"no time left within {limits.seconds:g} s; pages read: {len(seen)}"
    return ""


def _pulled(found: _Found) -> Pulled:
    problems = tuple(dict.fromkeys(found.problems))
    entries = [*found.entries.values()]
    issues = [
        {"severity": "error", "code": "incomplete", "details": {"text": text}} for text in problems
    ] + [
        {
            "severity": "information",
            "code": "not-supported",
            "details": {"text": f"the server does not offer {kind}"},
        }
        for kind in found.not_offered
    ]
    if issues:
        entries.append(
            {
                "resource": {"resourceType": "OperationOutcome", "issue": issues},
                "search": {"mode": "outcome"},
            }
        )
    counts = Counter(entry["resource"]["resourceType"] for entry in found.entries.values())
    return Pulled(
        bundle={"resourceType": "Bundle", "type": "searchset", "entry": entries},
        counts=dict(sorted(counts.items())),
        problems=problems,
        not_offered=tuple(found.not_offered),
    )


def _is_not_offered(error: EpicrisisError) -> bool:
    """Return whether the server has no such resource type: there is nothing it failed to give."""
    return isinstance(error, OutboundError) and error.status in _NOT_OFFERED


def _words(error: EpicrisisError) -> str:
    """Return why, in words that carry nothing of what the server sent."""
    if isinstance(error, OutboundError) and error.status in _WORDS:
        return _WORDS[error.status]
    return error.reason
