"""The samples of one marker in order, what was set aside and why, and how they changed.

Two samples are compared only where the kind of method and the specimen are stated and alike, and
the assay is not stated to differ: point-of-care and laboratory results are never mixed.
"""

from collections.abc import Iterable, Sequence

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, format_number
from knowledge.serial_markers import serial_markers
from tools.chart.same_time import reported, same_minute, two_forms
from tools.labs.paired_result import not_comparable, percent_change
from tools.labs.result_source import comparable_result

_MINUTES_PER_HOUR = 60


class SetAsideSample(Frozen):
    """A sample that could not be used, and why."""

    finding: str
    reason: NotAssessed


class MarkerChange(Frozen):
    """The change from an earlier sample to the newest one.

    Args:
        earlier, later: Ids of the findings.
        hours: Between them; None where not known.
        percent: Of the earlier value, negative for a fall; None where not assessed.
        not_assessed: Why they are not compared; given exactly where `percent` is None.
    """

    earlier: str
    later: str
    hours: Interval | None = None
    percent: Interval | None = None
    not_assessed: NotAssessed | None = None

    @property
    def fall_percent(self) -> Interval | None:
        """The fall in per cent, negative for a rise; None where not assessed."""
        if self.percent is None:
            return None
        low, high = self.percent.low, self.percent.high
        return Interval(low=None if high is None else -high, high=None if low is None else -low)


class MarkerSeries(Frozen):
    """The samples that can be used, oldest first, and the changes to the newest."""

    samples: tuple[Finding, ...] = ()
    changes: tuple[MarkerChange, ...] = ()
    set_aside: tuple[SetAsideSample, ...] = ()
    not_assessed: NotAssessed | None = None

    @property
    def newest(self) -> Finding | None:
        """The newest sample."""
        return self.samples[-1] if self.samples else None

    @property
    def compared(self) -> tuple[MarkerChange, ...]:
        """The changes that are assessed."""
        return tuple(change for change in self.changes if change.percent is not None)


def series_of(analyte: str, samples: Iterable[Finding], at: ClinicalTime) -> MarkerSeries:
    """Return the samples of one analyte, as far as they can be used.

    Args:
        analyte: Key of the marker; its row holds the unit that is taken and the hours.
        samples: As intake made them, in any order.
        at: The moment of assessment.
    """
    marker = serial_markers().markers[analyte]
    unit = marker.readings["value"].unit
    given = sorted(samples)
    reasons = {f.id: _unusable(f, analyte, unit, at) for f in given}
    usable = [f for f in given if reasons[f.id] is None]
    usable.sort(key=lambda f: (f.time.sort_key if f.time else at.sort_key, f.id))
    aside = [SetAsideSample(finding=i, reason=r) for i, r in reasons.items() if r is not None]
    if not usable:
        why = aside[0].reason if aside else None
        missing = NotAssessed(why=Why.MISSING, detail=f"no sample of {analyte}")
        return MarkerSeries(set_aside=tuple(aside), not_assessed=why or missing)
    newest = usable[-1]
    unsure = _not_known_which(usable, given, analyte, unit)
    if unsure is not None:
        return MarkerSeries(samples=tuple(usable), set_aside=tuple(aside), not_assessed=unsure)
    age = elapsed(newest.time, at).minutes
    if age is None or age.compare("le", marker.age.newest_hours * _MINUTES_PER_HOUR) is not True:
        hours = format_number(marker.age.newest_hours)
        detail = f"the newest sample is not known to be within {hours} h"
        why = NotAssessed(why=Why.STALE, detail=detail)
        return MarkerSeries(samples=tuple(usable), set_aside=tuple(aside), not_assessed=why)
    kept = [f for f in usable if f is newest or _in_series(f, newest, marker.age.series_hours)]
    too_old = NotAssessed(why=Why.OUTSIDE_WINDOW, detail="collected too long before the newest")
    aside += [SetAsideSample(finding=f.id, reason=too_old) for f in usable if f not in kept]
    changes = tuple(_change(f, newest) for f in kept if f is not newest)
    return MarkerSeries(samples=tuple(kept), changes=changes, set_aside=tuple(aside))


def _not_known_which(
    usable: Sequence[Finding], given: Sequence[Finding], analyte: str, unit: str
) -> NotAssessed | None:
    """Return why it is not known which sample is the newest; None where it is."""
    newest = usable[-1]
    for one in given:
        of_unit = one.quantity is not None and one.quantity.unit == unit
        if one.time is None and of_unit and one.concept.has(ANALYTE, analyte):
            detail = "a sample without a collection time may be newer than the newest that has one"
            return NotAssessed(why=Why.TIME_NOT_GIVEN, detail=detail)
    tied = [f for f in usable if same_minute(f, newest)]
    if len({f.interval for f in tied}) > 1:
        values = " and ".join(map(reported, tied))
        if two_forms(tied):
            detail = f"two assays of one sample are not compared: {values}"
            return NotAssessed(why=Why.CONFLICTING, detail=detail)
        detail = f"samples of one collection time differ: {values}"
        return NotAssessed(why=Why.CONFLICTING, detail=detail)
    return None


def _unusable(finding: Finding, analyte: str, unit: str, at: ClinicalTime) -> NotAssessed | None:
    """Return why a sample cannot be used; None where it can."""
    if finding.not_assessed is not None:
        return finding.not_assessed
    if not finding.concept.has(ANALYTE, analyte):
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=f"no result of {analyte}")
    if finding.state is not State.PRESENT or finding.quantity is None:
        return NotAssessed(why=Why.MISSING, detail="the result is no number")
    if finding.quantity.unit != unit:
        detail = f"unit not recognised: {finding.quantity.unit}, taken is {unit}"
        return NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail=detail)
    if finding.time is None:
        return NotAssessed(why=Why.TIME_NOT_GIVEN, detail="collection: time not given")
    minutes = elapsed(finding.time, at).minutes
    if minutes is None:
        return NotAssessed(why=Why.TIME_ZONE_UNKNOWN, detail="collection: time zone unknown")
    if minutes.compare("lt", 0):
        return NotAssessed(why=Why.FUTURE_TIME, detail="collected after the assessment")
    return None


def _in_series(earlier: Finding, newest: Finding, hours: float) -> bool:
    minutes = elapsed(earlier.time, newest.time).minutes
    return minutes is not None and minutes.compare("le", hours * _MINUTES_PER_HOUR) is True


def _change(earlier: Finding, later: Finding) -> MarkerChange:
    found = MarkerChange(earlier=earlier.id, later=later.id)
    obstacle = _obstacle(earlier, later)
    if obstacle is not None:
        return found.model_copy(update={"not_assessed": obstacle})
    minutes = elapsed(earlier.time, later.time).minutes
    percent = percent_change(earlier.interval or Interval(), later.interval or Interval())
    if percent is None or minutes is None:
        why = NotAssessed(why=Why.CENSORED, detail="the earlier value may be zero")
        return found.model_copy(update={"not_assessed": why})
    return found.model_copy(
        update={"hours": minutes.scaled(1 / _MINUTES_PER_HOUR), "percent": percent}
    )


def _obstacle(earlier: Finding, later: Finding) -> NotAssessed | None:
    if earlier.method and later.method and earlier.method != later.method:
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="not comparable: two assays")
    first, second = (comparable_result(f) for f in (earlier, later))
    if isinstance(first, NotAssessed):
        return first
    return second if isinstance(second, NotAssessed) else not_comparable(first, second)
