"""Versions of one result under different ids: which of them a later version replaced.

A laboratory that sends a final or corrected result as a new record does not take the first one
back. Of one test of one collection the version of the furthest status holds (corrected or amended
before final before preliminary), of two corrections the one that was issued last. Where the times
of issue say otherwise, or two final results differ, nothing tells which holds and both stay.
"""

from collections.abc import Sequence
from datetime import datetime

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.codes import Coding
from knowledge.timeline import SUPERSEDED, Category, Fact
from tools.intake.fhir.bundle import Entry

_RANK = {"preliminary": 0, "final": 1, "corrected": 2, "amended": 2}
"""Statuses of FHIR R4 in the order in which a result passes through them."""

_CORRECTION = 2

_MINUTE = (Precision.MINUTE, Precision.SECOND)
"""How finely a collection must be timed for two results to be of one."""

_What = tuple[tuple[Coding, ...], ClinicalTime]


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
        if len(places) < 2:
            continue
        versions = [(facts[i], _entry(facts[i], by_name)) for i in places]
        for place, version in zip(places, versions, strict=True):
            if any(_replaces(other, version) for other in versions):
                found[place] = _marked(facts[place])
    return tuple(found)


def _what(fact: Fact) -> _What | None:
    """Return the test and its collection; None for what is no number of a stated minute."""
    finding = fact.finding
    if fact.category is not Category.LABORATORY or finding.quantity is None:
        return None
    if finding.time is None or finding.time.precision not in _MINUTE:
        return None
    return finding.concept.codings, finding.time


def _entry(fact: Fact, by_name: dict[tuple[str, str], Entry]) -> Entry | None:
    for one in fact.finding.evidence:
        if one.kind == "fhir":
            return by_name.get((one.file, one.resource))
    return None


_Version = tuple[Fact, Entry | None]


def _replaces(one: _Version, other: _Version) -> bool:
    """Return whether one record is a later version of the other."""
    (first, new), (second, old) = one, other
    if new is None or old is None or new is old or not _alike(first, second):
        return False
    rank, before = _RANK.get(_status(new), -1), _RANK.get(_status(old), -1)
    if rank < 0 or before < 0 or rank < before:
        return False
    issued, earlier = _issued(new), _issued(old)
    if issued is None or earlier is None:
        return rank > before
    if rank == before:
        return rank == _CORRECTION and issued > earlier
    return issued >= earlier


def _alike(one: Fact, other: Fact) -> bool:
    """Return whether two results may be of one measurement: nothing that is stated differs."""
    a, b = one.finding, other.finding
    pairs = ((a.specimen, b.specimen), (a.method_kind, b.method_kind), (a.body_site, b.body_site))
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
