"""Results that their source cancelled or took back: named with their time, without a value."""

from collections.abc import Iterable, Iterator

from agent.laboratory.model import CancelledResult
from agent.laboratory.results import is_current, names
from agent.untrusted import one_line
from knowledge.timeline import Category
from tools.intake.result import Retraction
from tools.labs.laboratory_chart import LaboratoryChart, test_key

_IN_ERROR = "entered-in-error"
_NOTE = 200
"""Characters of a laboratory's note that are shown."""


def cancelled_results(
    retracted: Iterable[Retraction], chart: LaboratoryChart, hours: float
) -> tuple[CancelledResult, ...]:
    """Return the laboratory results that were taken back, by name and time, each once.

    What was taken back and reported again, of one test and collection time, is told by its result.

    Args:
        retracted: Records that their source took back or replaced.
        chart: The results that hold, and the moment of assessment.
        hours: How old a result may be; one of unknown time may be of now.
    """
    reported = {(r.analyte, r.finding.time) for r in chart if r.analyte and r.finding.time}
    found = {
        (one.name, one.time, one.in_error): one
        for item in retracted
        for one in _of(item)
        if is_current(one.time, chart.at, hours) and (one.test, one.time) not in reported
    }
    return tuple(sorted(found.values(), key=_order))


def _of(item: Retraction) -> Iterator[CancelledResult]:
    for fact in item.facts:
        key = test_key(fact)
        if key is None and fact.category not in (Category.LABORATORY, Category.REPORT):
            continue
        finding = fact.finding
        name, chinese = names(key, finding)
        yield CancelledResult(
            finding=finding.id,
            test=key,
            name=name,
            chinese=chinese,
            time=finding.time,
            in_error=_IN_ERROR in item.reason,
            note=one_line(finding.note, limit=_NOTE),
            evidence=finding.evidence,
        )


def _order(one: CancelledResult) -> tuple[str, str]:
    return one.name.lower(), "" if one.time is None else one.time.model_dump_json()
