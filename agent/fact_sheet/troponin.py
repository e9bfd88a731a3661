"""The troponin samples as one series, and what the telling rule says about them."""

from agent.assessment import Assessment, Sentence
from agent.fact_sheet.split import parts_of
from agent.fact_sheet.wording import measured_text
from agent.facts import Fact, FactNumber
from knowledge.analytes import analytes
from knowledge.clinical_time import elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, State
from knowledge.quantity import format_number
from knowledge.risk import Risk

_TOOL = "serial_troponin"
_KEYS = ("hs_ctnt", "hs_ctni")
SERIES = "troponin.series"
"""Key of the series."""


def troponin_facts(assessment: Assessment, sentence: Sentence) -> tuple[Fact, ...]:
    """Return the series and the result, where a sentence tells the troponin."""
    risk = _telling(assessment, sentence)
    if risk is None:
        if not sentence.text.startswith("Troponin: "):
            return ()
        return (
            Fact(
                key="troponin",
                kind="troponin_result",
                whole=True,
                text=sentence.text,
                evidence=sentence.evidence,
            ),
        )
    series = _series(assessment)
    result = _result(risk, series)
    return (result,) if series is None else (series, result)


def _telling(assessment: Assessment, sentence: Sentence) -> Risk | None:
    for risk in assessment.risks:
        said = f"{risk.name}: {risk.statement or risk.category}"
        if risk.tool == _TOOL and risk.not_assessed is None and said == sentence.text:
            return risk
    return None


def _result(risk: Risk, series: Fact | None) -> Fact:
    statement = risk.statement or risk.category
    known = {number.text for number in series.numbers} if series else set()
    parts = tuple(p for p in parts_of(statement) if not _is_of_series(p, known))
    return Fact(
        key=f"score.{risk.name}",
        kind="troponin_result",
        names=(risk.name,),
        parts=parts,
        needed=parts,
        text=f"{risk.name}: {'; '.join(parts)}.",
        evidence=risk.evidence,
        citation=risk.source[0].id if risk.source else None,
        inputs=tuple(item.input for item in risk.missing),
    )


_SERIES_WORDS = ("first sample ", "then ", "change ", "sample ")


def _is_of_series(part: str, known: set[str]) -> bool:
    """Return whether a part only repeats the numbers of the series."""
    rest = part
    for word in _SERIES_WORDS:
        rest = rest.removeprefix(word)
    return rest in known or all(half in known for half in rest.split(" after "))


def _series(assessment: Assessment) -> Fact | None:
    """Return the samples in order; None where they are not of one assay kind, exact and timed."""
    samples: dict[str, Finding] = {}
    keys: set[str] = set()
    for finding in assessment.findings:
        key = next((k for k in _KEYS if finding.concept.has(ANALYTE, k)), None)
        if key is not None and finding.state is State.PRESENT and finding.quantity is not None:
            samples[finding.id] = finding
            keys.add(key)
    found = sorted(samples.values(), key=lambda f: f.time.sort_key if f.time else ())
    if len(keys) != 1 or any(f.time is None for f in found):
        return None
    label = analytes().analytes[keys.pop()].label
    return _told(label, found, assessment.time_zone)


def series_dated(fact: Fact, day: str) -> Fact:
    """Return a series with the time of each sample, where one is of another day than this.

    Args:
        fact: Any fact; only a series is changed.
        day: The day of the assessment; empty where it is not known.
    """
    if fact.key != SERIES or not fact.times:
        return fact
    if day and all(time.startswith(day) for time in fact.times):
        return fact
    samples = [f"{n.text} at {n.time}" for n in fact.numbers if n.time]
    by_role = {n.role: n.text for n in fact.numbers}
    text = f"{fact.subject}: {', then '.join(samples)}"
    if "delay" in by_role:
        text += f", after {by_role['delay']} (change {by_role['change']})"
    return fact.model_copy(update={"text": f"{text}."})


def _told(label: str, found: list[Finding], zone: str | None) -> Fact:
    numbers = [_number(f, index, zone) for index, f in enumerate(found)]
    text = f"{label}: {', then '.join(number.text for number in numbers)}"
    if len(found) == 2 and (pair := _pair(found[0], found[1])):
        delay, change = pair
        text += f" after {delay} (change {change})"
        numbers.append(FactNumber(text=delay, role="delay"))
        numbers.append(FactNumber(text=change, role="change"))
    return Fact(
        key=SERIES,
        kind="troponin",
        names=(label, "troponin", "high-sensitivity troponin"),
        numbers=tuple(numbers),
        times=tuple(n.time for n in numbers if n.time),
        text=f"{text}.",
        evidence=tuple(e for f in found for e in f.evidence),
    )


def _number(finding: Finding, index: int, zone: str | None) -> FactNumber:
    shown = finding.time.show(zone) if finding.time else ""
    return FactNumber(text=measured_text(finding), role="later" if index else "first", time=shown)


def _pair(first: Finding, second: Finding) -> tuple[str, str] | None:
    """Return delay and change of two exact samples, as the statements of the rules write them."""
    minutes = elapsed(first.time, second.time).minutes
    low, high = first.interval, second.interval
    if minutes is None or not minutes.is_exact or minutes.low is None or low is None:
        return None
    if high is None or low.low is None or high.low is None:
        return None
    if not low.is_exact or not high.is_exact or first.quantity is None:
        return None
    change = round(high.low - low.low, 6)
    sign = "+" if change > 0 else ""
    delay = f"{round(minutes.low)} min"
    return delay, f"{sign}{format_number(change)} {first.quantity.unit}"
