"""An output of a tool, back to what the tool was given and how it counted."""

from collections.abc import Sequence

from agent.assessment import Assessment
from knowledge.evidence import ToolEvidence
from knowledge.finding import Finding, State
from knowledge.plain_text import visible
from knowledge.quantity import format_number
from knowledge.reference import Citation
from knowledge.risk import ItemResult, Risk
from serving.evidence.links import evidence_links
from serving.evidence.protocol import InputShown, Row, StatementShown, ToolShown

_MOST = 40


def show_output(
    evidence: ToolEvidence,
    assessment: Assessment | None,
    *,
    case: str,
    time_zone: str | None,
    scores: Sequence[Risk] = (),
) -> ToolShown:
    """Return the output with its inputs, each with its own evidence.

    Args:
        evidence: The tool, its version, the output and the ids of the inputs.
        assessment: The assessment it belongs to.
        case: Id of the case, for links.
        time_zone: Of the case.
        scores: Those of an answer of the chat, which has no assessment of its own.
    """
    findings = {f.id: f for f in assessment.findings} if assessment else {}
    risks = _risks(evidence, assessment.risks if assessment is not None else scores)
    given = [findings[key] for key in evidence.inputs if key in findings]
    stated = [f for f in findings.values() if evidence in f.evidence]
    return ToolShown(
        tool=visible(evidence.tool),
        version=visible(evidence.version),
        output=visible(evidence.output),
        statement=" ".join(visible(risk.statement) for risk in risks if risk.statement),
        stated=tuple(_input(one, case, time_zone, but=evidence) for one in stated[:_MOST]),
        inputs=tuple(_input(one, case, time_zone) for one in given[:_MOST]),
        rows=tuple(_item(item) for risk in risks for item in risk.items),
        caveats=tuple(dict.fromkeys(visible(c) for risk in risks for c in risk.caveats)),
        sources=tuple(_cited(one) for one in _citations(risks)),
    )


def said(finding: Finding, time_zone: str | None) -> str:
    """Return what a finding states, with its time; never a bare state for a missing one."""
    if finding.state is State.NOT_ASSESSED:
        reason = finding.not_assessed
        return visible(f"not assessed: {reason.detail if reason else 'no reason given'}")
    value = finding.value if finding.value is not None else finding.state.value
    time = f", {finding.time.show(time_zone)}" if finding.time is not None else ""
    return visible(f"{value}{time}")


def _risks(evidence: ToolEvidence, risks: Sequence[Risk]) -> list[Risk]:
    """Return the results the output is about: of the tool, and by name where it has several."""
    own = [risk for risk in risks if risk.tool == evidence.tool]
    named = [risk for risk in own if risk.name == evidence.output]
    return named or (own if len(own) == 1 else [])


def _input(
    finding: Finding, case: str, time_zone: str | None, *, but: ToolEvidence | None = None
) -> InputShown:
    return InputShown(
        label=visible(finding.concept.text),
        said=said(finding, time_zone),
        evidence=evidence_links(case, [e for e in finding.evidence if e != but]),
    )


def _item(item: ItemResult) -> Row:
    low, high = format_number(item.low), format_number(item.high)
    points = low if item.low == item.high else f"{low} to {high}"
    return Row(name=visible(item.label), value=f"{visible(item.answer)} → {points}")


def _citations(risks: list[Risk]) -> list[Citation]:
    return list({c.id + c.review: c for risk in risks for c in risk.source}.values())


def _cited(citation: Citation) -> StatementShown:
    return StatementShown(
        wording="Epicrisis summary, not verbatim",
        source=visible(citation.label),
        doi=citation.doi or "",
        url=citation.url or "",
        review=citation.review,
        licence=citation.licence,
    )
