"""What an earlier pull read of the types that this one could not: it stays, and that is said."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from serving.fhir_in.pull import Pulled, bundle_of, could_not, counts_of

_KEPT = "what was read before ({number}) is kept, and may be out of date"
_GONE = "the server does not offer it now, and did before"


def with_earlier(pulled: Pulled, before: bytes | None) -> Pulled:
    """Return a pull with what an earlier one had of the types that could not be read.

    What failed never takes the place of what was read. A type that was read to the end is as it is
    now: what is not there any more was deleted at its source.

    Args:
        pulled: What came now.
        before: The Bundle of the earlier pull; None where there was none.
    """
    earlier = _entries(before)
    there = Counter(_kind(entry) for entry in earlier)
    gone = [kind for kind in pulled.not_offered if there[kind]]
    unread = pulled.unread | set(gone)
    came = [entry for entry in pulled.bundle["entry"] if not _is_outcome(entry)]
    addresses = {entry["fullUrl"] for entry in came}
    kept = [
        entry for entry in earlier if _kind(entry) in unread and entry["fullUrl"] not in addresses
    ]
    if not kept and not gone:
        return pulled
    number = Counter(_kind(entry) for entry in kept)
    problems = [*pulled.problems, *(could_not(kind, _GONE) for kind in gone)]
    problems += [could_not(kind, _KEPT.format(number=number[kind])) for kind in sorted(number)]
    not_offered = tuple(kind for kind in pulled.not_offered if kind not in gone)
    return Pulled(
        bundle=bundle_of([*came, *kept], problems, not_offered),
        counts=counts_of([*came, *kept]),
        problems=tuple(problems),
        not_offered=not_offered,
        unread=unread,
    )


def _entries(before: bytes | None) -> list[dict[str, Any]]:
    """Return the entries of a Bundle that a pull has made, without what it said of itself.

    A file of that name that a person sent is none, and has none.
    """
    try:
        bundle = orjson.loads(before or b"{}")
    except orjson.JSONDecodeError:
        return []
    listed = bundle.get("entry") if isinstance(bundle, dict) else None
    return [
        entry
        for entry in (listed if isinstance(listed, list) else [])
        if _is_resource(entry) and not _is_outcome(entry)
    ]


def _is_resource(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("fullUrl"), str):
        return False
    resource = entry.get("resource")
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


def _kind(entry: Mapping[str, Any]) -> str:
    return str(entry["resource"]["resourceType"])


def _is_outcome(entry: Mapping[str, Any]) -> bool:
    return _kind(entry) == "OperationOutcome"
