"""Scores beyond the pathway, run by name on a case: by code, whether or not there is a model.

A score is given what the pathway used, and what the chart and ``case.yaml`` answer of the questions
that only such scores ask. What is not known stays unknown: the result is then a range with what is
missing, as everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from agent.assess import Outcome
from agent.assessment import Assessment, MissingItem
from agent.called import guarded
from agent.ecg_step import ecg_findings
from agent.outputs import named
from agent.runner import refused
from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.codes import EPICRISIS
from knowledge.evidence import ToolEvidence
from knowledge.finding import Finding, State
from knowledge.quantity import Interval, measured
from knowledge.reference import Citation
from knowledge.risk import Risk
from knowledge.scores import score, score_ids
from tools.chart.answers import resolve
from tools.risk.score import evaluate
from tools.toolbox import discover


@cache
def on_request() -> tuple[str, ...]:
    """Return the ids of the scores that run only by name."""
    return tuple(key for key in score_ids() if score(key).on_request)


def known(outcome: Outcome) -> Mapping[str, Finding]:
    """Return what a case holds of every clinical input, by id; nothing for a case not read.

    What the pathway was given comes first, so that a score says nothing else than the assessment.
    """
    if outcome.case is None:
        return {}
    used = _used(outcome.assessment)
    from_tools = {**ecg_findings(outcome.ecgs), **{i: f for i, f in used.items() if _by_tool(i)}}
    found = resolve(
        outcome.case.timeline,
        at=outcome.assessment.provenance.at,
        from_tools=from_tools,
        entries=catalogue().every,
    ).findings
    every = {**found, **used}
    return {**every, **dict(_totals(every))}


def run(names: Iterable[str], findings: Mapping[str, Finding]) -> tuple[Risk, ...]:
    """Return the result of each score; one that cannot be run says why.

    Args:
        names: Ids of scores.
        findings: By clinical-input id.
    """
    return tuple(_run(name, findings) for name in dict.fromkeys(names))


def with_scores(outcome: Outcome, names: Sequence[str]) -> Assessment:
    """Return the assessment of a case, with more scores beside those of the pathway.

    Their missing inputs and sources are added; nothing that the pathway concluded changes.

    Args:
        outcome: The case.
        names: Ids of scores; those that the assessment holds already are left as they are.
    """
    made = outcome.assessment
    held = {risk.tool for risk in made.risks}
    risks = run([name for name in names if name not in held], known(outcome)) if names else ()
    if not risks:
        return made
    return made.model_copy(
        update={
            "risks": (*made.risks, *risks),
            "missing": (*made.missing, *_missing(made, risks)),
            "citations": _citations(made, risks),
        }
    )


def _run(name: str, findings: Mapping[str, Finding]) -> Risk:
    tool = discover()[name]
    called = guarded(name, lambda: evaluate(name, findings))
    risk: Risk = called.result if called.problem is None else refused(tool, called.problem)
    return named(tool, risk)


def _used(made: Assessment) -> dict[str, Finding]:
    """Return the answers that the pathway used, by id: the first of each stands in its order."""
    found: dict[str, Finding] = {}
    for finding in made.findings:
        for coding in finding.concept.codings:
            if coding.system == EPICRISIS and coding.code in catalogue().inputs:
                found.setdefault(coding.code, finding)
    return found


def _by_tool(input_id: str) -> bool:
    return catalogue().get(input_id).tool


def _totals(findings: Mapping[str, Finding]) -> Iterable[tuple[str, Finding]]:
    """Yield the inputs that the number of another score answers, where nothing else does."""
    for input_id, entry in catalogue().every.items():
        if entry.points_of and findings[input_id].state is State.NOT_ASSESSED:
            finding = _total(input_id, entry, _run(entry.points_of, findings))
            if finding is not None:
                yield input_id, finding


def _total(input_id: str, entry: ClinicalInput, risk: Risk) -> Finding | None:
    """Return the number of a score as a finding; None where nothing of the score is known."""
    if all(item.state is State.NOT_ASSESSED for item in risk.items):
        return None
    if risk.value is not None:
        number = Interval.exact(risk.value)
    elif risk.range is not None:
        number = Interval(low=risk.range[0], high=risk.range[1])
    else:
        return None
    tool = discover()[risk.tool]
    return Finding(
        concept=catalogue().concept(input_id),
        state=State.PRESENT,
        value=measured(number, entry.unit or ""),
        evidence=(ToolEvidence(tool=tool.name, version=tool.version, output=risk.name),),
    )


def _missing(made: Assessment, risks: Sequence[Risk]) -> tuple[MissingItem, ...]:
    """Return what the scores miss and the assessment does not ask for, after what it asks for."""
    asked = {item.input for item in made.missing}
    found: dict[str, MissingItem] = {}
    for risk in risks:
        for item in risk.missing:
            before = found.get(item.input)
            names = (*before.unlocks, risk.name) if before is not None else (risk.name,)
            priority = before.priority if before else len(made.missing) + len(found) + 1
            if item.input not in asked:
                fields = item.model_dump()
                found[item.input] = MissingItem(**fields, unlocks=names, priority=priority)
    return tuple(found.values())


def _citations(made: Assessment, risks: Sequence[Risk]) -> tuple[Citation, ...]:
    found = {citation.id: citation for citation in made.citations}
    for risk in risks:
        for citation in risk.source:
            found.setdefault(citation.id, citation)
    return tuple(found.values())
