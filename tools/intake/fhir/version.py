"""Which of several versions of one resource counts, and what was taken back.

The versions of one resource are those of one ``Type/id``, whatever server, ``urn:uuid:`` or file
they come from: a laboratory's correction rarely travels the same way as the result it corrects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from msgspec.structs import replace

from tools.intake.fhir.bundle import Deletion, Entry, FhirFile
from tools.intake.fhir.server import server_of
from tools.intake.result import Retraction

_IN_ERROR = "entered-in-error"
_DEFAULT = frozenset({_IN_ERROR})
_WITHDRAWN = frozenset({_IN_ERROR, "cancelled"})
_TAKEN_BACK: Mapping[str, frozenset[str]] = {
    "Observation": _WITHDRAWN,
    "DiagnosticReport": _WITHDRAWN,
    "Encounter": _WITHDRAWN,
    "MedicationRequest": _WITHDRAWN,
    "DocumentReference": frozenset({_IN_ERROR, "superseded"}),
}
"""Statuses that end a resource (FHIR R4): whatever it said before is not to be used any more."""

_NO_RESULT_YET = "registered"
"""Of an Observation or DiagnosticReport: "there is no result yet available"."""

_FINALITY = {"preliminary": 1, "final": 2, "amended": 3, "corrected": 3, "appended": 3}
"""How far a result has come. ``registered``, ``partial``, ``unknown`` and any other word have no
place in this order: a laboratory may open a final result again, and one word does not say it."""

_WHOSE = frozenset({"subject", "patient", "encounter"})
"""References that each server writes in its own way; whose they are is compared before."""

_WHAT_AND_WHEN = ("code", "effectiveDateTime")


@dataclass(frozen=True, kw_only=True)
class Current:
    """What counts.

    Args:
        entries: The resources to be used.
        retracted: The versions that do not count, with the reason.
        copies: File to the files that hold the same resources, whose copies are used instead.
    """

    entries: list[Entry]
    retracted: list[Retraction]
    copies: dict[str, set[str]]


def current(files: Sequence[FhirFile], *, without: frozenset[int] = frozenset()) -> Current:
    """Return one entry for each resource, and the versions that do not count.

    Equal contents are one, whatever their ``meta``. The newest version by ``meta.lastUpdated``,
    else by ``meta.versionId``, counts. Without both, a retraction (entered in error, cancelled)
    counts; else the version that was ``issued`` last, or is a correction before a final before a
    preliminary result, unless these two disagree. A retraction that came another way than what it
    takes back counts whatever the dates say, and between two servers only ``lastUpdated`` is
    comparable. Where nothing decides, every version is marked `conflicting`.

    Args:
        files: In any order.
        without: ``id()`` of the JSON objects that are not to be looked at.
    """
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for file in sorted(files, key=_by_name):
        for entry in file.entries:
            if id(entry.resource) not in without:
                key = (entry.type, entry.id) if entry.id is not None else _key(entry)
                groups.setdefault(key, []).append(entry)
    deletions = {(d.type, d.id): d for file in files for d in file.deletions}
    found = Current(entries=[], retracted=[], copies={})
    for group in groups.values():
        if len(group) == 1 and not deletions:
            found.entries.append(group[0])
            continue
        for one in _resources(group):
            _decide(one, deletions, found)
    return found


def _decide(group: list[Entry], deletions: dict[tuple[str, str], Deletion], found: Current) -> None:
    versions = _versions(group)
    kept, replaced = (versions, []) if len(versions) == 1 else _newest(versions)
    conflicting = len(kept) > 1
    for version in kept:
        entry = version.entry
        deletion = deletions.get((entry.type, _id_of(entry) or ""))
        if deletion is not None and not _is_after(version, deletion):
            found.retracted.append(_retraction(entry, "deleted at its source"))
            continue
        found.entries.append(replace(entry, conflicting=True) if conflicting else entry)
    winner = kept[0].entry
    reason = "replaced by another version"
    if is_taken_back(winner.type, status_of(winner.resource)):
        reason = f"{status_of(winner.resource)} by another version ({winner.file})"
    found.retracted.extend(_retraction(old.entry, reason) for old in replaced)
    for version in versions:
        for copy in version.copies:
            if copy != version.entry.file:
                found.copies.setdefault(copy, set()).add(version.entry.file)


def status_of(resource: dict[str, Any]) -> str | None:
    """Return the element that says whether a resource was taken back."""
    if resource.get("resourceType") == "Condition":
        concept = resource.get("verificationStatus")
        coding = concept.get("coding") if isinstance(concept, dict) else None
        first = coding[0] if isinstance(coding, list) and coding else None
        code = first.get("code") if isinstance(first, dict) else None
        return code if isinstance(code, str) else None
    status = resource.get("status")
    return status if isinstance(status, str) else None


def is_taken_back(kind: str, status: str | None) -> bool:
    """Return whether a resource of a type was taken back by its source."""
    return status is not None and status in _TAKEN_BACK.get(kind, _DEFAULT)


def is_no_result_yet(kind: str, status: str | None) -> bool:
    """Return whether a resource only announces a result."""
    return status == _NO_RESULT_YET and kind in ("Observation", "DiagnosticReport")


def _by_name(file: FhirFile) -> tuple[bool, str]:
    """Order files so that of two copies the one named as JSON is used, else the first by name."""
    return not file.file.lower().removesuffix(".gz").endswith(".json"), file.file


def _key(entry: Entry) -> tuple[str, ...]:
    own = _id_of(entry)
    if own is not None:
        return entry.type, own
    if entry.full_url is not None:
        return "url", entry.type, entry.full_url
    return "content", entry.type, _content(entry).decode()


def _id_of(entry: Entry) -> str | None:
    """Return the logical id: its own, else the one its absolute URL ends in."""
    if entry.id is not None or server_of(entry) is None or entry.full_url is None:
        return entry.id
    return entry.full_url.partition("/_history/")[0].rpartition("/")[2] or None


def _resources(group: list[Entry]) -> list[list[Entry]]:
    """Return the resources of one ``Type/id``: one, unless two servers number different things.

    Two known servers whose codes and times both differ do not contradict each other. A retraction
    concerns every resource of its ``Type/id``, since it may say no more than that.
    """
    if len(group) == 1 or len({server_of(e) for e in group} - {None}) < 2:
        return [group]
    if any(_concerns_all(e) for e in group) or any(server_of(e) is None for e in group):
        return [group]
    apart: list[list[Entry]] = []
    for entry in group:
        same = next((one for one in apart if not _another_thing(one[0], entry)), None)
        if same is None:
            apart.append([entry])
        else:
            same.append(entry)
    return apart


def _concerns_all(entry: Entry) -> bool:
    """Return whether a retraction does not say of what it is."""
    if status_of(entry.resource) == _IN_ERROR:
        return True
    return _is_withdrawn(entry) and any(entry.resource.get(f) is None for f in _WHAT_AND_WHEN)


def _another_thing(a: Entry, b: Entry) -> bool:
    if server_of(a) == server_of(b):
        return False
    return all(
        a.resource.get(f) is not None
        and b.resource.get(f) is not None
        and a.resource[f] != b.resource[f]
        for f in _WHAT_AND_WHEN
    )


@dataclass(frozen=True, kw_only=True)
class _Version:
    """One content, wherever it stands; `updated` and `number` are the newest stated for it."""

    entry: Entry
    servers: frozenset[str | None]
    copies: tuple[str, ...]
    updated: float | None
    number: float | None


def _versions(group: list[Entry]) -> list[_Version]:
    """Return one version for each content, in an order that does not depend on the files' order."""
    if len(group) == 1:
        return [_version(group)]
    by_content: dict[bytes, list[Entry]] = {}
    for entry in group:
        by_content.setdefault(_content(entry), []).append(entry)
    return [_version(by_content[content]) for content in sorted(by_content)]


def _version(same: list[Entry]) -> _Version:
    return _Version(
        entry=same[0],
        servers=frozenset(server_of(e) for e in same),
        copies=tuple(e.file for e in same[1:]),
        updated=max((u for e in same if (u := _updated(e)) is not None), default=None),
        number=max((n for e in same if (n := _number(e)) is not None), default=None),
    )


def _newest(versions: list[_Version]) -> tuple[list[_Version], list[_Version]]:
    """Return the version that counts, or all where nothing tells which, and the others."""
    servers = frozenset[str | None]().union(*(v.servers for v in versions))
    withdrawn = next((v for v in versions if _is_withdrawn(v.entry)), None)
    if withdrawn is not None and len(servers) > 1:
        return _apart(withdrawn, versions)
    best = _highest(versions, [v.updated for v in versions])
    if best is None and len(servers - {None}) < 2:
        best = _highest(versions, [v.number for v in versions]) or withdrawn or _furthest(versions)
    return (versions, []) if best is None else _apart(best, versions)


def _furthest(versions: list[_Version]) -> _Version | None:
    """Return the version issued last, or of the furthest status; None where these disagree."""
    issued = _highest(versions, [_instant(v.entry.resource.get("issued")) for v in versions])
    ranks = [_FINALITY.get(status_of(v.entry.resource) or "") for v in versions]
    status = _highest(versions, ranks)
    if issued is not None and status is not None and issued is not status:
        return None
    return issued or status


def _highest(versions: list[_Version], ranks: Sequence[float | None]) -> _Version | None:
    """Return the version of the highest rank; None where a rank is not known or two share it."""
    known = [rank for rank in ranks if rank is not None]
    if len(known) < len(ranks) or known.count(max(known)) > 1:
        return None
    return versions[ranks.index(max(known))]


def _apart(best: _Version, versions: list[_Version]) -> tuple[list[_Version], list[_Version]]:
    return [best], [v for v in versions if v is not best]


def _content(entry: Entry) -> bytes:
    """Return what a resource says, without what each server adds to it."""
    said = {k: v for k, v in entry.resource.items() if k != "meta" and k not in _WHOSE}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _is_withdrawn(entry: Entry) -> bool:
    return is_taken_back(entry.type, status_of(entry.resource))


def _updated(entry: Entry) -> float | None:
    meta = entry.resource.get("meta")
    return _instant(meta.get("lastUpdated")) if isinstance(meta, dict) else None


def _number(entry: Entry) -> float | None:
    meta = entry.resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return float(version) if isinstance(version, str) and version.isdecimal() else None


def _is_after(version: _Version, deletion: Deletion) -> bool:
    updated, deleted = version.updated, _instant(deletion.at)
    return updated is not None and deleted is not None and updated > deleted


def _instant(text: object) -> float | None:
    """Return a zoned instant as seconds; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def _retraction(entry: Entry, reason: str) -> Retraction:
    return Retraction(file=entry.file, resource=entry.name, reason=reason)
