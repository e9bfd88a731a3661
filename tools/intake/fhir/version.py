"""Which of several versions of one resource counts, and what was taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from tools.intake.fhir.bundle import Deletion, Entry, FhirFile
from tools.intake.result import Retraction

RETRACTED = frozenset({"entered-in-error", "cancelled", "registered"})
"""Statuses of a result that is not, or not yet, a result (FHIR R4 ObservationStatus)."""

_FINALITY = {"preliminary": 1, "final": 2, "amended": 3, "corrected": 3}
_TAKEN_BACK = 9


def current(files: Sequence[FhirFile]) -> tuple[list[Entry], list[Retraction]]:
    """Return one entry for each resource, and the versions that do not count.

    The newest version by ``meta.lastUpdated``, else by ``meta.versionId``, counts. Without both,
    a retraction beats a correction, which beats a final and then a preliminary result; where even
    that does not decide between different contents, the entry is marked `conflicting`.
    """
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for file in files:
        for entry in file.entries:
            groups.setdefault(_key(entry), []).append(entry)
    deletions = {(d.type, d.id): d for file in files for d in file.deletions}
    kept: list[Entry] = []
    retracted: list[Retraction] = []
    for group in groups.values():
        entry, replaced = (group[0], []) if len(group) == 1 else _newest(group)
        deletion = deletions.get((entry.type, entry.id or ""))
        if deletion is not None and not _is_after(entry, deletion):
            retracted.append(_retraction(entry, "deleted at its source"))
        else:
            kept.append(entry)
            retracted += [_retraction(old, "replaced by another version") for old in replaced]
    return kept, retracted


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


def _key(entry: Entry) -> tuple[str, ...]:
    base = ""
    url = entry.full_url
    if url is not None and url.startswith(("http://", "https://")):
        base = url.rpartition(f"/{entry.type}/")[0]
    if entry.id is not None:
        return base, entry.type, entry.id
    if url is not None:
        return "url", entry.type, url
    content = orjson.dumps(entry.resource, option=orjson.OPT_SORT_KEYS)
    return "content", entry.type, content.decode()


def _newest(group: list[Entry]) -> tuple[Entry, list[Entry]]:
    distinct = _distinct(group)
    if len(distinct) == 1:
        return distinct[0], []
    for rank in (_updated, _version, _finality):
        ranks = [rank(entry) for entry in distinct]
        known = [r for r in ranks if r is not None]
        if len(known) == len(ranks) and ranks.count(max(known)) == 1:
            best = distinct[ranks.index(max(known))]
            return best, [entry for entry in distinct if entry is not best]
    return replace(distinct[0], conflicting=True), distinct[1:]


def _distinct(group: Iterable[Entry]) -> list[Entry]:
    """Return one entry for each content, in an order that does not depend on the files' order."""
    by_content: dict[bytes, Entry] = {}
    for entry in group:
        by_content.setdefault(orjson.dumps(entry.resource, option=orjson.OPT_SORT_KEYS), entry)
    return [by_content[content] for content in sorted(by_content)]


def _updated(entry: Entry) -> float | None:
    meta = entry.resource.get("meta")
    return _instant(meta.get("lastUpdated")) if isinstance(meta, dict) else None


def _version(entry: Entry) -> float | None:
    meta = entry.resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return float(version) if isinstance(version, str) and version.isdecimal() else None


def _finality(entry: Entry) -> float | None:
    status = status_of(entry.resource) or ""
    return float(_TAKEN_BACK if status == "entered-in-error" else _FINALITY.get(status, 0))


def _is_after(entry: Entry, deletion: Deletion) -> bool:
    updated, deleted = _updated(entry), _instant(deletion.at)
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
