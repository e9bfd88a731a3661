"""The resources of a chart system: seeded once, then searched and added to by sessions.

What a session creates only that session sees, so that one trial never finds the order of another.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from evals.fhir_store.creation import CreationError, checked
from evals.fhir_store.search import SearchError, check, matches, when

MAX_CREATED = 100
"""Resources one session may create: no task of a benchmark comes near."""

PAGE = 10
"""Entries of a page unless ``_count`` says otherwise."""

MAX_PAGE = 100

_CONTROL = frozenset({"_count", "_offset", "_sort", "_format"})


class FhirStore:
    """Seeded resources, the same for every session.

    Args:
        resources: FHIR R4 resources, each with ``resourceType`` and ``id``.
    """

    def __init__(self, resources: Iterable[dict[str, Any]]) -> None:
        self.resources = tuple(resources)
        self._patients = {r["id"] for r in self.resources if r["resourceType"] == "Patient"}

    def session(self, base: str) -> "Session":
        """Return a new session.

        Args:
            base: Address that links in answers begin with.
        """
        return Session(self, base)

    def has_patient(self, reference: str) -> bool:
        """Return whether a reference names a patient of the store."""
        return reference.removeprefix("Patient/") in self._patients


class Session:
    """One user's view of a store.

    Attributes:
        created: What it created, in order.
        searched: Every search it made that was answered: kind and parameters, in order.
    """

    def __init__(self, store: FhirStore, base: str) -> None:
        self._store = store
        self._base = base
        self.created: list[dict[str, Any]] = []
        self.searched: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    def search(self, kind: str, parameters: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return a searchset Bundle, one page of it, with a link to the next.

        Raises:
            SearchError: The search cannot be made.
        """
        wanted = tuple((n, v) for n, v in parameters if n not in _CONTROL)
        control = dict((n, v) for n, v in parameters if n in _CONTROL)
        check(kind, wanted)
        count = _whole(control, "_count", PAGE, 1, MAX_PAGE)
        offset = _whole(control, "_offset", 0, 0, 10**6)
        found = [
            r
            for r in (*self._store.resources, *self.created)
            if r["resourceType"] == kind and matches(r, wanted)
        ]
        _sort(found, control.get("_sort"))
        self.searched.append((kind, wanted))
        page = found[offset : offset + count]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": self._links(kind, parameters, offset + count, len(found)),
            "entry": [{"fullUrl": f"{self._base}/{kind}/{r['id']}", "resource": r} for r in page],
        }

    def create(self, kind: str, body: Any) -> dict[str, Any]:
        """Return the stored resource with its new id.

        Raises:
            CreationError: It is not valid, of no known patient, or one too many.
        """
        if len(self.created) >= MAX_CREATED:
            raise CreationError(f"more than {MAX_CREATED} resources in one session")
        resource = checked(kind, body)
        if not self._store.has_patient(resource["subject"]["reference"]):
            raise CreationError("there is no such patient")
        stored = {**resource, "id": f"created-{len(self.created) + 1}"}
        self.created.append(stored)
        return stored

    def _links(
        self, kind: str, parameters: Sequence[tuple[str, str]], after: int, total: int
    ) -> list[dict[str, str]]:
        from urllib.parse import urlencode

        here = f"{self._base}/{kind}?"
        links = [{"relation": "self", "url": here + urlencode(list(parameters))}]
        if after < total:
            kept = [(n, v) for n, v in parameters if n != "_offset"]
            links.append(
                {"relation": "next", "url": here + urlencode([*kept, ("_offset", str(after))])}
            )
        return links


def _whole(control: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = control.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SearchError(f"{name} is not a whole number from {least} to {most}")
    return int(text)


def _sort(found: list[dict[str, Any]], by: str | None) -> None:
    if by is None:
        return
    if by not in ("date", "-date"):
        raise SearchError("_sort is date or -date")
    found.sort(key=when, reverse=by.startswith("-"))
