"""Which troponin findings belong to the present episode, and why the others cannot be used."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from itertools import pairwise
from typing import NamedTuple

from knowledge.clinical_time import ClinicalTime, Precision, elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.troponin import pathways

UNIT = "ng/L"
ANALYTES = ("hs_ctnt", "hs_ctni", "ctnt", "ctni")
_ZONE_SPAN = timedelta(hours=14)
"""Largest distance of a local time from UTC (IANA tz database: UTC-12 to UTC+14)."""


class Placed(NamedTuple):
    """The findings of one patient, placed in time.

    Args:
        episode: Usable samples of the latest run, in order of collection.
        aside: Findings that could belong to it but cannot be used, with the reason.
        reason: Why the first finding cannot be used, where none can.
    """

    episode: list[Finding]
    aside: list[tuple[Finding, NotAssessed]]
    reason: NotAssessed | None


def place(samples: Iterable[Finding], at: ClinicalTime) -> Placed:
    """Return the samples of the latest run, whatever order they came in, and what is set aside.

    Args:
        samples: Troponin findings, ng/L, with their collection times.
        at: Time of assessment.
    """
    usable: list[Finding] = []
    aside: list[tuple[Finding, NotAssessed]] = []
    for finding in sorted(samples, key=lambda f: f.id):
        reason = unusable(finding, at)
        if reason is None:
            usable.append(finding)
        elif reason.why is not Why.RETRACTED:
            aside.append((finding, reason))
    if not _one_clock(usable):
        reason = NotAssessed(
            why=Why.TIME_ZONE_UNKNOWN,
            detail="the samples' times cannot be compared: time zone unknown between sources",
        )
        aside, usable = [*aside, *((f, reason) for f in usable)], []
    episode = _latest_run(usable)
    kept = [(f, r) for f, r in aside if not _before(f.time, episode)]
    return Placed(episode=episode, aside=kept, reason=aside[0][1] if aside else None)


def unusable(finding: Finding, at: ClinicalTime) -> NotAssessed | None:
    """Return why a troponin finding cannot be placed in a series, or None where it can."""
    if finding.state is State.NOT_ASSESSED:
        return finding.not_assessed
    if not finding.concept.has(ANALYTE, *ANALYTES):
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="not coded as a troponin")
    return bad_value(finding) or _bad_time(finding.time, at)


def analyte_of(finding: Finding) -> str | None:
    """Return the key of the analyte table a sample is coded with."""
    return next((a for a in ANALYTES if finding.concept.has(ANALYTE, a)), None)


def bad_value(finding: Finding) -> NotAssessed | None:
    """Return why a value is no troponin concentration, or None where it is one."""
    value = finding.quantity
    if value is None:
        return NotAssessed(why=Why.UNREADABLE, detail="the result is not a number")
    if value.unit != UNIT:
        return NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail=f"the unit is not {UNIT}")
    possible = pathways().plausible
    low, high = value.interval.low, value.interval.high
    if (low is not None and not possible.low <= low <= possible.high) or (
        high is not None and not possible.low <= high <= possible.high
    ):
        return NotAssessed(why=Why.VALUE_IMPOSSIBLE, detail="the concentration is impossible")
    return None


def is_stale(last: ClinicalTime, at: ClinicalTime) -> bool:
    """Return whether a sample is so old that it says nothing about now."""
    since = elapsed(last, at).minutes
    if since is not None:
        return since.compare("gt", _gap_minutes()) is True
    wall, now = last.at.replace(tzinfo=UTC), at.at.replace(tzinfo=UTC)
    return now - wall > timedelta(minutes=_gap_minutes()) + _ZONE_SPAN


def time_of(finding: Finding) -> ClinicalTime:
    """Return the collection time of a sample that `unusable` lets pass."""
    assert finding.time is not None  # noqa: S101 - `unusable` sets a sample without a time aside
    return finding.time


def minutes_between(start: ClinicalTime, end: ClinicalTime) -> float:
    """Return the minutes from one time to another of the same clock."""
    return (end.at - start.at) / timedelta(minutes=1)


def _bad_time(time: ClinicalTime | None, at: ClinicalTime) -> NotAssessed | None:
    if time is None:
        return NotAssessed(why=Why.TIME_NOT_GIVEN, detail="the collection time is not given")
    if time.precision not in (Precision.MINUTE, Precision.SECOND):
        return NotAssessed(
            why=Why.TIME_NOT_GIVEN,
            detail=f"the collection time is known only to the {time.precision}",
        )
    since = elapsed(time, at).minutes
    if since is not None and since.compare("lt", 0) is True:
        return NotAssessed(
            why=Why.CONFLICTING,
            detail="the collection time is after the time of assessment: check the clocks",
        )
    return None


def _one_clock(findings: list[Finding]) -> bool:
    return all(elapsed(a.time, b.time).minutes is not None for a, b in pairwise(findings))


def _latest_run(findings: list[Finding]) -> list[Finding]:
    ranked = sorted(findings, key=lambda f: (time_of(f).sort_key, f.id))
    run: list[Finding] = []
    for finding in ranked:
        if run and minutes_between(time_of(run[-1]), time_of(finding)) > _gap_minutes():
            run = []
        run.append(finding)
    return run


def _before(time: ClinicalTime | None, episode: list[Finding]) -> bool:
    """Return whether a time is surely of an earlier episode."""
    if time is None or not episode:
        return False
    since = elapsed(time, time_of(episode[0])).minutes
    return since is not None and since.compare("gt", _gap_minutes()) is True


def _gap_minutes() -> float:
    return pathways().episode_gap_hours.value * 60
