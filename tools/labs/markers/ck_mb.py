"""CK-MB by mass: above its limit, rise and fall, a second rise after infarction."""

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding
from knowledge.quantity import Interval
from knowledge.rules import Answer, answer_of
from tools.labs.interval_model import Subject
from tools.labs.markers.limits import times, upper_limit
from tools.labs.markers.report import MarkerReport, marker_report
from tools.labs.markers.series import MarkerSeries, series_of
from tools.toolbox import Card, tool

_KEY = "ck_mb"
_PERCENT = 100.0


@tool(
    card=Card(
        title="CK-MB (mass), serial",
        group="laboratory",
        topic="serial markers",
        on_request=True,
        needs=("CK-MB mass with unit, collection time and method",),
        refuses=(
            "CK-MB activity: another analyte",
            "a change between point-of-care and laboratory results, two assays or two specimens",
        ),
        limits=("the upper limit is that of the interval used",),
        sources=("Fourth Universal Definition of Myocardial Infarction (2018)",),
    ),
    version="1.0.0",
)
def ck_mb_serial(
    samples: tuple[Finding, ...],
    *,
    at: ClinicalTime,
    subject: Subject | None = None,
    total_ck: Finding | None = None,
) -> MarkerReport:
    """Return what CK-MB samples say: raised, rising or falling, fitting a reinfarction.

    Args:
        samples: CK-MB mass, as intake made them.
        at: The moment of assessment.
        subject: Whose they are, for the interval.
        total_ck: Total CK of the same moment, for the relative index.
    """
    series = series_of(_KEY, samples, at)
    given = () if total_ck is None else (total_ck,)
    answers = _readings(series, subject or Subject(), total_ck)
    return marker_report(_KEY, series, answers, given=given)


def _readings(
    series: MarkerSeries, subject: Subject, total_ck: Finding | None
) -> dict[str, Answer]:
    newest = series.newest
    if newest is None:
        return {}
    over = [times(f.interval, upper_limit(f, _KEY, subject)) for f in series.samples]
    known = [o.compare("gt", 1) if isinstance(o, Interval) else None for o in over]
    last = series.changes[-1] if series.changes else None
    rise = last.percent if last is not None else None
    return {
        "value": answer_of(newest),
        "times_upper": over[-1],
        "any_over_limit": True if True in known else None if None in known else False,
        "change_percent": _largest(series),
        "rise_percent": rise,
        "rise_hours": last.hours if last is not None else None,
        "relative_index": _relative(newest, total_ck),
    }


def _largest(series: MarkerSeries) -> Answer:
    """Return the largest change between the newest and an earlier comparable sample."""
    sizes = [
        change.percent.absolute_difference(Interval.exact(0))
        for change in series.compared
        if change.percent is not None
    ]
    if not sizes:
        return None
    highs = [size.high for size in sizes]
    return Interval(
        low=max(size.low or 0.0 for size in sizes),
        high=None if None in highs else max(high for high in highs if high is not None),
    )


def _relative(ck_mb: Finding, total_ck: Finding | None) -> Answer:
    """Return CK-MB over total CK in per cent, of one moment; None where not known."""
    if total_ck is None or total_ck.interval is None or ck_mb.interval is None:
        return None
    apart = elapsed(ck_mb.time, total_ck.time).minutes
    if apart is None or apart.compare("eq", 0) is not True:
        return None
    found = times(ck_mb.interval, total_ck.interval)
    return found.scaled(_PERCENT) if isinstance(found, Interval) else None
