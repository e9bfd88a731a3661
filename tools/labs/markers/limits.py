"""The upper limit that a marker is compared with: of the interval actually used, or none."""

from knowledge.finding import Finding, NotAssessed
from knowledge.quantity import Interval
from knowledge.rules import Answer
from tools.labs.interval import flag_result
from tools.labs.interval_model import ResultFlag, Subject
from tools.labs.laboratory_chart import ChartResult
from tools.labs.patterns.window import Reading


def upper_limit(finding: Finding, analyte: str, subject: Subject) -> Interval | None:
    """Return the upper limit of the interval used for a sample; None where none is known.

    Args:
        finding: The sample.
        analyte: Key of the analyte table.
        subject: Whose it is, as far as known.
    """
    flag: ResultFlag = flag_result(finding, subject)
    result = ChartResult(finding=finding, analyte=analyte, flag=flag)
    found = Reading(result=result, value=finding.interval or Interval()).upper_limit()
    return None if isinstance(found, NotAssessed) else found


def printed_limit(finding: Finding, subject: Subject) -> Interval | None:
    """Return the upper limit that the laboratory itself printed; None where it printed none."""
    used = [i for i in flag_result(finding, subject).intervals if i.origin == "printed"]
    highs = [i.bounds.high for i in used if i.bounds.high is not None]
    return Interval.exact(highs[0]) if len(highs) == 1 else None


def times(value: Interval | None, limit: Interval | None) -> Answer:
    """Return a value divided by a limit; None where either is not known."""
    if value is None or limit is None or not limit.low or not limit.high:
        return None
    return Interval(
        low=None if value.low is None else value.low / limit.high,
        high=None if value.high is None else value.high / limit.low,
        low_closed=value.low_closed,
        high_closed=value.high_closed,
    )
