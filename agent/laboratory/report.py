"""Put the laboratory's part of an assessment together."""

from collections.abc import Iterable, Mapping

from agent.laboratory.beside import documented_results, not_read
from agent.laboratory.cancelled import cancelled_results
from agent.laboratory.contaminated import contaminations, with_contamination
from agent.laboratory.indices import indices_of
from agent.laboratory.model import LaboratoryReport, LaboratoryResult
from agent.laboratory.results import (
    current_results,
    later_results,
    older_tests,
    same_time_conflicts,
    susceptibility_conflicts,
)
from knowledge.clinical_time import ClinicalTime
from knowledge.conflict import Conflict
from knowledge.finding import Finding
from knowledge.laboratory_report import report_table
from knowledge.laboratory_site import LaboratoryReference
from knowledge.timeline import Fact, Timeline
from tools.intake.result import InputFile, Retraction
from tools.labs.blood_group import BloodGroup, blood_group
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.markers.of_chart import marker_reports
from tools.labs.patterns.judge import judge_patterns, not_looked_at
from tools.labs.patterns.reflex import reflex_suggestions


def laboratory_report(
    timeline: Timeline,
    *,
    at: ClinicalTime,
    answers: Mapping[str, Finding],
    reference: LaboratoryReference | None = None,
    acute: bool = False,
    time_zone: str | None = None,
    inputs: Iterable[InputFile] = (),
    documented: Iterable[Fact] = (),
    retracted: Iterable[Retraction] = (),
) -> LaboratoryReport | None:
    """Return the laboratory's part of an assessment; None where there is no laboratory result.

    Results of documents alone have a part, too: it says that none of them is used; so have results
    that were all cancelled.

    Args:
        timeline: Of one patient.
        at: The moment of assessment.
        answers: The clinical inputs by id.
        reference: Intervals and critical limits; None for the packaged ones.
        acute: Whether the complaint is known to be acute.
        time_zone: IANA zone of the case.
        inputs: What became of every file, to tell what was not read.
        documented: Results read from documents, which nothing uses until they are confirmed.
        retracted: Records that their source took back or replaced.
    """
    waiting = documented_results(documented)
    chart = LaboratoryChart.of(timeline, at=at, answers=answers, reference=reference)
    hours = report_table().current.hours
    cancelled = cancelled_results(retracted, chart, hours)
    if not (chart.results or chart.unknown or chart.later or waiting or cancelled):
        return None
    results = current_results(chart, hours)
    contamination, chart = contaminations(results, chart)
    results = with_contamination(
        current_results(chart, hours) if chart.of_specimen else results, contamination
    )
    known, open_ = indices_of(chart, hours, _doubtful(results))
    patterns = judge_patterns(chart)
    groups = blood_group([result.finding for result in chart], time_zone=time_zone)
    return LaboratoryReport(
        hours=hours,
        results=results,
        older=older_tests(chart, hours),
        later=later_results(chart),
        cancelled=cancelled,
        contamination=contamination,
        indices=known,
        indices_open=open_,
        patterns=patterns,
        not_looked_at=not_looked_at(chart),
        markers=marker_reports(chart, onset="acute" if acute else None),
        suggestions=reflex_suggestions(chart, patterns),
        blood_group=groups,
        not_read=not_read(inputs),
        documented=waiting,
        conflicts=(
            *same_time_conflicts(chart),
            *susceptibility_conflicts(chart),
            *_conflicts(results, groups),
        ),
    )


def _doubtful(results: tuple[LaboratoryResult, ...]) -> dict[str, str]:
    """Return by test what is known to have falsified its newest result, as a warning."""
    return {
        result.test: f"{result.name} may be falsified: {', '.join(result.falsified_by)}."
        for result in results
        if result.latest and result.test is not None and result.falsified_by
    }


def _conflicts(
    results: tuple[LaboratoryResult, ...], groups: BloodGroup | None
) -> tuple[Conflict, ...]:
    flags = (result.flag.conflict for result in results)
    found = [conflict for conflict in flags if conflict is not None]
    return (*found, *(groups.conflicts if groups is not None else ()))
