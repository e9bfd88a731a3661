"""From troponin findings to one series: one assay, one episode, in order of collection.

Nothing is dropped in silence: a sample that cannot be placed is set aside with the reason, and
while it is open no algorithm rules out.
"""

from collections.abc import Iterable
from datetime import UTC, timedelta
from itertools import pairwise

from knowledge.clinical_time import ClinicalTime, Precision, elapsed
from knowledge.codes import ANALYTE
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured, measured
from knowledge.troponin import assays, pathways

UNIT = "ng/L"
ANALYTES = ("hs_ctnt", "hs_ctni", "ctnt", "ctni")
_ZONE_SPAN = timedelta(hours=14)
"""Largest distance of a local time from UTC (IANA tz database: UTC-12 to UTC+14)."""


class SeriesSample(Frozen):
    """One sample of the series.

    Args:
        value: Concentration, ng/L.
        time: Collection time.
        minutes: Time since the first sample.
        change: Concentration minus that of the first sample, ng/L; None for the first.
        flags: Quality flags, for example ``haemolysed``.
        evidence: Where it comes from.
        finding: Ids of the findings it was made of.
    """

    value: Measured
    time: ClinicalTime
    minutes: float
    change: Measured | None = None
    flags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    finding: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval:
        """All possible concentrations, ng/L."""
        return self.value.interval


class SetAside(Frozen):
    """A sample that could not be placed in the series, and why."""

    value: Measured | None = None
    reason: NotAssessed
    evidence: tuple[Evidence, ...] = ()


class Series(Frozen):
    """The samples of the present episode.

    Args:
        samples: In order of collection; empty where there is none that can be used.
        set_aside: Samples that could belong to the episode but cannot be used.
        obstacle: Why the samples cannot be read together; only a rule-in stands against it.
        empty: Why there is no sample, where there is none.
    """

    samples: tuple[SeriesSample, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    obstacle: NotAssessed | None = None
    empty: NotAssessed | None = None

    @property
    def first(self) -> SeriesSample:
        """The first sample; only where there is one."""
        return self.samples[0]

    @property
    def later(self) -> tuple[SeriesSample, ...]:
        """All samples after the first."""
        return self.samples[1:]


def build(samples: Iterable[Finding], *, assay: str, at: ClinicalTime) -> Series:
    """Return the series of the present episode, whatever order the samples came in.

    Args:
        samples: Troponin findings, ng/L, with their collection times.
        assay: Key of the assay table.
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
    open_ones = tuple(_set_aside(f, r) for f, r in aside if not _before(f.time, episode))
    if not episode:
        missing = NotAssessed(why=Why.MISSING, detail="no troponin sample in the case")
        return Series(set_aside=open_ones, empty=aside[0][1] if aside else missing)
    if _is_stale(_time(episode[-1]), at):
        detail = f"the last sample ({_time(episode[-1])}) is not of the present episode"
        return Series(empty=NotAssessed(why=Why.STALE, detail=detail))
    own = [f for f in episode if not _of_another_assay(f, assay)]
    others = [f for f in episode if _of_another_assay(f, assay)]
    obstacle = None
    if others:
        obstacle = NotAssessed(
            why=Why.CONFLICTING,
            detail=f"samples of two assays: {assays().assays[assay].label} and another one; "
            "values of two assays are never compared",
        )
    return Series(
        samples=_in_series(own),
        set_aside=open_ones + tuple(_set_aside(f, obstacle) for f in others if obstacle),
        obstacle=obstacle,
        empty=None if own else obstacle,
    )


def unusable(finding: Finding, at: ClinicalTime) -> NotAssessed | None:
    """Return why a troponin finding cannot be placed in a series, or None where it can."""
    if finding.state is State.NOT_ASSESSED:
        return finding.not_assessed
    if not finding.concept.has(ANALYTE, *ANALYTES):
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="not coded as a troponin")
    return _bad_value(finding) or _bad_time(finding.time, at)


def analyte_of(finding: Finding) -> str | None:
    """Return the key of the analyte table a sample is coded with."""
    return next((a for a in ANALYTES if finding.concept.has(ANALYTE, a)), None)


def _bad_value(finding: Finding) -> NotAssessed | None:
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
    ranked = sorted(findings, key=lambda f: (_time(f).sort_key, f.id))
    run: list[Finding] = []
    for finding in ranked:
        if run and _minutes(_time(run[-1]), _time(finding)) > _gap_minutes():
            run = []
        run.append(finding)
    return run


def _before(time: ClinicalTime | None, episode: list[Finding]) -> bool:
    """Return whether a time is surely of an earlier episode."""
    if time is None or not episode:
        return False
    since = elapsed(time, _time(episode[0])).minutes
    return since is not None and since.compare("gt", _gap_minutes()) is True


def _is_stale(last: ClinicalTime, at: ClinicalTime) -> bool:
    since = elapsed(last, at).minutes
    if since is not None:
        return since.compare("gt", _gap_minutes()) is True
    wall, now = last.at.replace(tzinfo=UTC), at.at.replace(tzinfo=UTC)
    return now - wall > timedelta(minutes=_gap_minutes()) + _ZONE_SPAN


def _of_another_assay(finding: Finding, assay: str) -> bool:
    named = assays().named(finding.method)
    if named is not None and named != assay:
        return True
    return analyte_of(finding) != assays().assays[assay].analyte


def _set_aside(finding: Finding, reason: NotAssessed) -> SetAside:
    impossible = reason.why in (Why.VALUE_IMPOSSIBLE, Why.UNIT_NOT_RECOGNISED)
    value = None if impossible else finding.quantity
    return SetAside(value=value, reason=reason, evidence=finding.evidence)


def _in_series(findings: list[Finding]) -> tuple[SeriesSample, ...]:
    together: dict[float, list[Finding]] = {}
    for finding in findings:
        together.setdefault(_minutes(_time(findings[0]), _time(finding)), []).append(finding)
    made: list[SeriesSample] = []
    for minutes, group in together.items():
        value = _hull(group)
        made.append(
            SeriesSample(
                value=measured(value, UNIT),
                time=_time(group[0]),
                minutes=minutes,
                change=_change(made[0].interval, value) if made else None,
                flags=tuple(sorted({flag for f in group for flag in f.flags})),
                evidence=tuple(e for f in group for e in f.evidence),
                finding=tuple(f.id for f in group),
            )
        )
    return tuple(made)


def _hull(group: list[Finding]) -> Interval:
    """Return the interval over all results of one collection time: one of them is right."""
    found = [_concentration(f) for f in group]
    low = min(found, key=lambda i: (i.low or 0.0, not i.low_closed))
    unbounded = next((i for i in found if i.high is None), None)
    high = unbounded or max(found, key=lambda i: (i.high or 0.0, i.high_closed))
    return Interval(
        low=low.low, low_closed=low.low_closed, high=high.high, high_closed=high.high_closed
    )


def _concentration(finding: Finding) -> Interval:
    """Return the possible concentrations; one that is unbounded below begins at zero."""
    interval = finding.interval or Interval()
    return interval if interval.low is not None else interval.model_copy(update={"low": 0.0})


def _change(first: Interval, later: Interval) -> Measured:
    low = None if later.low is None or first.high is None else later.low - first.high
    high = None if later.high is None or first.low is None else later.high - first.low
    if first.is_exact and later.is_exact and low is not None:
        return measured(Interval.exact(round(low, 9)), UNIT)
    return measured(
        Interval(
            low=low,
            high=high,
            low_closed=later.low_closed and first.high_closed,
            high_closed=later.high_closed and first.low_closed,
        ),
        UNIT,
    )


def _time(finding: Finding) -> ClinicalTime:
    assert finding.time is not None  # noqa: S101 - `unusable` sets a sample without a time aside
    return finding.time


def _minutes(start: ClinicalTime, end: ClinicalTime) -> float:
    return (end.at - start.at) / timedelta(minutes=1)


def _gap_minutes() -> float:
    return pathways().episode_gap_hours.value * 60
