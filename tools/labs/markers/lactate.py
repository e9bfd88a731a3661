"""Lactate with time: its height, its clearance; arterial and venous samples are never compared."""

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import LOINC
from knowledge.finding import Finding
from knowledge.laboratory_tests import laboratory_tests
from knowledge.quantity import Interval
from knowledge.rules import Answer, answer_of
from tools.labs.markers.report import MarkerReport, marker_report
from tools.labs.markers.series import MarkerChange, series_of
from tools.toolbox import Card, tool

_KEY = "lactate"
_TWO_HOURS = 2.0
"""The span that the criterion of Jansen 2010 counts by."""


@tool(
    card=Card(
        title="Lactate and its clearance",
        group="laboratory",
        topic="serial markers",
        on_request=True,
        needs=("lactate with unit, collection time, method and specimen (arterial or venous)",),
        refuses=(
            "a clearance between arterial and venous samples",
            "a clearance between point-of-care and laboratory results, or where it is not stated",
        ),
        limits=("the newest sample within 6 hours",),
        sources=("Sepsis-3 2016", "Surviving Sepsis Campaign 2021", "Nguyen 2004", "Jansen 2010"),
    ),
    version="1.0.0",
)
def lactate_clearance(samples: tuple[Finding, ...], *, at: ClinicalTime) -> MarkerReport:
    """Return what lactate says: its height, and the clearance from the first comparable sample.

    Args:
        samples: Lactate as intake made it.
        at: The moment of assessment.
    """
    series = series_of(_KEY, tuple(_with_specimen(finding) for finding in samples), at)
    first = series.compared[0] if series.compared else None
    answers: dict[str, Answer] = {
        "value": answer_of(series.newest),
        "fall_percent": None if first is None else first.fall_percent,
        "hours": None if first is None else first.hours,
        "fall_percent_2h": None if first is None else _each_two_hours(first),
    }
    return marker_report(_KEY, series, answers)


def _with_specimen(finding: Finding) -> Finding:
    """Return a sample with arterial or venous as its specimen, where its code states it."""
    means = laboratory_tests().tests[_KEY].loinc_means
    codes = [c.code for c in finding.concept.codings if c.system == LOINC]
    arterial = next((means[c].get("arterial") for c in codes if c in means), None)
    if arterial is None:
        return finding
    kind = "arterial" if arterial else "venous"
    stated = f"{kind}, {finding.specimen}" if finding.specimen else kind
    return finding.model_copy(update={"specimen": stated})


def _each_two_hours(change: MarkerChange) -> Answer:
    """Return the fall in per cent for each two hours; None where the time is not one number."""
    fall, hours = change.fall_percent, change.hours
    if fall is None or hours is None or not hours.is_exact or not hours.low:
        return None
    share = _TWO_HOURS / hours.low
    return Interval(
        low=None if fall.low is None else fall.low * share,
        high=None if fall.high is None else fall.high * share,
    )
