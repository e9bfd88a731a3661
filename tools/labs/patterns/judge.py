"""Every laboratory pattern for a chart: supported, argued against or not assessed, with why.

The rules are data (`knowledge.laboratory_patterns`). A criterion that is not known leaves a verdict
open only where it could change it; a pattern that needs a clinical context is not supported without
it. The evidence on both sides is shown whatever the verdict.
"""

from collections.abc import Iterable, Iterator, Mapping

from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, Why
from knowledge.laboratory_patterns import (
    CRITERION,
    FOLDER,
    CriteriaSet,
    Criterion,
    LaboratoryPattern,
    laboratory_patterns,
)
from knowledge.quantity import format_number
from knowledge.reference import Citation, Review
from knowledge.rules import Answer, Condition, answer_of, holds
from knowledge.words import Words
from tools.labs.age_contract import not_for_age
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.paired_result import is_not_comparable
from tools.labs.patterns.fact import Fact, input_label, phrase, reason_words, test_label
from tools.labs.patterns.read import Shared, answers, facts_of
from tools.labs.patterns.verdict import (
    EvidenceLine,
    MissingFact,
    NotLookedAt,
    PatternVerdict,
    PossibleGrade,
    SettlingTest,
    SetVerdict,
    ShownValue,
    Support,
)
from tools.labs.patterns.window import Window

_AGE = "age_years"


def judge_patterns(chart: LaboratoryChart) -> tuple[PatternVerdict, ...]:
    """Return the verdict on every pattern of which a relevant result is there, in order.

    Args:
        chart: The laboratory results of one patient at a moment.
    """
    shared: Shared = {}
    return tuple(
        judge(pattern, chart, shared)
        for pattern in laboratory_patterns().values()
        if is_relevant(pattern, chart)
    )


def not_looked_at(chart: LaboratoryChart) -> tuple[NotLookedAt, ...]:
    """Return the patterns of which no relevant result is there, so that none is passed over."""
    return tuple(
        NotLookedAt(
            id=pattern.id,
            name=pattern.name,
            relevant=pattern.relevant,
            statement=phrase("not_looked_at", tests=_listed(map(test_label, pattern.relevant))),
        )
        for pattern in laboratory_patterns().values()
        if not is_relevant(pattern, chart)
    )


def is_relevant(pattern: LaboratoryPattern, chart: LaboratoryChart) -> bool:
    """Return whether at least one result (or answer) that matters to a pattern is there."""
    for key in pattern.relevant:
        if chart.results.get(key):
            return True
        found = chart.answers.get(key)
        if found is not None and found.not_assessed is None:
            return True
    return False


def judge(
    pattern: LaboratoryPattern, chart: LaboratoryChart, shared: Shared | None = None
) -> PatternVerdict:
    """Return the verdict on one pattern, whatever is there.

    Args:
        pattern: The pattern.
        chart: The laboratory results of one patient at a moment.
        shared: Interferences already looked up; more are added.
    """
    facts, window = facts_of(pattern, chart, {} if shared is None else shared)
    case = _Case(pattern, facts)
    refused = _not_for_age(pattern, chart)
    if refused is not None:
        return _refused(pattern, refused, facts, window)
    sets = tuple(case.verdict_of(chosen) for chosen in pattern.sets)
    first = pattern.sets[0]
    reason = case.reason(first) if sets[0].verdict == "not assessed" else None
    lines = [case.line(criterion) for criterion in pattern.criteria]
    return PatternVerdict(
        id=pattern.id,
        name=pattern.name,
        topic=pattern.topic,
        verdict=sets[0].verdict,
        sets=sets,
        statement=_statement(pattern, sets[0], reason),
        supporting=tuple(line for line in lines if _side(pattern, line) == "for"),
        against=tuple(line for line in lines if _side(pattern, line) == "against"),
        undecided=tuple(line for line in lines if line.met is None),
        missing=tuple(
            _missing(facts[name], case.named(facts[name])) for name in case.deciding(pattern.sets)
        ),
        settle=tuple(_settling(pattern, facts)),
        not_assessed=reason[0] if reason is not None else None,
        caveats=tuple(dict.fromkeys(case.caveats())),
        as_of=window.anchor,
        source=_citations(pattern),
        evidence=(
            *_evidence(facts.values()),
            ReferenceEvidence(table=FOLDER + pattern.id, row=sets[0].id),
        ),
    )


def _not_for_age(
    pattern: LaboratoryPattern, chart: LaboratoryChart
) -> tuple[NotAssessed, Words] | None:
    if pattern.ages is None:
        return None
    return not_for_age(pattern.ages.from_years, answer_of(chart.answer(_AGE)))


def _refused(
    pattern: LaboratoryPattern,
    reason: tuple[NotAssessed, Words],
    facts: Mapping[str, Fact],
    window: Window,
) -> PatternVerdict:
    """Return a pattern whose criteria do not hold, or may not hold, for the person's age."""
    sets = tuple(
        SetVerdict(
            id=chosen.id,
            name=chosen.name,
            verdict="not assessed",
            source=_cite(pattern, chosen.source, chosen.review),
        )
        for chosen in pattern.sets
    )
    asked = reason[0].why is Why.MISSING
    age = MissingFact(
        fact=_AGE, reads=(_AGE,), label=input_label(_AGE), reason=reason[0], words=reason[1]
    )
    return PatternVerdict(
        id=pattern.id,
        name=pattern.name,
        topic=pattern.topic,
        verdict="not assessed",
        sets=sets,
        statement=_statement(pattern, sets[0], reason),
        missing=(age,) if asked else (),
        not_assessed=reason[0],
        as_of=window.anchor,
        source=_citations(pattern),
        evidence=(
            *_evidence(facts.values()),
            ReferenceEvidence(table=FOLDER + pattern.id, row=sets[0].id),
        ),
    )


class _Case:
    """One pattern with what is known: answers of facts, then of criteria."""

    def __init__(self, pattern: LaboratoryPattern, facts: Mapping[str, Fact]) -> None:
        self.pattern = pattern
        self.facts = facts
        self.answers: dict[str, Answer] = answers(facts)
        for criterion in pattern.criteria:
            self.answers[CRITERION + criterion.id] = holds(criterion.when, self.answers)

    def verdict_of(self, chosen: CriteriaSet) -> SetVerdict:
        """Return the verdict by one set."""
        verdict = self.support(chosen)
        grades: tuple[PossibleGrade, ...] = ()
        if verdict == "supported":
            grades = tuple(self._grades(chosen))
        return SetVerdict(
            id=chosen.id,
            name=chosen.name,
            verdict=verdict,
            grades=grades,
            missing=tuple(self.deciding((chosen,))),
            source=_cite(self.pattern, chosen.source, chosen.review),
        )

    def support(self, chosen: CriteriaSet) -> Support:
        """Return whether a set is supported; where both of its rules hold, it is not assessed."""
        supported = holds(chosen.supported_when, self.answers)
        against: bool | None
        if chosen.against_when is None:
            against = None if supported is None else not supported
        else:
            against = holds(chosen.against_when, self.answers)
        if supported and not against:
            return "supported"
        return "argued against" if against and not supported else "not assessed"

    def _grades(self, chosen: CriteriaSet) -> Iterator[PossibleGrade]:
        for grade in chosen.grades:
            truth = True if grade.when is None else holds(grade.when, self.answers)
            if truth is False:
                continue
            source = _cite(self.pattern, grade.source, grade.review)
            yield PossibleGrade(id=grade.id, words=grade.words, source=source)
            if truth:
                return

    def reason(self, chosen: CriteriaSet) -> tuple[NotAssessed, Words]:
        """Return why a set is not assessed."""
        names = list(self.deciding((chosen,)))
        if names:
            found = [self.facts[name] for name in names]
            words = phrase("open", what=_listed(self.named(fact) for fact in found))
            whys = {fact.why.why for fact in found if fact.why is not None}
            why = whys.pop() if len(whys) == 1 else Why.MISSING
            return NotAssessed(why=why, detail=words.en), words
        if chosen.between is not None and holds(chosen.supported_when, self.answers) is False:
            between = chosen.between
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=between.en), between
        words = phrase("contradicts")
        return NotAssessed(why=Why.CONFLICTING, detail=words.en), words

    def named(self, fact: Fact) -> Words:
        """Return the name of a fact that is not known; of one too old, how old it may not be."""
        if fact.why is None or fact.why.why is not Why.STALE:
            return fact.label
        hours = format_number(self.pattern.times.not_older_than_hours)
        return phrase("older", of=fact.label, hours=hours)

    def deciding(self, sets: Iterable[CriteriaSet]) -> Iterator[str]:
        """Yield the facts that are not known and stand in a part that is not decided, once."""
        seen: set[str] = set()
        for chosen in sets:
            rules = [chosen.supported_when]
            rules += [] if chosen.against_when is None else [chosen.against_when]
            if self.support(chosen) == "supported":
                rules = [grade.when for grade in chosen.grades if grade.when is not None]
            elif self.support(chosen) == "argued against":
                rules = []
            for rule in rules:
                for name in self._open(rule):
                    if name not in seen:
                        seen.add(name)
                        yield name

    def _open(self, condition: Condition) -> Iterator[str]:
        """Yield the facts of the leaves that keep a condition from being decided."""
        if holds(condition, self.answers) is not None:
            return
        parts = [*(condition.all or ()), *(condition.any or ()), *(condition.count or ())]
        parts += [part for part in (condition.not_, condition.sure) if part is not None]
        for part in parts:
            yield from self._open(part)
        if condition.input is None:
            return
        criterion = self.pattern.criterion(condition.input)
        if criterion is not None:
            yield from self._open(criterion.when)
            return
        read = [condition.input, *([condition.below.input] if condition.below else [])]
        for name in read:
            yield from self._undecided(name)

    def _undecided(self, name: str) -> Iterator[str]:
        """Yield a fact that is not known; of a quotient or difference, the part that is not."""
        if self.facts[name].decided:
            return
        row = self.pattern.facts.get(name)
        parts = (row.quotient or row.difference or ()) if row is not None else ()
        lacking = [part for part in parts if not self.facts[part].decided]
        if not lacking:
            yield name
        for part in lacking:
            yield from self._undecided(part)

    def line(self, criterion: Criterion) -> EvidenceLine:
        """Return one criterion as a line of evidence."""
        met = holds(criterion.when, self.answers)
        names = dict.fromkeys(self._read(criterion.when))
        facts = [self.facts[name] for name in names]
        words = criterion.words if met is not False else phrase("not_met", what=criterion.words)
        return EvidenceLine(
            criterion=criterion.id,
            words=words if met is not None else phrase("not_known", what=criterion.words),
            met=met,
            values=tuple(
                ShownValue(fact=f.name, label=f.label, words=f.words)
                for f in facts
                if met is None or f.answer is not None
            ),
            source=_cite(self.pattern, criterion.source, criterion.review),
            evidence=_evidence(facts),
        )

    def _read(self, condition: Condition) -> Iterator[str]:
        for name in condition.inputs():
            criterion = self.pattern.criterion(name)
            if criterion is None:
                yield name
            else:
                yield from self._read(criterion.when)

    def caveats(self) -> Iterator[Words]:
        """Yield what must be read with the verdict."""
        for fact in self.facts.values():
            yield from fact.caveats
        for caveat in self.pattern.caveats:
            if caveat.when is None or holds(caveat.when, self.answers) is True:
                yield Words(en=caveat.en, zh=caveat.zh)


def _side(pattern: LaboratoryPattern, line: EvidenceLine) -> str | None:
    speaks = next(row.speaks for row in pattern.criteria if row.id == line.criterion)
    if line.met is None or (line.met is False and speaks != "both"):
        return None
    return "against" if line.met is False or speaks == "against" else "for"


def _statement(
    pattern: LaboratoryPattern, chosen: SetVerdict, reason: tuple[NotAssessed, Words] | None
) -> Words:
    if reason is not None:
        return phrase("not_assessed", name=pattern.name, why=reason[1])
    key = "supported" if chosen.verdict == "supported" else "argued_against"
    said = phrase(key, name=pattern.name, by=chosen.name)
    if not chosen.grades:
        return said
    grades = _joined([grade.words for grade in chosen.grades], " or ", "或")
    which = "with_grade" if len(chosen.grades) == 1 else "grade_open"
    return phrase(which, said=said, grade=grades)


def _settling(pattern: LaboratoryPattern, facts: Mapping[str, Fact]) -> Iterator[SettlingTest]:
    for row in pattern.settle:
        open_ = [facts[name] for name in row.facts if not facts[name].decided]
        if row.facts and not open_:
            continue
        words = Words(en=row.en, zh=row.zh)
        if any(fact.why is not None and is_not_comparable(fact.why) for fact in open_):
            words = phrase("settle_alike", test=words)
        yield SettlingTest(test=row.test, words=words)


def _missing(fact: Fact, label: Words) -> MissingFact:
    why = fact.why or NotAssessed(why=Why.MISSING, detail="not given")
    return MissingFact(
        fact=fact.name, reads=fact.reads, label=label, reason=why, words=reason_words(why)
    )


def _evidence(facts: Iterable[Fact]) -> tuple[Evidence, ...]:
    found = (e for fact in facts for finding in fact.findings for e in finding.evidence)
    return tuple(dict.fromkeys(found))


def _citations(pattern: LaboratoryPattern) -> tuple[Citation, ...]:
    """Return one citation for each source, with the least sure of its review states."""
    least: dict[str, str] = {}
    for row in pattern.sourced():
        if row.source not in least or _doubt(row.review) > _doubt(least[row.source]):
            least[row.source] = row.review
    return tuple(_cite(pattern, source, review) for source, review in least.items())


def _cite(pattern: LaboratoryPattern, source: str, review: str) -> Citation:
    return pattern.cite(FOLDER + pattern.id, source, review)


def _doubt(tag: str) -> tuple[bool, int]:
    review = Review(tag=tag)
    return review.disputed, 100 - (review.confidence_percent or 100)


def _listed(words: Iterable[Words]) -> Words:
    return _joined(list(dict.fromkeys(words)), ", ", "、")


def _joined(words: list[Words], english: str, chinese: str) -> Words:
    return Words(
        en=english.join(word.en for word in words), zh=chinese.join(word.zh for word in words)
    )
