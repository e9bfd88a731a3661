"""What the results mean together: patterns, serial markers, and what would settle them."""

from collections.abc import Iterator, Set

from agent.laboratory.view.model import Line
from agent.laboratory.view.teller import Teller
from agent.laboratory.view.values import measured
from knowledge.finding import Why
from knowledge.laboratory_patterns import laboratory_patterns
from tools.labs.markers.report import MarkerReport
from tools.labs.paired_result import is_not_comparable
from tools.labs.patterns.verdict import (
    EvidenceLine,
    MissingFact,
    PatternVerdict,
    ShownValue,
    Support,
)


def patterns(tell: Teller, verdict: Support) -> Iterator[Line]:
    """Yield the patterns of one verdict."""
    for pattern in tell.report.patterns:
        if pattern.verdict == verdict:
            yield _pattern(tell, pattern)


def _pattern(tell: Teller, pattern: PatternVerdict) -> Line:
    return Line(
        text=pattern.statement.read(tell.language),
        evidence=pattern.evidence,
        citations=pattern.source,
        details=tuple(_of_pattern(tell, pattern)),
    )


def patterns_open(tell: Teller) -> Iterator[Line]:
    """Yield the patterns not assessed that something points to, and the others by name."""
    abnormal = {r.test for r in tell.report.results if r.outside or r.critical}
    rest: list[PatternVerdict] = []
    for pattern in tell.report.patterns:
        if pattern.verdict != "not assessed":
            continue
        if _is_pointed_to(pattern, abnormal):
            yield _pattern(tell, pattern)
        else:
            rest.append(pattern)
    if rest:
        said = tell.say("%d more not assessed, nothing points to them (in full: --format json):")
        names = "; ".join(pattern.name.read(tell.language) for pattern in rest)
        yield Line(
            text=f"{said % len(rest)} {names}",
            citations=tuple(dict.fromkeys(c for pattern in rest for c in pattern.source)),
        )


def _of_pattern(tell: Teller, pattern: PatternVerdict) -> Iterator[str]:
    for heading, lines in (("for", pattern.supporting), ("against", pattern.against)):
        if lines:
            told = "; ".join(dict.fromkeys(_criterion(tell, line) for line in lines))
            yield f"{tell.say(heading)}: {told}"
    if pattern.missing:
        told = "; ".join(_missing(tell, item) for item in pattern.missing)
        yield f"{tell.say('missing for it')}: {told}"
    if pattern.settle and pattern.verdict != "argued against":
        told = "; ".join(item.words.read(tell.language) for item in pattern.settle)
        yield f"{tell.say('would settle it')}: {told}"
    for caveat in pattern.caveats:
        yield caveat.read(tell.language)


def _missing(tell: Teller, item: MissingFact) -> str:
    """Return what is missing; where results are there that may not be compared, with that."""
    label = item.label.read(tell.language)
    if not is_not_comparable(item.reason):
        return label
    return f"{label} ({item.words.read(tell.language)})"


def _criterion(tell: Teller, line: EvidenceLine) -> str:
    said = line.words.read(tell.language)
    values = ", ".join(_value(tell, value, said) for value in line.values)
    return f"{said} ({values})" if values else said


def _value(tell: Teller, value: ShownValue, said: str) -> str:
    """Return a value with what it is of, where the sentence beside it does not name that."""
    label, words = value.label.read(tell.language), value.words.read(tell.language)
    return words if label.casefold() in said.casefold() else f"{label} {words}"


def markers(tell: Teller) -> Iterator[Line]:
    """Yield the serial markers."""
    for report in tell.report.markers:
        value = "" if report.value is None else f" {measured(report.value)}"
        held = [one.words.read(tell.language) for one in report.statements if one.holds]
        said = " ".join(held) or tell.say("no statement holds")
        if report.not_assessed is not None:
            said = f"{tell.say('not assessed')}: {tell.say(report.not_assessed.detail)}"
        yield Line(
            text=f"{report.name.read(tell.language)}{value}: {said}",
            evidence=report.evidence,
            citations=report.source,
            details=tuple(_of_marker(tell, report)),
        )


def _of_marker(tell: Teller, report: MarkerReport) -> Iterator[str]:
    open_ = [one for one in report.statements if one.holds is None]
    if open_:
        told = "; ".join(one.words.read(tell.language) for one in open_)
        yield f"{tell.say('not known whether')}: {told}"
    for caveat in report.caveats:
        yield caveat.read(tell.language)


def suggestions(tell: Teller) -> Iterator[Line]:
    """Yield the tests that would be added."""
    for suggestion in tell.report.suggestions:
        yield Line(
            text=suggestion.words.read(tell.language),
            evidence=suggestion.evidence,
            citations=(suggestion.source,),
        )


def not_looked_at(tell: Teller) -> Iterator[Line]:
    """Yield the patterns for which there is no result at all."""
    names = [pattern.name.read(tell.language) for pattern in tell.report.not_looked_at]
    if names:
        said = tell.say("No result of what these need:")
        yield Line(text=f"{said} {'; '.join(names)}")


def _is_pointed_to(pattern: PatternVerdict, abnormal: Set[str | None]) -> bool:
    """Return whether a pattern has evidence for it, an abnormal result, or does not apply."""
    if pattern.supporting or pattern.not_assessed is None:
        return True
    if pattern.not_assessed.why is Why.OUTSIDE_CONTRACT:
        return True
    relevant = laboratory_patterns()[pattern.id].relevant
    return any(key in abnormal for key in relevant)
