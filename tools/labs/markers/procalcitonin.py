"""Procalcitonin: bacterial infection by setting, when antibiotics may stop, its kinetics."""

from typing import Literal

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding
from knowledge.quantity import Interval
from knowledge.rules import Answer, answer_of
from tools.labs.markers.report import MarkerReport, marker_report
from tools.labs.markers.series import MarkerSeries, series_of
from tools.toolbox import Card, tool

Setting = Literal["respiratory", "intensive-care"]
_KEY = "procalcitonin"
_HOURS_PER_DAY = 24.0


@tool(
    card=Card(
        title="Procalcitonin, antibiotics and kinetics",
        group="laboratory",
        topic="serial markers",
        on_request=True,
        needs=("procalcitonin with unit, collection time and method", "setting"),
        refuses=("a fall between point-of-care and laboratory results, or between two assays",),
        limits=("adults", "the stopping rule is that of intensive care"),
        sources=("ProHOSP 2009, doi 10.1001/jama.2009.1297", "SAPS 2016"),
    ),
    version="1.0.0",
)
def procalcitonin_course(
    samples: tuple[Finding, ...], *, at: ClinicalTime, setting: Setting | None = None
) -> MarkerReport:
    """Return what procalcitonin says: infection, whether antibiotics may stop, how it falls.

    Args:
        samples: Procalcitonin as intake made it.
        at: The moment of assessment.
        setting: Lower respiratory infection or intensive care; None where not known.
    """
    series = series_of(_KEY, samples, at)
    answers: dict[str, Answer] = {
        "value": answer_of(series.newest),
        "setting": setting,
        "peak_fall_percent": _from_peak(series),
        "fall_percent_day": _each_day(series),
    }
    return marker_report(_KEY, series, answers)


def _from_peak(series: MarkerSeries) -> Answer:
    """Return the largest fall to the newest from an earlier comparable sample, in per cent."""
    falls = [change.fall_percent for change in series.compared]
    known = [fall for fall in falls if fall is not None and fall.low is not None]
    if not known:
        return None
    highs = [fall.high for fall in known]
    return Interval(
        low=max(fall.low for fall in known if fall.low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
    )


def _each_day(series: MarkerSeries) -> Answer:
    """Return the fall for each 24 hours from the sample before, as of an exponential fall."""
    last = series.changes[-1] if series.changes else None
    if last is None or last.percent is None or last.hours is None or not last.hours.is_exact:
        return None
    days = (last.hours.low or 0.0) / _HOURS_PER_DAY
    if days <= 0 or last.percent.low is None or last.percent.high is None:
        return None
    return Interval(low=_daily(last.percent.high, days), high=_daily(last.percent.low, days))


def _daily(percent: float, days: float) -> float:
    """Return the fall of one day, %, where the value changed by `percent` over some days.

    Examples:
        >>> round(_daily(-75.0, 2.0), 6)
        50.0
    """
    left: float = (1.0 + percent / 100.0) ** (1.0 / days)
    return (1.0 - left) * 100.0
