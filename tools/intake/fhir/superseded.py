"""Versions of one result under different ids: which of them a later version replaced.

A laboratory that sends a final or corrected result as a new record does not take the first one
back. Of one test of one collection the version of the furthest status holds (corrected or amended
before final before preliminary), of two corrections the one that was issued last. Where the times
of issue say otherwise, or two final results differ, nothing tells which holds and both stay.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.codes import Coding
from knowledge.finding import MethodKind
from knowledge.timeline import SUPERSEDED, Category, Fact
from tools.intake.fhir.bundle import Entry

_RANK = {"preliminary": 0, "final": 1, "corrected": 2, "amended": 2}
"""Statuses of FHIR R4 in the order in which a result passes through them."""

_CORRECTION = 2

_MINUTE = (Precision.MINUTE, Precision.SECOND)
"""How finely a collection must be timed for two results to be of one."""

_What = tuple[tuple[Coding, ...], ClinicalTime]


class _Version(NamedTuple):
    """How far a version of a result has come, and what may tell it from others."""

    specimen: str | None
    method: MethodKind | None
    body_site: str | None
    rank: int


@dataclass
class _Issues:
    """When versions of one kind were issued: the last stated time, and whether one has none."""

    latest: float | None = None
    unstated: bool = False


def with_superseded(facts: Sequence[Fact], entries: Sequence[Entry]) -> tuple[Fact, ...]:
    """Return the facts, those marked that another record of the same result replaced.

    Args:
        facts: Of one patient.
        entries: The resources they were read from.
    """
    by_name = {(entry.file, entry.name): entry for entry in entries}
    groups: dict[_What, list[int]] = {}
    for place, fact in enumerate(facts):
        what = _what(fact)
        if what is not None:
            groups.setdefault(what, []).append(place)
    found = list(facts)
    for places in groups.values():
        if len(places) > 1:
            for place in _replaced(facts, places, by_name):
                found[place] = _marked(facts[place])
    return tuple(found)


def _replaced(
    facts: Sequence[Fact], places: Sequence[int], by_name: Mapping[tuple[str, str], Entry]
) -> Iterator[int]:
    """Yield the places of one collection's results that a later version replaced."""
    versions: list[tuple[int, _Version, float | None]] = []
    for place in places:
        entry = _entry(facts[place], by_name)
        rank = None if entry is None else _RANK.get(_status(entry))
        if entry is not None and rank is not None:
            versions.append((place, _version(facts[place], rank), _issued(entry)))
    held: dict[_Version, _Issues] = defaultdict(_Issues)
    for _, version, issued in versions:
        issues = held[version]
        if issued is None:
            issues.unstated = True
        else:
            issues.latest = issued if issues.latest is None else max(issues.latest, issued)
    for place, version, issued in versions:
        if any(_replaces(other, issues, version, issued) for other, issues in held.items()):
            yield place


def _what(fact: Fact) -> _What | None:
    """Return the test and its collection; None for what is no number of a stated minute."""
    finding = fact.finding
    if fact.category is not Category.LABORATORY or finding.quantity is None:
        return None
    if finding.time is None or finding.time.precision not in _MINUTE:
        return None
    return finding.concept.codings, finding.time


def _entry(fact: Fact, by_name: Mapping[tuple[str, str], Entry]) -> Entry | None:
    for one in fact.finding.evidence:
        if one.kind == "fhir":
            return by_name.get((one.file, one.resource))
    return None


def _version(fact: Fact, rank: int) -> _Version:
    finding = fact.finding
    return _Version(finding.specimen, finding.method_kind, finding.body_site, rank)


def _replaces(other: _Version, issues: _Issues, version: _Version, issued: float | None) -> bool:
    """Return whether one of the versions of a kind is later than this one."""
    if other.rank < version.rank or not _alike(other, version):
        return False
    if other.rank > version.rank and (issued is None or issues.unstated):
        return True
    if issued is None or issues.latest is None:
        return False
    if other.rank > version.rank:
        return issues.latest >= issued
    return version.rank == _CORRECTION and issues.latest > issued


def _alike(one: _Version, other: _Version) -> bool:
    """Return whether two results may be of one measurement: nothing that is stated differs."""
    pairs = zip(one[:3], other[:3], strict=True)
    return all(x is None or y is None or x == y for x, y in pairs)


def _status(entry: Entry) -> str:
    status = entry.resource.get("status")
    return status if isinstance(status, str) else ""


def _issued(entry: Entry) -> float | None:
    """Return when a version was issued, as seconds; None where no zoned time says it."""
    stated = entry.resource.get("issued")
    if not isinstance(stated, str):
        return None
    try:
        at = datetime.fromisoformat(stated)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def _marked(fact: Fact) -> Fact:
    finding = fact.finding
    flagged = finding.model_copy(update={"flags": (*finding.flags, SUPERSEDED)})
    return fact.model_copy(update={"finding": flagged})
