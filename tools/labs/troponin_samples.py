"""From troponin findings to one series: one assay, one episode, in order of collection.

Nothing is dropped in silence: a sample that cannot be placed is set aside with the reason, and
while it is open no algorithm rules out.
"""

from collections.abc import Iterable

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured, measured
from knowledge.troponin import assays
from tools.labs.troponin_episode import (
    UNIT,
    Placed,
    analyte_of,
    is_stale,
    minutes_between,
    place,
    time_of,
)

HAEMOLYSED = frozenset({"haemolysed", "hemolysed", "hemolyzed"})
"""Flags of a haemolysed specimen, as sources spell them."""


NOT_FINAL = frozenset({"preliminary", "status-unknown", "status-not-stated"})
"""Flags of a result that its laboratory has not released as final."""


class SeriesSample(Frozen):
    """One sample of the series.

    Args:
        value: Concentration, ng/L.
        time: Collection time.
        minutes: Time since the first sample.
        change: Concentration minus that of the first sample, ng/L; None for the first.
        results: The results of this one time, where they differ; `value` spans them.
        flags: Quality flags, for example ``haemolysed``.
        evidence: Where it comes from.
        finding: Ids of the findings it was made of.
    """

    value: Measured
    time: ClinicalTime
    minutes: float
    change: Measured | None = None
    results: tuple[Measured, ...] = ()
    flags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    finding: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval:
        """All possible concentrations, ng/L."""
        return self.value.interval

    @property
    def shown(self) -> str:
        """The value in words; both values where two results of one time differ.

        Examples:
            >>> at = ClinicalTime.model_validate({"at": "2026-11-20T08:00:00Z"})
            >>> two = tuple(measured(Interval.exact(v), UNIT) for v in (2.9, 70))
            >>> span = measured(Interval(low=2.9, high=70), UNIT)
            >>> SeriesSample(value=span, time=at, minutes=0, results=two).shown
            '2.9 and 70 ng/L at one time'
        """
        if not self.results:
            return str(self.value)
        return f"{self.each} at one time"

    @property
    def each(self) -> str:
        """The results of this time, one after the other."""
        *most, last = (str(result.interval) for result in self.results or (self.value,))
        return f"{', '.join(most)}{' and ' if most else ''}{last} {UNIT}"

    @property
    def haemolysed(self) -> bool:
        """Whether the specimen is flagged as haemolysed."""
        return bool(HAEMOLYSED & set(self.flags))

    @property
    def final(self) -> bool:
        """Whether every result of this time is released as final."""
        return not NOT_FINAL & set(self.flags)


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
    placed = place(samples, at)
    open_ones = tuple(_set_aside(f, r) for f, r in placed.aside)
    if not placed.episode:
        missing = NotAssessed(why=Why.MISSING, detail="no troponin sample in the case")
        return Series(set_aside=open_ones, empty=placed.reason or missing)
    last = time_of(placed.episode[-1])
    if is_stale(last, at):
        detail = f"the last sample ({last}) is not of the present episode"
        return Series(empty=NotAssessed(why=Why.STALE, detail=detail))
    return _of_one_assay(placed, open_ones, assay)


def _of_one_assay(placed: Placed, open_ones: tuple[SetAside, ...], assay: str) -> Series:
    own = [f for f in placed.episode if not _of_another_assay(f, assay)]
    others = [f for f in placed.episode if _of_another_assay(f, assay)]
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
        since = minutes_between(time_of(findings[0]), time_of(finding))
        together.setdefault(since, []).append(finding)
    made: list[SeriesSample] = []
    for minutes, group in together.items():
        value = _hull(group)
        made.append(
            SeriesSample(
                value=measured(value, UNIT),
                time=time_of(group[0]),
                minutes=minutes,
                change=_change(made[0].interval, value) if made else None,
                results=_results(group),
                flags=tuple(sorted({flag for f in group for flag in f.flags})),
                evidence=tuple(e for f in group for e in f.evidence),
                finding=tuple(f.id for f in group),
            )
        )
    return tuple(made)


def _results(group: list[Finding]) -> tuple[Measured, ...]:
    """Return the results of one time from low to high where they differ; empty where not."""
    found = {str(f.quantity): f.quantity for f in group if f.quantity is not None}
    ranked = sorted(found.values(), key=lambda q: (q.interval.low or 0.0, str(q)))
    return tuple(ranked) if len(ranked) > 1 else ()


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
