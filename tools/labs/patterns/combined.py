"""Facts made of other facts: the first that is known, a quotient, an index, a score."""

from collections.abc import Callable, Iterator

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.codes import Concept
from knowledge.errors import InputError
from knowledge.evidence import ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, State, Why, not_assessed
from knowledge.laboratory_indices import IndexInputRow, laboratory_indices
from knowledge.laboratory_patterns import FactRow, LaboratoryPattern, Supply
from knowledge.quantity import Choice, Interval, measured
from knowledge.risk import Risk
from knowledge.rules import Answer, Condition, answer_of, combine, holds
from knowledge.words import Words
from tools.labs.indices.compute import compute
from tools.labs.indices.corners import image
from tools.labs.indices.mixed import mixed_methods
from tools.labs.indices.supplied import Supplied, UpperLimit
from tools.labs.patterns.fact import Fact, censored, number_words, phrase, unknown
from tools.labs.patterns.window import Window
from tools.risk.score import evaluate, inputs_of

_UPPER_LIMIT = "_upper_limit"
_DURATION = "respiratory_disorder_duration"
_STANDS_IN = {"bicarbonate": "bicarbonate_arterial"}
"""The bicarbonate of a blood gas takes the place of that of the serum where there is none."""


class Combined:
    """Reads what is made of several results.

    Args:
        pattern: The pattern.
        window: Which results count.
        fact: Returns another fact of the pattern by its name.
    """

    def __init__(
        self, pattern: LaboratoryPattern, window: Window, fact: Callable[[str], Fact]
    ) -> None:
        self.pattern = pattern
        self.window = window
        self.other = fact

    def fact(self, name: str, label: Words, row: FactRow) -> Fact:
        """Return a fact of other facts, an index or a score."""
        if row.first_of is not None:
            return self._first(name, label, row.first_of)
        if row.index is not None:
            return self._index(name, label, row)
        if row.score is not None:
            return self._score(name, label, row)
        return self._of_two(name, label, row)

    def _first(self, name: str, label: Words, parts: tuple[str, ...]) -> Fact:
        found = [self.other(part) for part in parts]
        chosen = next((fact for fact in found if fact.answer is not None), found[0])
        reads = tuple(dict.fromkeys(r for fact in found for r in fact.reads))
        return Fact(
            name=name,
            label=label,
            reads=chosen.reads if chosen.answer is not None else reads,
            answer=chosen.answer,
            words=chosen.words,
            why=chosen.why,
            findings=chosen.findings,
            caveats=chosen.caveats,
        )

    def _of_two(self, name: str, label: Words, row: FactRow) -> Fact:
        first, second = (self.other(part) for part in row.parts)
        reads = tuple(dict.fromkeys((*first.reads, *second.reads)))
        findings = (*first.findings, *second.findings)
        caveats = tuple(dict.fromkeys((*first.caveats, *second.caveats)))
        lacking = next((fact for fact in (first, second) if fact.answer is None), None)
        value = None if lacking is not None else _two(row, first.answer, second.answer)
        if value is None:
            why = (lacking.why if lacking is not None else None) or NotAssessed(
                why=Why.CENSORED, detail="the two results give no bound"
            )
            return unknown(name, label, reads, why, findings=findings, caveats=caveats)
        words = number_words(value, "1" if row.quotient is not None else "")
        return Fact(
            name=name,
            label=label,
            reads=reads,
            answer=value,
            words=words,
            why=None if value.is_exact else censored(words),
            findings=findings,
            caveats=caveats,
        )

    def _index(self, name: str, label: Words, row: FactRow) -> Fact:
        key = str(row.index)
        spec = laboratory_indices().indices[key]
        for state, reason in spec.not_when.items():
            if self.window.chart.answer(state).state is State.PRESENT:
                why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=reason)
                return unknown(name, label, (state,), why)
        supplied = {k: self._supplied(k, row_) for k, row_ in spec.inputs.items()}
        reads = tuple(
            dict.fromkeys(r for k, row_ in spec.inputs.items() if (r := _analyte(k, row_)))
        )
        sex = self.window.chart.subject(self.window.anchor).sex
        duration = self.window.chart.answer(_DURATION).choice
        found = compute(key, supplied, {"sex": sex, "duration": duration})
        findings = tuple(s for s in supplied.values() if isinstance(s, Finding))
        caveats = tuple(c for r in reads for c in self._limit_caveats(r))
        if spec.one_method:
            caveats += tuple(
                phrase("mixed_methods", said=said) for said in mixed_methods(spec.inputs, supplied)
            )
        if found.value is None or found.not_assessed is not None:
            why = found.not_assessed or NotAssessed(why=Why.MISSING, detail="not given")
            return unknown(name, label, reads, why, findings=findings, caveats=caveats)
        value = found.value.interval
        words = number_words(value, spec.unit)
        answer: Answer = value
        decided = value.is_exact
        if row.read == "category":
            answer = frozenset(band.name for band in found.bands)
            decided = len(answer) == 1
        return Fact(
            name=name,
            label=label,
            reads=reads,
            answer=answer,
            words=words,
            why=None if decided else censored(words),
            findings=findings,
            caveats=caveats,
        )

    def _limit_caveats(self, analyte: str) -> tuple[Words, ...]:
        reading = self.window.newest(analyte)
        return () if isinstance(reading, NotAssessed) else reading.caveats

    def _supplied(self, key: str, spec: IndexInputRow) -> Supplied:
        if key == "age_years":
            age = self.window.chart.subject(self.window.anchor).age
            return None if age is None else measured(age, "a")
        analyte = _analyte(key, spec)
        if analyte is None:
            return None
        held = self.window.chart.latest(analyte) is not None
        reading = self.window.newest(analyte if held else _STANDS_IN.get(analyte, analyte))
        if isinstance(reading, NotAssessed):
            return reading
        if _UPPER_LIMIT not in key:
            return reading.finding
        limit = reading.upper_limit()
        if isinstance(limit, NotAssessed):
            return limit
        if not limit.is_exact or not limit.high:
            return NotAssessed(
                why=Why.MISSING, detail="which upper limit applies is not known (sex or age)"
            )
        return UpperLimit(value=limit.high, origin="reporting laboratory")

    def _score(self, name: str, label: Words, row: FactRow) -> Fact:
        key = str(row.score)
        findings = self._score_findings(key)
        assessed = {i: f for i, f in findings.items() if f.not_assessed is None}
        try:
            risk = evaluate(key, assessed)
        except InputError as error:
            why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=str(error))
            return unknown(name, label, inputs_of(key), why)
        return _of_risk(name, label, row, risk, tuple(assessed.values()))

    def _score_findings(self, key: str) -> dict[str, Finding]:
        found: dict[str, Finding] = {}
        for input_id in inputs_of(key):
            entry = catalogue().get(input_id)
            finding = self._result(entry) or self.window.chart.answer(input_id)
            supply = self.pattern.supplies.get(input_id)
            if finding.not_assessed is not None and supply is not None:
                finding = self._supply(input_id, entry, supply) or finding
            found[input_id] = finding
        return found

    def _result(self, entry: ClinicalInput) -> Finding | None:
        """Return the result that counts for an input of the laboratory; None where it has none.

        A result that does not count (another time) is not replaced by the chart's own answer.
        """
        if entry.analyte is None or self.window.chart.latest(entry.analyte) is None:
            return None
        reading = self.window.newest(entry.analyte)
        if isinstance(reading, NotAssessed):
            return not_assessed(Concept(text=entry.label), reading.why, reading.detail)
        return reading.finding if reading.unit == entry.unit else None

    def _supply(self, input_id: str, entry: ClinicalInput, supply: Supply) -> Finding | None:
        concept = catalogue().concept(input_id)
        names = [supply.fact] if supply.fact is not None else [*self._named(supply)]
        facts = [self.other(name) for name in names]
        evidence = tuple(e for fact in facts for f in fact.findings for e in f.evidence)
        evidence = evidence or (
            ReferenceEvidence(table=f"laboratory_patterns/{self.pattern.id}", row=input_id),
        )
        if supply.fact is not None:
            answer = self.other(supply.fact).answer
            if not isinstance(answer, Interval) or entry.unit is None:
                return None
            clipped = _not_below_zero(answer) if entry.low == 0 else answer
            value = measured(clipped, entry.unit)
            return Finding(concept=concept, state=State.PRESENT, value=value, evidence=evidence)
        for choice, when in supply.choices.items():
            truth = self._truth(when)
            if truth is None:
                return None
            if truth:
                chosen = Choice(choice=choice)
                if entry.kind == "boolean":
                    state = State(choice)
                    return Finding(concept=concept, state=state, evidence=evidence)
                return Finding(
                    concept=concept, state=State.PRESENT, value=chosen, evidence=evidence
                )
        return None

    def _truth(self, condition: Condition) -> bool | None:
        """Return the truth of a condition over facts, answers and criteria."""

        def test(leaf: Condition) -> bool | None:
            criterion = self.pattern.criterion(leaf.input or "")
            if criterion is not None:
                return self._truth(criterion.when)
            return holds(leaf, {name: self._answer(name) for name in leaf.inputs()})

        return combine(condition, test)

    def _answer(self, name: str) -> Answer:
        if name in self.pattern.facts:
            return self.other(name).answer
        return answer_of(self.window.chart.answer(name))

    def _named(self, supply: Supply) -> Iterator[str]:
        """Yield the facts that the choices of a supply read, through criteria too."""
        waiting = list(supply.choices.values())
        while waiting:
            for name in waiting.pop().inputs():
                criterion = self.pattern.criterion(name)
                if criterion is not None:
                    waiting.append(criterion.when)
                elif name in self.pattern.facts:
                    yield name


def _of_risk(
    name: str, label: Words, row: FactRow, risk: Risk, findings: tuple[Finding, ...]
) -> Fact:
    reads = tuple(missing.input for missing in risk.missing) or inputs_of(str(row.score))
    if risk.not_assessed is not None:
        return unknown(name, label, reads, risk.not_assessed, findings=findings)
    ends = (risk.value, risk.value) if risk.value is not None else risk.range
    points = None if ends is None else Interval(low=ends[0], high=ends[1])
    lacking = ", ".join(missing.label for missing in risk.missing)
    why = None if not lacking else NotAssessed(why=Why.MISSING, detail=f"missing: {lacking}")
    answer: Answer = points
    words = (
        number_words(points, "")
        if points is not None
        else Words(en=risk.category, zh=risk.category)
    )
    if row.read == "category":
        answer = frozenset(band.name for band in risk.bands)
    if answer is None or answer == frozenset():
        why = why or NotAssessed(why=Why.MISSING, detail=risk.statement or "no total")
        return unknown(name, label, reads, why, findings=findings)
    return Fact(
        name=name, label=label, reads=reads, answer=answer, words=words, why=why, findings=findings
    )


def _two(row: FactRow, first: Answer, second: Answer) -> Interval | None:
    if not isinstance(first, Interval) or not isinstance(second, Interval):
        return None
    box = {"a": first, "b": second}
    if row.difference is not None:
        return image(lambda v: v["a"] - v["b"], box)
    if second.low is None or second.low <= 0:
        return None
    return image(lambda v: v["a"] / v["b"], box)


def _analyte(key: str, spec: IndexInputRow) -> str | None:
    return key.partition(_UPPER_LIMIT)[0] if _UPPER_LIMIT in key else spec.analyte


def _not_below_zero(value: Interval) -> Interval:
    """Return a prolongation: a time under the limit is none."""
    low = None if value.low is None else max(value.low, 0.0)
    high = None if value.high is None else max(value.high, 0.0)
    return Interval(low=low, high=high)
