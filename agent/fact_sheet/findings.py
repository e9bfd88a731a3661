"""Every finding of the assessment as a fact, and every missing input."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.fact_sheet.imaging import measured_findings
from agent.fact_sheet.wording import measured_text
from agent.facts import Fact, FactNumber, FactState
from agent.untrusted import one_line
from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.codes import ANALYTE, EPICRISIS
from knowledge.finding import Finding, State
from knowledge.quantity import Text
from tools.ecg.report import ECG

_LONGEST = 120
_ELSEWHERE = frozenset({"age_years", "sex", "onset"})
"""Told by the facts of the presentation."""


def finding_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield the findings by name and time: a value that two sources state alike is one fact."""
    elsewhere = measured_findings(assessment)
    others = (f for f in assessment.findings if not _told(f) and f.id not in elsewhere)
    made = (_fact(f, assessment.time_zone) for f in others)
    yield from sorted(made, key=lambda fact: (fact.subject.lower(), fact.times, fact.key))


def missing_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield what is missing, most useful first."""
    for item in assessment.missing:
        yield Fact(
            key=f"missing.{item.input}",
            kind="missing",
            names=(item.label,),
            state="not_assessed",
            parts=(item.reason.detail,),
            text=f"{item.label}: not assessed ({item.reason.detail}).",
            inputs=(item.input,),
        )


def _told(finding: Finding) -> bool:
    return any(finding.concept.has(EPICRISIS, key) for key in _ELSEWHERE)


def _fact(finding: Finding, zone: str | None) -> Fact:
    name, ours = _name(finding)
    shown = finding.time.show(zone) if finding.time is not None else ""
    at = f" at {shown}" if shown else ""
    site = tuple(p for p in (finding.body_site or "").split(", ") if p)
    value = measured_text(finding) or _words(finding)
    sites = f" ({', '.join(site)})" if site else ""
    state: FactState
    if finding.state is State.NOT_ASSESSED:
        why = finding.not_assessed.detail if finding.not_assessed else ""
        text, state = f"{name}: not assessed ({why}).", "not_assessed"
        parts: tuple[str, ...] = (why,)
    elif value:
        text, state, parts = f"{name}{sites}: {value}{at}.", "stated", site
    else:
        state = "present" if finding.state is State.PRESENT else "absent"
        text, parts = f"{name}{sites}: {state}{at}.", site
    number = measured_text(finding)
    return Fact(
        key=f"finding.{name}.{','.join(site)}.{shown}.{state}.{value}",
        kind="finding",
        names=(name,),
        state=state,
        numbers=(FactNumber(text=number),) if number else (),
        times=(shown,) if shown else (),
        category="" if number else value,
        parts=parts,
        needed=site if number else (),
        text=text,
        evidence=finding.evidence,
        outside=not ours,
        inputs=tuple(c.code for c in finding.concept.codings if c.system == EPICRISIS),
    )


def _name(finding: Finding) -> tuple[str, bool]:
    """Return the short label of an analyte or input, and whether the wording is ours."""
    for coding in finding.concept.codings:
        if coding.system == EPICRISIS and coding.code in catalogue().inputs:
            return catalogue().inputs[coding.code].label, True
        if coding.system == ANALYTE and coding.code in analytes().analytes:
            return analytes().analytes[coding.code].label, True
        if coding.system == ECG and not isinstance(finding.value, Text):
            return finding.concept.text, True
    return one_line(finding.concept.text, limit=_LONGEST), False


def _words(finding: Finding) -> str:
    """Return a choice, or cleaned text from outside, in words."""
    if isinstance(finding.value, Text):
        return one_line(finding.value.text, limit=_LONGEST)
    if finding.choice is None:
        return ""
    for coding in finding.concept.codings:
        row = catalogue().inputs.get(coding.code)
        if coding.system == EPICRISIS and row is not None and row.choices:
            return str(row.choices.get(finding.choice, finding.choice))
    return finding.choice
