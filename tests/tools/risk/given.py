"""Findings for the tests of the scores, from plain values."""

from knowledge.clinical_inputs import catalogue
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State
from knowledge.quantity import Choice, Interval, measured

Plain = bool | str | float | Interval


def finding(input_id: str, value: Plain) -> Finding:
    """Return a finding as a chart would give it, in the catalogue's unit."""
    entry = catalogue().get(input_id)
    concept = catalogue().concept(input_id)
    evidence = (RecordEvidence(file="case.yaml", record=f"answers.{input_id}"),)
    if isinstance(value, bool):
        state = State.PRESENT if value else State.ABSENT
        return Finding(concept=concept, state=state, evidence=evidence)
    if isinstance(value, str):
        return Finding(
            concept=concept, state=State.PRESENT, value=Choice(choice=value), evidence=evidence
        )
    interval = value if isinstance(value, Interval) else Interval.exact(value)
    return Finding(
        concept=concept,
        state=State.PRESENT,
        value=measured(interval, entry.unit or ""),
        evidence=evidence,
    )


def given(**answers: Plain | None) -> dict[str, Finding]:
    """Return findings by clinical-input id; None leaves an input out."""
    return {i: finding(i, value) for i, value in answers.items() if value is not None}


def no(*input_ids: str) -> dict[str, Plain]:
    """Return "no" for each yes/no input."""
    return dict.fromkeys(input_ids, False)
