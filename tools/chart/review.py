"""What a person has read of the items that no table matches: a named list, or up to a time.

A bare "yes" settles nothing: it would also settle what is added to the case afterwards.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.finding import Finding, State
from knowledge.timeline import Category, Timeline
from tools.chart.from_statements import is_settled

REVIEWED = "chart_items_reviewed"
"""The clinical input that says so."""

_MARK = 8
"""Hexadecimal digits of a list's mark: enough to tell the lists of one case apart."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a person says to have read.

    Args:
        lists: Marks of lists.
        times: Moments up to which everything was read.
    """

    lists: frozenset[str] = frozenset()
    times: tuple[ClinicalTime, ...] = ()

    def covers(self, time: ClinicalTime | None, *, mark: str = "") -> bool:
        """Return whether an item was read.

        Args:
            time: When it was recorded; an item without a time is covered by its list only.
            mark: Mark of the list it stands in.
        """
        return (mark != "" and mark in self.lists) or any(_before(time, t) for t in self.times)


def review(timeline: Timeline, *, at: ClinicalTime) -> Review:
    """Return what a person says to have read before the moment of assessment.

    Only an explicit answer counts, and only with the list's mark or a time.
    """
    said = [
        fact.finding
        for fact in timeline.in_category(Category.STATED)
        if fact.finding.concept.has(EPICRISIS, REVIEWED)
        and fact.finding.state is State.PRESENT
        and is_settled(fact.finding)
    ]
    return Review(
        lists=frozenset(f.reported.strip().casefold() for f in said if f.reported),
        times=tuple(f.time for f in said if f.time is not None and _before(f.time, at)),
    )


def mark_of(items: Iterable[Finding]) -> str:
    """Return the mark of a list: it changes when an item is added, removed or changed."""
    lines = sorted(
        f"{i.concept.text}|{i.value}|{i.reported}|{i.time}|{i.not_assessed}"
        + "|".join(e.model_dump_json() for e in i.evidence)
        for i in items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_MARK] if lines else ""


def _before(time: ClinicalTime | None, until: ClinicalTime) -> bool:
    since = elapsed(time, until).minutes
    return since is not None and since.low is not None and since.low >= 0
