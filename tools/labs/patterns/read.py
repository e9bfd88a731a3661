"""The facts of a pattern, read from the chart: results, limits, changes, answers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_patterns import FactRow, LaboratoryPattern
from knowledge.laboratory_tests import Bounds, laboratory_tests
from knowledge.laboratory_words import laboratory_told
from knowledge.quantity import Interval
from knowledge.rules import Answer, answer_of
from knowledge.words import Words
from tools.labs.interference import InterferenceFinding
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.patterns.combined import Combined
from tools.labs.patterns.fact import (
    Fact,
    censored,
    input_label,
    label_of,
    number_words,
    phrase,
    test_label,
    unknown,
)
from tools.labs.patterns.series import not_stated, over_series
from tools.labs.patterns.window import Reading, Window, anchor_of
from tools.risk.score import inputs_of

Shared = dict[tuple[str, str], tuple[InterferenceFinding, ...]]


def facts_of(
    pattern: LaboratoryPattern, chart: LaboratoryChart, shared: Shared
) -> tuple[dict[str, Fact], Window]:
    """Return every fact of a pattern, with the clinical inputs its conditions read, by name.

    Args:
        pattern: The pattern.
        chart: What is known.
        shared: Interferences already looked up; more are added.
    """
    read = {key: key in pattern.relevant for key in analytes_of(pattern)}
    window = Window(chart=chart, times=pattern.times, anchor=anchor_of(chart, read), shared=shared)
    reader = _Reader(pattern, window)
    for name in pattern.facts:
        reader.fact(name)
    for name in clinical_names(pattern):
        reader.known.setdefault(name, clinical_fact(name, name, window))
    return reader.known, window


def analytes_of(pattern: LaboratoryPattern) -> tuple[str, ...]:
    """Return the keys of the analytes a pattern reads, those that matter first."""
    held = analytes().analytes
    read = [key for row in pattern.facts.values() for key in _analytes_of_fact(row)]
    worded = laboratory_tests().worded
    named = (key for key in (*pattern.relevant, *read) if key in held or key in worded)
    return tuple(dict.fromkeys(named))


def _analytes_of_fact(row: FactRow) -> Iterator[str]:
    """Yield the analytes that a fact reads, through an index or a score too."""
    if row.analyte is not None:
        yield row.analyte
    if row.index is not None:
        inputs = laboratory_indices().indices[row.index].inputs.values()
        yield from (spec.analyte for spec in inputs if spec.analyte is not None)
    if row.score is not None:
        entries = (catalogue().get(key) for key in inputs_of(row.score))
        yield from (entry.analyte for entry in entries if entry.analyte is not None)


def clinical_names(pattern: LaboratoryPattern) -> Iterator[str]:
    """Yield the names that a pattern reads beside its facts: clinical inputs and worded tests."""
    for _, condition in pattern.conditions():
        for name in condition.inputs():
            if name not in pattern.facts and pattern.criterion(name) is None:
                yield name
    for settle in pattern.settle:
        yield from (name for name in settle.facts if name not in pattern.facts)


def clinical_fact(name: str, input_id: str, window: Window) -> Fact:
    """Return a clinical answer of the chart as a fact; else the worded test of the same name."""
    finding = window.chart.answer(input_id)
    label = input_label(input_id)
    answer = answer_of(finding)
    if answer is None and window.chart.results.get(input_id):
        return _worded(name, label, input_id, window)
    if finding.not_assessed is not None or answer is None:
        why = finding.not_assessed or NotAssessed(why=Why.MISSING, detail="not given")
        return unknown(name, label, (input_id,), why)
    words = _answer_words(input_id, finding, answer)
    bounds = isinstance(answer, Interval) and not answer.is_exact
    return Fact(
        name=name,
        label=label,
        reads=(input_id,),
        answer=answer,
        words=words,
        why=censored(words) if bounds else None,
        findings=(finding,),
    )


def _as_computed(fact: Fact, row: FactRow, window: Window) -> Fact:
    """Return an answer that was computed from results: a bound where something reaches them."""
    if not isinstance(fact.answer, Interval) or row.clinical is None:
        return fact
    value, caveats = window.as_computed(fact.answer, row.computed_from)
    if not caveats:
        return fact
    words = number_words(value, catalogue().get(row.clinical).unit or "1")
    return replace(
        fact,
        answer=value,
        words=words,
        why=fact.why if value.is_exact else censored(words),
        caveats=(*fact.caveats, *caveats),
    )


def _worded(name: str, label: Words, test: str, window: Window) -> Fact:
    found = window.worded(test)
    if isinstance(found, NotAssessed):
        return unknown(name, label, (test,), found)
    abnormal, finding = found
    words = phrase("yes" if abnormal else "no")
    return Fact(
        name=name, label=label, reads=(test,), answer=abnormal, words=words, findings=(finding,)
    )


def _answer_words(input_id: str, finding: Finding, answer: Answer) -> Words:
    if isinstance(answer, bool):
        return phrase("yes" if finding.state is State.PRESENT else "no")
    if isinstance(answer, Interval):
        return number_words(answer, catalogue().get(input_id).unit or "1")
    choice = str(answer)
    english = catalogue().get(input_id).choices.get(choice, choice)
    return Words(en=english, zh=laboratory_told()(english))


class _Reader:
    """Reads each fact once; facts made of others ask for those first."""

    def __init__(self, pattern: LaboratoryPattern, window: Window) -> None:
        self.pattern = pattern
        self.window = window
        self.known: dict[str, Fact] = {}

    def fact(self, name: str) -> Fact:
        """Return a fact by its name."""
        if name not in self.known:
            self.known[name] = self._read(name, self.pattern.facts[name])
        return self.known[name]

    def _read(self, name: str, row: FactRow) -> Fact:
        label = label_of(row)
        if row.clinical is not None:
            found = clinical_fact(name, row.clinical, self.window)
            return _as_computed(found, row, self.window) if row.computed_from else found
        if row.analyte is not None:
            if row.within_hours is not None or row.days_apart is not None:
                return _of_series(name, label, row, self.window)
            return of_result(name, label, row, self.window)
        if row.interference is not None:
            return _of_interference(name, label, row, self.window)
        combined = Combined(self.pattern, self.window, self.fact)
        return combined.fact(name, label, row)


def of_result(name: str, label: Words, row: FactRow, window: Window) -> Fact:
    """Return a fact read from the newest result of an analyte."""
    analyte = str(row.analyte)
    reading = window.newest(analyte, row.together_hours)
    if isinstance(reading, NotAssessed):
        return unknown(name, label, (analyte,), reading)
    if row.read == "level":
        return _level(name, label, analyte, reading)
    value: Interval | NotAssessed = reading.value
    unit, caveats = reading.unit, reading.caveats
    if row.read in ("times_upper", "over_upper", "upper_limit"):
        value = _against_limit(row, reading)
        unit = "1" if row.read == "times_upper" else unit
        caveats = (*caveats, *reading.limit_caveats)
    if isinstance(value, NotAssessed):
        found = (reading.result.finding,)
        return unknown(name, label, (analyte,), value, findings=found, caveats=caveats)
    return _numeric(name, label, (analyte,), value, unit, (reading,), caveats)


def _against_limit(row: FactRow, reading: Reading) -> Interval | NotAssessed:
    limit = reading.upper_limit()
    if isinstance(limit, NotAssessed):
        return limit
    if row.read == "upper_limit":
        return limit
    low, high = limit.low or 0.0, limit.high or 0.0
    value = reading.value
    if row.read == "over_upper":
        return Interval(
            low=None if value.low is None else round(value.low - high, 9),
            high=None if value.high is None else round(value.high - low, 9),
            low_closed=value.low_closed,
            high_closed=value.high_closed,
        )
    if low <= 0:
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="the upper limit is zero")
    return Interval(
        low=None if value.low is None else value.low / high,
        high=None if value.high is None else value.high / low,
        low_closed=value.low_closed,
        high_closed=value.high_closed,
    )


def _level(name: str, label: Words, analyte: str, reading: Reading) -> Fact:
    """Return whether a result is low, normal or high by the interval used."""
    used = reading.result.flag.intervals
    same = [i for i in used if i.unit == reading.unit]
    found = reading.result.finding
    if reading.no_interval is not None or len(same) != len(used):
        detail = "the interval is in another unit than the result"
        why = reading.no_interval or NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail=detail)
        return unknown(name, label, (analyte,), why, findings=(found,), caveats=reading.caveats)
    possible = frozenset(level for i in same for level in _levels(i.bounds, reading.value))
    words = phrase("level_" + "_or_".join(sorted(possible)), value=str(found.value))
    return Fact(
        name=name,
        label=label,
        reads=(analyte,),
        answer=possible,
        words=words,
        why=censored(words) if len(possible) > 1 else None,
        findings=(found,),
        caveats=(*reading.caveats, *reading.limit_caveats),
    )


def _levels(bounds: Bounds, value: Interval) -> Iterator[str]:
    below, above = bounds.is_below(value), bounds.is_above(value)
    if below is not False:
        yield "low"
    if above is not False:
        yield "high"
    if below is not True and above is not True:
        yield "normal"


def _of_series(name: str, label: Words, row: FactRow, window: Window) -> Fact:
    analyte = str(row.analyte)
    found = over_series(row, window)
    if isinstance(found, NotAssessed):
        return unknown(name, label, (analyte,), found)
    value, readings = found
    units = {"times_lowest": "1", "fall_percent": "%"}
    unit = units.get(row.read, readings[0].unit)
    caveats = tuple(c for reading in readings for c in reading.caveats)
    if not_stated(readings):
        caveats = (*caveats, phrase("method_not_stated", of=test_label(analyte)))
    return _numeric(name, label, (analyte,), value, unit, readings, caveats)


def _of_interference(name: str, label: Words, row: FactRow, window: Window) -> Fact:
    analyte = str(row.on)
    reading = window.newest(analyte)
    if isinstance(reading, NotAssessed):
        return unknown(name, label, (analyte,), reading)
    every = window.interferences(reading.result, analyte)
    found = next((i for i in every if i.interference == row.interference), None)
    if found is None:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=f"it does not reach {analyte}")
        return unknown(name, label, (analyte,), why)
    if found.not_assessed is not None:
        return unknown(name, label, (analyte,), found.not_assessed)
    present = found.state is State.PRESENT
    return Fact(
        name=name,
        label=label,
        reads=(analyte,),
        answer=present,
        words=phrase("yes" if present else "no"),
        findings=(reading.result.finding,),
    )


def _numeric(
    name: str,
    label: Words,
    reads: tuple[str, ...],
    value: Interval,
    unit: str,
    readings: tuple[Reading, ...],
    caveats: tuple[Words, ...],
) -> Fact:
    words = number_words(value, unit)
    return Fact(
        name=name,
        label=label,
        reads=reads,
        answer=value,
        words=words,
        why=None if value.is_exact else censored(words),
        findings=tuple(reading.result.finding for reading in readings),
        caveats=tuple(dict.fromkeys(caveats)),
    )


def answers(facts: Mapping[str, Fact]) -> dict[str, Answer]:
    """Return what the facts say to conditions."""
    return {name: fact.answer for name, fact in facts.items()}
