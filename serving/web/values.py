"""Values, units and moments as a page writes them."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from agent.assessment import Assessment
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import EPICRISIS
from knowledge.finding import Finding, State
from knowledge.quantity import Choice, Quantity, QuantityInterval, Text
from knowledge.shown import number_shown, unit_shown
from knowledge.troponin import TroponinAssay, assays
from serving.web.words import NO, YES, Say

_NIGHT = 24 * 60


def input_of(finding: Finding) -> str | None:
    """Return the clinical-input id that a finding answers, or None."""
    codes = (c.code for c in finding.concept.codings if c.system == EPICRISIS)
    return next(codes, None)


def assay_of(assessment: Assessment) -> TroponinAssay | None:
    """Return the troponin assay that is named in an assessment; None where none is, or unknown."""
    named = choice_of(assessment, "troponin_assay")
    return None if named is None else assays().assays.get(named)


def choice_of(assessment: Assessment, input_id: str) -> str | None:
    """Return what was chosen of a clinical input; None where it is not known."""
    found = (f for f in assessment.findings if f.concept.has(EPICRISIS, input_id))
    return next((f.choice for f in found if f.choice is not None), None)


def value_and_unit(finding: Finding, say: Say, *, time_zone: str | None) -> tuple[str, str]:
    """Return a present or absent finding's value and unit, as shown; both empty otherwise."""
    value = finding.value
    match value:
        case Quantity():
            return number_shown(value.value), unit_shown(value.unit)
        case QuantityInterval():
            return str(value.interval), unit_shown(value.unit)
        case Choice():
            entry = catalogue().inputs.get(input_of(finding) or "")
            known = entry.choices if entry is not None else {}
            return known.get(value.choice, value.choice), ""
        case Text():
            return value.text, ""
        case None:
            return _stated(finding, say, time_zone), ""


def _stated(finding: Finding, say: Say, time_zone: str | None) -> str:
    if finding.state is State.NOT_ASSESSED:
        return ""
    entry = catalogue().inputs.get(input_of(finding) or "")
    if entry is not None and entry.kind == "time" and finding.time is not None:
        return finding.time.show(time_zone)
    return say(YES) if finding.state is State.PRESENT else say(NO)


def zone_of(time_zone: str | None) -> tzinfo:
    """Return the zone a page shows times in: the case's, else UTC."""
    return ZoneInfo(time_zone or "UTC")


def clock(moment: ClinicalTime | datetime, time_zone: str | None, *, beside: datetime) -> str:
    """Return a moment in a few characters: the time of day, with its date where it is another day.

    Args:
        moment: What is shown; one whose zone is not known keeps its own clock and says so.
        time_zone: Of the page.
        beside: The moment the page is about.

    Examples:
        >>> from datetime import UTC
        >>> clock(datetime(2026, 1, 2, 9, 5, tzinfo=UTC), None,
        ...       beside=datetime(2026, 1, 2, 12, 0, tzinfo=UTC))
        '09:05'
    """
    if isinstance(moment, ClinicalTime):
        if moment.at.tzinfo is None or moment.precision not in ("minute", "second"):
            return moment.show(time_zone)
        moment = moment.at
    zone = zone_of(time_zone)
    local, day = moment.astimezone(zone), beside.astimezone(zone).date()
    return local.strftime("%H:%M" if local.date() == day else "%Y-%m-%d %H:%M")


def span(minutes: float, say: Say) -> str:
    """Return a length of time in words a clock would use.

    Examples:
        >>> [span(m, str) for m in (7, 64, 24 * 60 * 3)]
        ['7 min', '1 h 04 min', '3 d']
    """
    whole = abs(round(minutes))
    if whole < 60:
        return say("%d min") % whole
    if whole < 2 * _NIGHT:
        return say("%d h %02d min") % (whole // 60, whole % 60)
    return say("%d d") % (whole // _NIGHT)
