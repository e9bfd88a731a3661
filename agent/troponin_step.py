"""The troponin step: every algorithm on the samples of this presentation.

The 0/3 h rule asks for GRACE points, and GRACE asks whether the first marker was raised: so the
series is read once for the marker, then GRACE, then the series with the points.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.called import Called
from agent.outputs import named
from agent.runner import Log, refused
from agent.state import NOT_ASSESSED
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS, Concept
from knowledge.evidence import ToolEvidence
from knowledge.finding import Finding, NotAssessed, State, Why, not_assessed
from knowledge.pathways import Pathway, Step
from knowledge.quantity import Interval, measured
from knowledge.risk import Risk
from knowledge.rules import Answer, answer_of
from tools.labs.serial_troponin import SerialTroponin
from tools.labs.troponin_levels import STATEMENT
from tools.toolbox import Tool, discover

_GRACE = "grace_in_hospital"
_DECIDED = ("rule-out", "rule-in", "observe")
_HIGH = frozenset({"lab-high", "lab-critical-high", "lab-abnormal", "lab-critical-abnormal"})
_WAITING = ("need second sample", "rule-out pending a 3 h sample")

Resolve = Callable[[Mapping[str, Finding]], Mapping[str, Finding]]
"""From findings of tools to the clinical inputs as they then stand."""


def run_troponin(
    samples: Sequence[Finding],
    from_tools: Mapping[str, Finding],
    resolve: Resolve,
    *,
    at: ClinicalTime,
    pathway: Pathway,
    step: Step,
    log: Log,
    admission: Mapping[str, Finding],
) -> tuple[dict[str, Risk], tuple[Finding, ...]]:
    """Return the risks by key, and what the tool states beside them.

    Args:
        samples: Of this presentation.
        from_tools: What tools have answered so far.
        resolve: How these become clinical inputs.
        at: The moment of assessment.
        pathway: For the keys of the algorithms.
        step: The pathway's step.
        log: Where the run is recorded.
        admission: The inputs GRACE reads from the admission instead of their latest value.
    """
    tool = discover()[step.tool]
    first = _call(log, tool, samples, resolve(from_tools), at, None)
    said = inputs_of(_stated(first))
    points = _grace_points(log, {**resolve({**from_tools, **said}), **admission})
    called = _call(log, tool, samples, resolve(from_tools), at, points)
    if called.problem is not None:
        log.add(tool, step, called)
        problem = called.problem
        return {key: named(tool, refused(tool, problem)) for key in pathway.troponin_order}, ()
    result: SerialTroponin = called.result
    risks = result.by_key()
    log.add(tool, step, called, reason=_why_nothing(risks))
    return {key: named(tool, risks[key]) for key in pathway.troponin_order}, _stated(called)


def troponin_answers(
    samples: Sequence[Finding], risks: Mapping[str, Risk], order: Sequence[str]
) -> dict[str, Answer]:
    """Return whether a sample was taken, is waited for or due, and whether it is decided.

    A sample is waited for only where the first algorithm that applies at all asks for one: a
    result that is open for another reason (the ECG, the age) is not settled by another sample.
    """
    usable = any(sample.state is State.PRESENT for sample in samples)
    said = [risks[key].category for key in order if key in risks]
    applied = [category for category in said if category != NOT_ASSESSED]
    decided = bool(set(said) & set(_DECIDED))
    return {
        "troponin.sampled": True if usable else None if samples else False,
        "troponin.decided": decided,
        "troponin.waiting": not decided and bool(applied) and applied[0] in _WAITING,
        "troponin.next-due": any(r.next_due is not None for r in risks.values()),
    }


def laboratory_says_high(samples: Sequence[Finding]) -> bool:
    """Return whether the laboratory itself marks a troponin of this presentation as high."""
    return any(_HIGH & set(sample.flags) for sample in samples)


def statement_answers(said: Sequence[Finding]) -> dict[str, Answer]:
    """Return ``statement.<code>`` for what the tool states beside clinical inputs."""
    return {
        f"statement.{coding.code}": answer_of(finding)
        for finding in said
        for coding in finding.concept.codings
        if coding.system == STATEMENT
    }


def is_fresh(samples: Sequence[Finding], at: ClinicalTime, limit_hours: float) -> Answer:
    """Return whether the latest usable sample is not older than the limit; None where unknown."""
    times = [s.time for s in samples if s.state is State.PRESENT and s.time is not None]
    if not times:
        return None
    minutes = elapsed(max(times, key=lambda t: t.sort_key), at).minutes
    return None if minutes is None else minutes.compare("le", limit_hours * 60.0)


def inputs_of(said: Sequence[Finding]) -> dict[str, Finding]:
    """Return the findings that answer clinical inputs, by id."""
    return {
        coding.code: finding
        for finding in said
        for coding in finding.concept.codings
        if coding.system == EPICRISIS
    }


def _stated(called: Called) -> tuple[Finding, ...]:
    return () if called.problem is not None else called.result.findings


def _call(
    log: Log,
    tool: Tool[..., Any],
    samples: Sequence[Finding],
    findings: Mapping[str, Finding],
    at: ClinicalTime,
    grace_points: Finding | None,
) -> Called:
    arguments = {
        **findings,
        "samples": tuple(samples),
        "assay": findings["troponin_assay"],
        "at": at,
        "grace_points": grace_points,
    }
    called = log.call(tool, arguments)
    log.settle()
    return called


def _grace_points(log: Log, findings: Mapping[str, Finding]) -> Finding:
    """Return the GRACE points as a finding: exact, a range, or not assessed."""
    tool = discover()[_GRACE]
    concept = Concept(text="GRACE in-hospital points")
    called = log.call(tool, findings)
    log.settle()
    if called.problem is not None:
        return not_assessed(concept, called.problem.why, called.problem.detail)
    risk: Risk = called.result
    if risk.value is not None:
        points = Interval.exact(risk.value)
    elif risk.range is not None:
        points = Interval(low=risk.range[0], high=risk.range[1])
    else:
        reason = risk.not_assessed or NotAssessed(why=Why.DEPENDS, detail="no points")
        return not_assessed(concept, reason.why, reason.detail)
    return Finding(
        concept=concept,
        state=State.PRESENT,
        value=measured(points, "1"),
        evidence=(ToolEvidence(tool=tool.name, version=tool.version, output="points"),),
    )


def _why_nothing(risks: Mapping[str, Risk]) -> str:
    reasons = [risk.not_assessed for risk in risks.values()]
    if all(reason is not None for reason in reasons) and reasons and reasons[0] is not None:
        return reasons[0].detail
    return ""
