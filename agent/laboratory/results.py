"""The results of now, each with its flag, what came before it, and what may have falsified it."""

from collections.abc import Iterator, Sequence

from agent.laboratory.model import Earlier, LaboratoryResult, NotUsed, OlderTest
from agent.untrusted import one_line
from knowledge.analytes import analytes
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.conflict import Conflict, Side
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_tests import laboratory_tests
from knowledge.timeline import SUPERSEDED
from tools.chart.same_time import same_minute, two_forms
from tools.labs.change import change
from tools.labs.delta_check import delta_check
from tools.labs.interference import InterferenceFinding, interference_on
from tools.labs.laboratory_chart import ChartResult, LaboratoryChart
from tools.labs.paired_result import LabResult
from tools.labs.result_source import comparable_result

_HOUR = 60.0
_NOTE = 200
"""Characters of a laboratory's note that are shown."""

_STATED = ("preliminary", "corrected", "amended")
_SAID = {
    "s": "susceptible",
    "susceptible": "susceptible",
    "sensitive": "susceptible",
    "i": "intermediate",
    "intermediate": "intermediate",
    "r": "resistant",
    "resistant": "resistant",
}
"""Whole answers that name a category of susceptibility, to the flag of the same meaning."""
_CONTRADICTS = "susceptibility-contradicts"
FROM_DDU = "converted-ddu-to-feu"
"""Flag of a D-dimer that was reported in DDU: it is named as it was reported."""
_LONGEST = 120
"""Characters of a name of another system."""


def current_results(chart: LaboratoryChart, hours: float) -> tuple[LaboratoryResult, ...]:
    """Return the results of now, by panel and test, the newest of a test first.

    A result of unknown time may be of now, so it is among them.

    Args:
        chart: Every result with its flag.
        hours: How old a result may be.
    """
    places = {key: place for place, key in enumerate(laboratory_tests().panels)}
    found: list[tuple[tuple[int, str], LaboratoryResult]] = []
    for key, held in chart.results.items():
        newest = chart.newest[key]
        for result, before in reversed(_with_the_one_before(held)):
            if is_current(result.finding.time, chart.at, hours):
                latest = any(result is one for one in newest.contenders)
                earlier = None if latest and newest.why is not None else before
                one = _result(result, key, chart, earlier, latest=latest)
                if latest and newest.why is not None:
                    one = _with_note(one, newest.why)
                if not latest and SUPERSEDED in result.finding.flags:
                    instead = _instead(result, held)
                    one = one.model_copy(update={"superseded": instead, "earlier": None})
                found.append(((places.get(one.panel, len(places)), one.name.lower()), one))
    for result in reversed(chart.unknown):
        if is_current(result.finding.time, chart.at, hours):
            one = _result(result, None, chart, None, latest=True)
            found.append(((len(places), one.name.lower()), one))
    return tuple(result for _, result in sorted(found, key=lambda pair: pair[0]))


def _with_the_one_before(
    held: Sequence[ChartResult],
) -> tuple[tuple[ChartResult, ChartResult | None], ...]:
    """Return each result with the last before it that it may be compared with."""
    found: list[tuple[ChartResult, ChartResult | None]] = []
    before: ChartResult | None = None
    for result in held:
        found.append((result, before))
        finding = result.finding
        if result.usable and finding.time is not None and SUPERSEDED not in finding.flags:
            before = result
    return tuple(found)


def _instead(result: ChartResult, held: Sequence[ChartResult]) -> str:
    """Return the versions that hold instead of a result that was replaced, with their status."""
    found = [
        ", ".join((r.finding.reported or str(r.finding.value), *_stated(r.finding)))
        for r in held
        if SUPERSEDED not in r.finding.flags and same_minute(r.finding, result.finding)
    ]
    return one_line("; ".join(found), limit=_LONGEST) or "another version"


def _with_note(result: LaboratoryResult, why: NotAssessed) -> LaboratoryResult:
    flag = result.flag.model_copy(update={"notes": (*result.flag.notes, f"{why.detail}.")})
    return result.model_copy(update={"flag": flag})


def same_time_conflicts(chart: LaboratoryChart) -> tuple[Conflict, ...]:
    """Return the tests of which results of one collection time differ, with every value."""
    found = []
    for key, newest in chart.newest.items():
        if newest.why is None or newest.why.why is not Why.CONFLICTING:
            continue
        if two_forms([result.finding for result in newest.contenders]):
            continue
        sides = tuple(
            Side(
                who=", ".join((f"result {number}", *_stated(result.finding))),
                says=result.finding.reported or str(result.finding.value),
                evidence=result.finding.evidence,
            )
            for number, result in enumerate(newest.contenders, start=1)
        )
        found.append(
            Conflict(
                what=f"{names(key, newest.finding)[0]}, {newest.why.detail}",
                sides=sides,
                consequence="None of them is taken: what needs this result is a range or not "
                "assessed. Ask the laboratory which one holds.",
            )
        )
    return tuple(found)


def _stated(finding: Finding) -> tuple[str, ...]:
    return tuple(flag for flag in finding.flags if flag in _STATED)


def later_results(chart: LaboratoryChart) -> tuple[NotUsed, ...]:
    """Return the results that were collected after the moment of assessment."""
    found = []
    for result in chart.later:
        name, chinese = names(result.analyte, result.finding)
        found.append(
            NotUsed(
                finding=result.finding.id,
                name=name,
                chinese=chinese,
                time=result.finding.time,
                evidence=result.finding.evidence,
            )
        )
    return tuple(found)


def older_tests(chart: LaboratoryChart, hours: float) -> tuple[OlderTest, ...]:
    """Return the tests whose newest result is of the past, with that result."""
    found = []
    for key, held in chart.results.items():
        newest = held[-1].finding
        if newest.time is not None and not is_current(newest.time, chart.at, hours):
            name, chinese = names(key, newest)
            value = "" if newest.value is None else str(newest.value)
            found.append(
                OlderTest(test=key, name=name, chinese=chinese, value=value, time=newest.time)
            )
    return tuple(found)


def is_current(time: ClinicalTime | None, at: ClinicalTime, hours: float) -> bool:
    """Return whether a result is, or may be, not older than the window."""
    minutes = elapsed(time, at).minutes
    return minutes is None or minutes.compare("le", hours * _HOUR) is not False


def names(key: str | None, finding: Finding) -> tuple[str, str]:
    """Return the English and the Chinese name of a test; that of the source where we hold none."""
    table = laboratory_tests()
    if key is None:
        return one_line(finding.concept.text, limit=_LONGEST), ""
    worded = table.worded.get(key)
    if worded is not None:
        return worded.label, worded.chinese
    label, chinese = analytes().analytes[key].label, table.tests[key].chinese
    if FROM_DDU in finding.flags:
        return label.replace("FEU", "DDU"), chinese.replace("FEU", "DDU")
    return label, chinese


def as_lab_result(finding: Finding) -> LabResult | NotAssessed:
    """Return a finding as one that can be compared, with what is stated of how it was measured."""
    return comparable_result(finding)


def _result(
    result: ChartResult,
    key: str | None,
    chart: LaboratoryChart,
    before: ChartResult | None,
    *,
    latest: bool,
) -> LaboratoryResult:
    finding = result.finding
    name, chinese = names(key, finding)
    found = tuple(_interferences(key, finding, chart))
    return LaboratoryResult(
        finding=finding.id,
        test=key,
        name=name,
        chinese=chinese,
        panel=_panel(key),
        value="" if finding.value is None or not result.usable else str(finding.value),
        quantity=finding.quantity if result.usable else None,
        reported=finding.reported or "",
        time=finding.time,
        not_assessed=finding.not_assessed,
        latest=latest,
        may_be_critical=_may_be_critical(key, result),
        flag=result.flag,
        earlier=_earlier(finding, before),
        interferences=tuple(one for one in found if one.state is State.PRESENT),
        suspected=tuple(one for one in found if one.suspected),
        not_known=tuple(
            one.label for one in found if one.state is State.NOT_ASSESSED and not one.suspected
        ),
        quality=_quality(finding),
        part_of=_part_of(finding, chart),
        note=one_line(finding.note, limit=_NOTE),
        evidence=finding.evidence,
    )


def _quality(finding: Finding) -> tuple[str, ...]:
    """Return the quality flags; of a susceptibility that contradicts itself none is taken."""
    flags = tuple(flag for flag in finding.flags if not flag.startswith("lab-"))
    if len(_susceptibilities(finding)) < 2:
        return flags
    return (*(flag for flag in flags if flag not in _SAID.values()), _CONTRADICTS)


def _susceptibilities(finding: Finding) -> dict[str, str]:
    """Return the categories that a result names, each with who says it."""
    said = {flag: "interpretation" for flag in finding.flags if flag in _SAID.values()}
    answer = _SAID.get(str(finding.value).strip().casefold()) if finding.value else None
    return said if answer is None or not said else {answer: "answer", **said}


def susceptibility_conflicts(chart: LaboratoryChart) -> tuple[Conflict, ...]:
    """Return the susceptibilities whose answer and interpretation contradict each other."""
    return tuple(
        Conflict(
            what=f"Susceptibility, {names(result.analyte, result.finding)[0]}",
            sides=tuple(
                Side(who=who, says=category, evidence=result.finding.evidence)
                for category, who in found.items()
            ),
            consequence="Neither is taken: ask the laboratory before the antibiotic is chosen.",
        )
        for result in chart
        if len(found := _susceptibilities(result.finding)) > 1
    )


def _part_of(finding: Finding, chart: LaboratoryChart) -> str:
    """Return the results that a result belongs to, with their values; empty for none."""
    if not finding.derived_from:
        return ""
    found = [
        f"{names(other.analyte, other.finding)[0]}: {other.finding.value}"
        for other in chart
        if other.usable
        and other.finding is not finding
        and any(
            e.kind == "fhir" and e.resource in finding.derived_from for e in other.finding.evidence
        )
    ]
    return one_line("; ".join(found), limit=_LONGEST)


def _may_be_critical(key: str | None, result: ChartResult) -> bool:
    row = laboratory_tests().worded.get(key or "")
    return row is not None and row.critical and result.usable and result.flag.flag is None


def _earlier(finding: Finding, earlier: ChartResult | None) -> Earlier | None:
    """Return the comparison with the last result before that has a value."""
    now = as_lab_result(finding)
    if earlier is None or isinstance(now, NotAssessed):
        return None
    then = as_lab_result(earlier.finding)
    if isinstance(then, NotAssessed):
        return None
    return Earlier(
        value=str(earlier.finding.value),
        reported=earlier.finding.reported or "",
        time=earlier.finding.time,
        change=change(then, now),
        delta=delta_check(then, now),
    )


def _interferences(
    key: str | None, finding: Finding, chart: LaboratoryChart
) -> Iterator[InterferenceFinding]:
    if key is None or finding.state is not State.PRESENT:
        return
    assay = chart.answer("troponin_assay")
    yield from interference_on(
        key,
        chart.signals(finding),
        troponin_assay=None if assay.value is None else str(assay.value),
        evidence=chart.specimen(finding).evidence,
    )


def _panel(key: str | None) -> str:
    if key is None:
        return ""
    table = laboratory_tests()
    worded = table.worded.get(key)
    return worded.panel if worded is not None else table.tests[key].panel
