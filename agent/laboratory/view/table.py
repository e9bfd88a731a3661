"""The table of results: one row a result, in panels."""

from collections.abc import Iterator

from agent.laboratory.model import Earlier, LaboratoryResult
from agent.laboratory.view.model import MARK, Line, Panel, Row
from agent.laboratory.view.teller import Teller
from agent.laboratory.view.values import (
    as_printed,
    converted_value,
    form,
    is_troponin,
    measured,
    percent,
    told_once,
    unit_of,
)
from agent.laboratory.view.words import ARROW, AS_GIVEN, CHANGE, FLAG, MARKED, ORIGIN, QUALITY
from knowledge.laboratory_tests import Bounds, laboratory_tests
from knowledge.shown import number_shown, unit_shown
from tools.labs.change import Change


def panels(tell: Teller) -> Iterator[Panel]:
    """Yield the results in their panels."""
    table = laboratory_tests().panels
    by_panel: dict[str, list[Row]] = {}
    for result in tell.report.results:
        by_panel.setdefault(result.panel, []).append(row(tell, result))
    for key, rows in by_panel.items():
        if not key:
            name = tell.say("Other tests, as reported")
        else:
            name = table[key].chinese if tell.chinese else table[key].label
        yield Panel(name=name, rows=tuple(rows))


def row(tell: Teller, result: LaboratoryResult) -> Row:
    """Return one result of the table."""
    flag, tone, sign = _flag(tell, result)
    return Row(
        name=tell.name(result),
        english=result.name if tell.chinese and result.chinese else "",
        value=tell.value(result),
        converted=tell.converted(result),
        time=tell.time(result.time),
        flag=flag,
        tone=tone,
        past=not result.latest,
        sign=sign,
        interval="; ".join(dict.fromkeys(_intervals(tell, result))),
        before="" if result.earlier is None else before(tell, result, result.earlier),
        notes=tuple(tell.told(note) for note in _notes(tell, result)),
        evidence=result.evidence,
    )


def _intervals(tell: Teller, result: LaboratoryResult) -> Iterator[str]:
    for used in result.flag.intervals:
        if used.stated:
            converted = f"{tell.say(used.converted)}{form(result)}"
            yield (
                f"{tell.say(used.stated)} ({tell.say(ORIGIN[used.origin])}; "
                f"{tell.say('converted and rounded: %s') % converted})"
            )
            continue
        words = f"{tell.say(_rounded(used.bounds).words())} {unit_shown(used.unit)}".strip()
        yield f"{words} ({tell.say(ORIGIN[used.origin])})"


def _rounded(bounds: Bounds) -> Bounds:
    """Return bounds without more digits than a converted number has."""
    low, high = (None if x is None else float(number_shown(x)) for x in (bounds.low, bounds.high))
    return bounds.model_copy(update={"low": low, "high": high})


def _flag(tell: Teller, result: LaboratoryResult) -> tuple[str, str, str]:
    flag = result.flag.flag
    if flag is None and is_troponin(result):
        return tell.say("see the troponin rules"), "none", ""
    if result.may_be_critical:
        return tell.say("not understood as normal, may be urgent"), "critical", "?"
    given = [QUALITY[one] for one in result.quality if one in AS_GIVEN]
    if flag is None and given:
        return ", ".join(tell.say(text) for text in given), "none", ""
    if flag is None and result.value and result.quantity is None:
        return tell.say("as reported"), "none", ""
    if flag is None:
        return _why_no_flag(tell, result), "none", "?"
    tone = "critical" if flag.value.startswith("critical") else "out"
    tone = "in" if flag.value == "normal" else tone
    said = tell.say(FLAG[flag.value])
    marked = [MARKED[one] for one in result.flag.laboratory if one in MARKED]
    if marked and tone != "critical":
        by = tell.say("marked critical by the laboratory")
        return f"{said}; {by} ({', '.join(marked)})", "critical", ARROW.get(flag.value, "")
    return said, tone, ARROW.get(flag.value, "")


def _why_no_flag(tell: Teller, result: LaboratoryResult) -> str:
    possible = [tell.say(FLAG[flag.value]) for flag in result.flag.possible]
    if len(possible) > 1:
        missing = ", ".join(map(tell.say, result.flag.missing))
        said = tell.say("%s, not known which") % f" {tell.say('or')} ".join(possible)
        return f"{said} ({missing})" if missing else said
    return f"{tell.say('not assessed')}: {tell.why(result.flag.not_assessed)}"


def _notes(tell: Teller, result: LaboratoryResult) -> Iterator[Line]:
    quality = [one for one in result.quality if one not in AS_GIVEN]
    if quality:
        yield Line(text=", ".join(tell.say(QUALITY.get(one, one)) for one in quality))
    if result.note:
        yield Line(text=f"{tell.say('note of the laboratory')}: \u201c{result.note}\u201d")
    if result.falsified_by:
        told = ", ".join(dict.fromkeys(tell.say(label) for label in told_once(result)))
        yield Line(text=f"{tell.say('may be falsified by')}: {told}")
    if result.part_of:
        yield Line(text=f"{tell.say('belongs to')} {result.part_of}")
    for note in result.flag.notes:
        yield Line(text="", english=note)
    reason = result.flag.not_assessed
    given = any(one in AS_GIVEN for one in result.quality)
    in_words = bool(result.value) and result.quantity is None
    silent = is_troponin(result) or given or in_words
    if reason is not None and len(result.flag.possible) < 2 and not silent:
        yield Line(text="", english=reason.detail)


def before(tell: Teller, result: LaboratoryResult, earlier: Earlier) -> str:
    """Return an earlier result, the change from it, and what it means."""
    change = earlier.change
    then = tell.when(earlier.time, result.time)
    before, after = (
        as_printed(earlier.reported) or measured(change.earlier),
        tell.value(result),
    )
    if unit_of(before) != unit_of(after) and result.value:
        before = converted_value(earlier.reported, str(change.earlier))
        after = converted_value(result.reported, result.value)
    said = f"{before} → {after}{then}"
    if change.percent is not None:
        said += f", {percent(change.percent.interval)}"
    if change.supposed is not None:
        verdict = tell.say(CHANGE[change.supposed])
        return f"{said}: {verdict}{_delta(tell, earlier)}{MARK}"
    if change.not_assessed is not None and is_troponin(result):
        return f"{said}: {tell.say('see the troponin rules')}"
    if change.not_assessed is not None:
        return f"{said}: {tell.say('change not assessed')}: {_not_compared(tell, change)}"
    return f"{said}: {tell.say(CHANGE[change.verdict])}{_delta(tell, earlier)}"


def _not_compared(tell: Teller, change: Change) -> str:
    """Return why two results are not compared: in full where that is held in English."""
    reason = change.not_assessed
    if reason is None or tell.chinese:
        return tell.why(reason)
    return reason.detail


def _delta(tell: Teller, earlier: Earlier) -> str:
    if earlier.delta.state.value != "present" and earlier.delta.supposed is not True:
        return ""
    return f"; {tell.say('reaches the delta check: exclude a mix-up or a contaminated sample')}"
