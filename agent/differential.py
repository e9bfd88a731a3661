"""The must-not-miss list: each diagnosis supported, argued against, or not assessed."""

from agent.assessment import DifferentialEntry, Reason, Verdict
from agent.state import State
from knowledge.clinical_inputs import catalogue
from knowledge.finding import NotAssessed, Why
from knowledge.finding import State as Known
from knowledge.pathways import Argument, Diagnosis, Pathway
from knowledge.rules import Answer, holds


def differential(pathway: Pathway, state: State) -> tuple[DifferentialEntry, ...]:
    """Return one entry for each diagnosis of the pathway, in its order.

    An argument counts only when its condition is known to hold. Support outweighs an argument
    against; both are shown.
    """
    answers = state.answers()
    return tuple(
        _entry(key, diagnosis, state, answers) for key, diagnosis in pathway.diagnoses.items()
    )


def _entry(
    key: str, diagnosis: Diagnosis, state: State, answers: dict[str, Answer]
) -> DifferentialEntry:
    supporting = _holding(diagnosis.supported, state, answers)
    against = _holding(diagnosis.against, state, answers)
    unknown = tuple(i for i in diagnosis.settle if _is_open(i, state))
    reason = None
    if supporting:
        verdict = Verdict.SUPPORTED
    elif against:
        verdict = Verdict.ARGUED_AGAINST
    else:
        verdict = Verdict.NOT_ASSESSED
        reason = _why_open(diagnosis, unknown, answers)
    return DifferentialEntry(
        id=key,
        diagnosis=diagnosis.label,
        verdict=verdict,
        supporting=supporting,
        against=against,
        not_assessed=reason,
        settle=unknown if verdict is Verdict.NOT_ASSESSED else (),
    )


def _holding(
    arguments: tuple[Argument, ...], state: State, answers: dict[str, Answer]
) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            text=argument.because,
            evidence=state.evidence_for(argument.when, answers),
            citation=f"{argument.source}|{argument.review}",
        )
        for argument in arguments
        if holds(argument.when, answers) is True
    )


def _why_open(
    diagnosis: Diagnosis, unknown: tuple[str, ...], answers: dict[str, Answer]
) -> NotAssessed:
    arguments = diagnosis.supported + diagnosis.against
    if unknown and any(holds(a.when, answers) is None for a in arguments):
        names = ", ".join(catalogue().get(i).label for i in unknown)
        return NotAssessed(why=Why.DEPENDS, detail=f"would be settled by: {names}")
    return NotAssessed(
        why=Why.DEPENDS, detail="what is known neither supports it nor argues against it"
    )


def _is_open(input_id: str, state: State) -> bool:
    finding = state.findings.get(input_id)
    return finding is None or finding.state is Known.NOT_ASSESSED
