"""An onset long before the assessment is more likely a wrong year than this presentation."""

from knowledge.chart_items import chart_item_table
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.finding import Why
from knowledge.quantity import format_number
from knowledge.timeline import Category, Fact
from tools.intake.withhold import withheld

_HOURS_A_DAY = 24
_MINUTES_AN_HOUR = 60


def plausible_onset(fact: Fact, at: ClinicalTime | None) -> Fact:
    """Return a stated onset that lies too long before the assessment as not assessed."""
    if fact.category is not Category.STATED or not fact.finding.concept.has(EPICRISIS, "onset"):
        return fact
    hours = chart_item_table().windows.onset_hours
    since = elapsed(fact.finding.time, at).minutes if fact.finding.time and at else None
    if since is None or since.low is None or since.low <= hours * _MINUTES_AN_HOUR:
        return fact
    days = format_number(hours / _HOURS_A_DAY)
    detail = f"the stated onset is more than {days} days before the assessment: check the date"
    return withheld(fact, Why.OUTSIDE_WINDOW, detail, "implausible-onset")
