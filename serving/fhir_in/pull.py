"""The pull of one patient: every search to its last page, and what could not be read said."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from knowledge.errors import EpicrisisError, InputError, UnavailableError
from knowledge.model import Frozen
from serving.access.compartment import fhir_base, fhir_id
from serving.access.errors import NotFoundError
from serving.access.outbound import OutboundError
from serving.fhir_in.page import read_page
from serving.fhir_in.subject import belongs
from serving.fhir_in.wanted import SEARCHES, Wanted
from tools.intake.fhir.searchset import fewer

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
        unread: Resource types that could not be read, or not to the end.
    """

    bundle: dict[str, Any]
    counts: dict[str, int]
    problems: tuple[str, ...]
    not_offered: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()


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
    entries: dict[tuple[str, bytes], dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    not_offered: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def add(self, entry: dict[str, Any]) -> None:
        """Take an entry; two contents of one address are both kept: which counts is told later."""
        content = orjson.dumps(entry["resource"], option=orjson.OPT_SORT_KEYS)
        self.entries.setdefault((entry["fullUrl"], content), entry)


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
    found.add({"fullUrl": f"{base}/Patient/{patient}", "resource": person})
    for wanted in searches:
        reasons = list(_search(fetch, wanted, found, base, patient, within, lambda: timer() > end))
        found.problems += [could_not(wanted.type, reason) for reason in reasons]
        if reasons:
            found.unread |= {wanted.type, *wanted.included}
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
            if wanted.optional and _is_not_offered(error) and len(seen) == 1:
                found.not_offered.append(wanted.type)
            else:
                yield f"{_words(error)}; pages read before: {len(seen) - 1}"
            return
        yield from page.problems
        for entry in page.entries:
            found.add(entry)
        matches |= page.matches
        total = max(total or 0, page.total) if page.total is not None else total
        url = page.next
    missing = fewer(total, len(matches))
    if missing:
        yield missing


def _why_stop(url: str, seen: set[str], limits: Limits, *, is_late: bool) -> str:
    """Return why no further page is read; empty where it is."""
    if url in seen:
        return "the pages lead back to one that was read"
    if len(seen) >= limits.pages:
        return f"more than {limits.pages} pages; the rest was not read"
    if is_late:
        return f"no time left within {limits.seconds:g} s; pages read: {len(seen)}"
    return ""


def could_not(kind: str, reason: str) -> str:
    """Return the sentence that a type could not be read."""
    return f"{kind} could not be read: {reason}"


def bundle_of(
    entries: Iterable[dict[str, Any]], problems: Iterable[str], not_offered: Iterable[str]
) -> dict[str, Any]:
    """Return what came as a searchset Bundle that says itself what is missing of it."""
    issues = [
        {"severity": "error", "code": "incomplete", "details": {"text": text}} for text in problems
    ] + [
        {
            "severity": "information",
            "code": "not-supported",
            "details": {"text": f"the server does not offer {kind}"},
        }
        for kind in not_offered
    ]
    listed = list(entries)
    if issues:
        listed.append(
            {
                "resource": {"resourceType": "OperationOutcome", "issue": issues},
                "search": {"mode": "outcome"},
            }
        )
    return {"resourceType": "Bundle", "type": "searchset", "entry": listed}


def counts_of(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return how many resources of each type there are; contents of one address are one."""
    kinds = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in entries}
    return dict(sorted(Counter(kinds.values()).items()))


def _pulled(found: _Found) -> Pulled:
    problems = tuple(dict.fromkeys(found.problems))
    entries = [*found.entries.values()]
    return Pulled(
        bundle=bundle_of(entries, problems, found.not_offered),
        counts=counts_of(entries),
        problems=problems,
        not_offered=tuple(found.not_offered),
        unread=frozenset(found.unread),
    )


def _is_not_offered(error: EpicrisisError) -> bool:
    """Return whether the server has no such resource type: there is nothing it failed to give."""
    return isinstance(error, OutboundError) and error.status in _NOT_OFFERED


def _words(error: EpicrisisError) -> str:
    """Return why, in words that carry nothing of what the server sent."""
    if isinstance(error, OutboundError) and error.status in _WORDS:
        return _WORDS[error.status]
    return error.reason
