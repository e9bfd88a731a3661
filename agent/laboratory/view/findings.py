"""What stands out of the results: urgent, changed, doubtful or contradictory, and derived."""

from collections.abc import Iterator

from agent.laboratory.model import LaboratoryResult
from agent.laboratory.view.model import Line
from agent.laboratory.view.table import before
from agent.laboratory.view.teller import Teller
from agent.laboratory.view.values import OF_THE_SPECIMEN, is_troponin
from agent.laboratory.view.words import FLAG
from knowledge.index import Index
from knowledge.shown import number_shown, unit_shown
from tools.labs.interval_model import Flag


def urgent(tell: Teller) -> Iterator[Line]:
    """Yield what must be acted on: blood groups that differ, and critical results."""
    group = tell.report.blood_group
    for conflict in () if group is None else group.conflicts:
        said = "; ".join(f"{side.who}: {side.says}" for side in conflict.sides)
        yield Line(
            text=f"{tell.say('Blood groups differ')}:",
            english=f"{conflict.what}: {said}. {conflict.consequence}",
            evidence=tuple(e for side in conflict.sides for e in side.evidence),
        )
    for result in tell.report.urgent:
        converted = f" = {tell.converted(result)}" if tell.converted(result) else ""
        value = f"{tell.value(result)}{converted}"
        said = f"{tell.name(result)} {value} ({tell.time(result.time)})"
        reasons = "; ".join((*_why_urgent(tell, result), *_newer(tell, result)))
        yield Line(
            text=f"{said}: {reasons}{tell.falsified(result)}",
            evidence=result.evidence,
            citations=tuple(dict.fromkeys(limit.citation for limit in result.flag.critical)),
        )


def _why_urgent(tell: Teller, result: LaboratoryResult) -> Iterator[str]:
    """Yield why a result is urgent, each reason once."""
    if result.may_be_critical:
        yield tell.say("not understood as normal, may be urgent")
    elif result.flag.flag is Flag.CRITICAL_ABNORMAL:
        yield tell.say(FLAG["critical-abnormal"])
    if result.marked_critical:
        yield tell.say("marked critical by the laboratory")
    for limit in result.flag.critical:
        sentence = _limit_words(tell, low=limit.side == "low", certain=limit.certain)
        yield sentence % f"{number_shown(limit.limit)} {unit_shown(limit.unit)}"
        if limit.missing:
            yield f"{tell.say('not known')}: {', '.join(map(tell.say, limit.missing))}"


def _newer(tell: Teller, result: LaboratoryResult) -> Iterator[str]:
    """Yield the newest result of the test where this one is not it."""
    newer = tell.report.newer(result)
    if newer is not None:
        value = tell.value(newer)
        yield f"{tell.say('not the newest: the newest is')} {value} ({tell.time(newer.time)})"


def _limit_words(tell: Teller, *, low: bool, certain: bool) -> str:
    if low:
        text = (
            "at or below the critical limit of %s"
            if certain
            else "may be at or below the critical limit of %s"
        )
    else:
        text = (
            "at or above the critical limit of %s"
            if certain
            else "may be at or above the critical limit of %s"
        )
    return tell.say(text)


def changed(tell: Teller) -> Iterator[Line]:
    """Yield the changes that are told before all results; troponin has rules of its own."""
    for result in tell.report.results:
        if result.latest and result.earlier is not None and is_troponin(result):
            yield Line(
                text=f"{tell.name(result)}: {before(tell, result, result.earlier)}",
                evidence=result.evidence,
            )
    for result in tell.report.changed:
        if result.earlier is None or is_troponin(result):
            continue
        earlier = result.earlier
        yield Line(
            text=f"{tell.name(result)}: {before(tell, result, earlier)}",
            evidence=earlier.change.evidence,
            citations=earlier.change.source,
        )


def artefacts(tell: Teller) -> Iterator[Line]:
    """Yield what may be no truth of the patient, and results that cannot be used."""
    for result in tell.report.doubtful:
        for found in result.may_be_false:
            if result.contaminated and found.interference in OF_THE_SPECIMEN:
                continue
            yield Line(
                text=f"{tell.name(result)} {tell.value(result)}:",
                english=found.statement,
                evidence=found.evidence,
                citations=found.source,
            )
    for pattern in tell.report.contamination:
        if pattern.support == "supported" or pattern.suspected:
            yield Line(
                text=f"{tell.say('suspected' if pattern.suspected else pattern.support)}:",
                english=_with_what_settles(pattern.statement, pattern.settles),
                evidence=pattern.evidence,
                citations=pattern.source,
            )
    for result in tell.report.results:
        if result.not_assessed is not None:
            yield _unusable(tell, result)


def _unusable(tell: Teller, result: LaboratoryResult) -> Line:
    printed = f" ({result.reported})" if result.reported else ""
    reason = result.not_assessed
    return Line(
        text=f"{tell.name(result)}{printed}: {tell.say('cannot be used')}: {tell.why(reason)}:",
        english=reason.detail if reason is not None else "",
        evidence=result.evidence,
    )


def conflicts(tell: Teller) -> Iterator[Line]:
    """Yield where two sources say different things, and what follows."""
    for conflict in tell.report.conflicts:
        sides = "; ".join(f"{side.who}: {side.says}" for side in conflict.sides)
        yield Line(
            text="",
            english=f"{conflict.what}: {sides}. {conflict.consequence}",
            evidence=tuple(e for side in conflict.sides for e in side.evidence),
        )


def indices(tell: Teller) -> Iterator[Line]:
    """Yield the derived indices, and those that could not be had with the reason."""
    for index in tell.report.indices:
        yield Line(
            text="",
            english=" ".join((index.statement, *index.caveats)),
            evidence=index.evidence,
            citations=index.source,
        )
    for index in tell.report.indices_open:
        yield Line(
            text=f"{tell.say(index.name)}: {tell.say('not assessed')}:",
            english=_detail(index),
        )


def blood_group(tell: Teller) -> Iterator[Line]:
    """Yield the blood group and whether all reports of it agree."""
    group = tell.report.blood_group
    if group is None:
        return
    unknown = tell.say("not stated")
    yield Line(
        text=f"ABO {group.abo or unknown}; RhD {tell.say(group.rh or unknown)}",
        english=f"ABO {group.abo_consistency}, RhD {group.rh_consistency}. {group.notice}",
        evidence=tuple(e for result in group.results for e in result.evidence),
    )


def sources(tell: Teller) -> Iterator[Line]:
    """Yield who the intervals are by, each once."""
    cited = {
        (used.citation.label, used.citation.review): used.citation
        for result in tell.report.results
        for used in result.flag.intervals
        if used.citation is not None
    }
    for label, review in sorted(cited):
        if tell.chinese:
            yield Line(text=f"{label}; {tell.say(review)}")
        else:
            yield Line(text="", english=f"{label}; {review}")


def _with_what_settles(statement: str, settles: str) -> str:
    return statement if settles in statement else f"{statement} {settles}"


def _detail(index: Index) -> str:
    return "" if index.not_assessed is None else index.not_assessed.detail
