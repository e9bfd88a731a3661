"""Which tests to add, because of a result or a pattern; none that is there already."""

from collections.abc import Iterable, Iterator, Mapping

from knowledge.clinical_time import elapsed
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, State
from knowledge.laboratory_patterns import FactRow, Reading, Times
from knowledge.quantity import Interval
from knowledge.reflex_tests import FILE, READINGS, ReflexTest, reflex_tests
from knowledge.rules import Answer, answer_of, holds
from knowledge.timeline import AWAITED
from knowledge.words import Words
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.patterns.fact import label_of, phrase, test_label
from tools.labs.patterns.read import of_result
from tools.labs.patterns.verdict import PatternVerdict, ReflexSuggestion
from tools.labs.patterns.window import Window

_MINUTES_PER_HOUR = 60
_REPORTED = "reported"
"""A number as it was reported, whatever interferes with it."""
_READ: Mapping[str, Reading] = {"level": "level", "value": "value", "times_upper": "times_upper"}


def reflex_suggestions(
    chart: LaboratoryChart, verdicts: Iterable[PatternVerdict]
) -> tuple[ReflexSuggestion, ...]:
    """Return the tests to add, each with why and its source; none that is there already.

    A suggestion is made only where its condition is known to be true.

    Args:
        chart: The laboratory results of one patient at a moment.
        verdicts: What the patterns say of it.
    """
    table = reflex_tests()
    recent = Times(
        together_hours=table.recent.hours,
        not_older_than_hours=table.recent.hours,
        source=table.recent.source,
        review=table.recent.review,
    )
    window = Window(chart=chart, times=recent, anchor=chart.at, shared={})
    by_id = {verdict.id: verdict for verdict in verdicts}
    return tuple(
        suggestion
        for row in table.tests
        if (suggestion := _suggested(row, window, by_id)) is not None
    )


def _suggested(
    row: ReflexTest, window: Window, verdicts: Mapping[str, PatternVerdict]
) -> ReflexSuggestion | None:
    names = tuple(dict.fromkeys(row.when.inputs()))
    answers: dict[str, Answer] = {}
    evidence: list[Evidence] = []
    for name in names:
        answers[name], found = _read(name, window, verdicts)
        evidence += found
    if holds(row.when, answers) is not True:
        return None
    lacking = [key for key in row.adds if not _is_there(key, row.not_again_hours, window.chart)]
    if row.adds and not lacking:
        return None
    words = [test_label(key) for key in lacking] + list(row.named)
    tests = Words(en="; ".join(w.en for w in words), zh="、".join(w.zh for w in words))
    return ReflexSuggestion(
        id=row.id,
        tests=(*lacking, *(name.en for name in row.named)),
        words=phrase("suggest", tests=tests, why=row.why),
        because=tuple(name for name in names if answers[name] is not None),
        source=reflex_tests().cite(FILE, row.source, row.review),
        evidence=(*dict.fromkeys(evidence), ReferenceEvidence(table=FILE, row=row.id)),
    )


def _read(
    name: str, window: Window, verdicts: Mapping[str, PatternVerdict]
) -> tuple[Answer, Iterable[Evidence]]:
    kind, dot, key = name.partition(".")
    if not dot:
        finding = window.chart.answer(name)
        return answer_of(finding), finding.evidence
    if kind == _REPORTED:
        reading = window.newest(key)
        if isinstance(reading, NotAssessed):
            return None, ()
        return answer_of(reading.result.finding), reading.result.finding.evidence
    if kind in READINGS:
        row = FactRow(analyte=key, read=_READ[kind])
        fact = of_result(name, label_of(row), row, window)
        return fact.answer, (e for f in fact.findings for e in f.evidence)
    verdict = verdicts.get(key)
    if verdict is None:
        return None, ()
    if kind == "pattern":
        return verdict.verdict, verdict.evidence
    grades = frozenset(grade.id for grade in verdict.sets[0].grades)
    return grades or None, verdict.evidence


def _is_there(key: str, hours: float, chart: LaboratoryChart) -> bool:
    """Return whether a test, or what tells the same, is there or awaited within some hours."""
    groups = ((key,), *reflex_tests().instead.get(key, ()))
    return any(all(_was_done(one, hours, chart) for one in group) for group in groups)


def _was_done(key: str, hours: float, chart: LaboratoryChart) -> bool:
    if chart.answer(key).not_assessed is None:
        return True
    return any(_within(times, hours) for times in _times(key, chart))


def _times(key: str, chart: LaboratoryChart) -> Iterator[Interval]:
    for result in chart.results.get(key, ()):
        there = result.finding.state is State.PRESENT or AWAITED in result.finding.flags
        minutes = elapsed(result.finding.time, chart.at).minutes
        if there and minutes is not None:
            yield minutes


def _within(minutes: Interval, hours: float) -> bool:
    return minutes.compare("le", hours * _MINUTES_PER_HOUR) is True
