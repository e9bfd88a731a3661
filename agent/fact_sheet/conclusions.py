"""What the pathway concludes, one fact each: the headline, every diagnosis, and discharge."""

from collections.abc import Iterator

from agent.assessment import Assessment, DifferentialEntry, Status, Verdict
from agent.facts import Fact
from knowledge.clinical_inputs import catalogue

HEADLINE = "headline"
DISCHARGE = "discharge"
DIAGNOSIS = "diagnosis."
LOW_RISK = "rule_out_low"
"""Id of the recommendation that applies where the pathway's conditions of discharge are met."""

_UNLOCKS = "discharge: "
_ACS = "acs"


def conclusion_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield headline, diagnoses and the state of discharge; nothing for a refused case."""
    if assessment.status is Status.REFUSED:
        return
    yield Fact(
        key=HEADLINE,
        kind="note",
        whole=True,
        outside=True,
        text=assessment.narrative.headline,
        evidence=assessment.narrative.evidence,
    )
    for entry in assessment.differential:
        yield _diagnosis(entry)
    yield _discharge(assessment)


def settling(entry: DifferentialEntry) -> tuple[str, ...]:
    """Return the labels of the inputs that would settle a diagnosis."""
    known = catalogue().inputs
    return tuple(known[key].label if key in known else key for key in entry.settle)


def discharge_open(assessment: Assessment) -> tuple[str, ...]:
    """Return what the pathway asks for before discharge and does not know, most useful first."""
    named = [name for item in assessment.missing for name in item.unlocks]
    return tuple(dict.fromkeys(n.removeprefix(_UNLOCKS) for n in named if n.startswith(_UNLOCKS)))


def _diagnosis(entry: DifferentialEntry) -> Fact:
    text = f"{entry.diagnosis}: {entry.verdict.value}"
    parts: tuple[str, ...] = ()
    if entry.verdict is Verdict.NOT_ASSESSED:
        parts = settling(entry)
        text += ", so not excluded"
        text += f"; would be settled by: {', '.join(parts)}" if parts else ""
    reasons = (*entry.supporting, *entry.against)
    return Fact(
        key=f"{DIAGNOSIS}{entry.id}",
        kind="reason",
        names=(entry.diagnosis,),
        category=entry.verdict.value,
        parts=parts,
        whole=True,
        text=f"{text}.",
        evidence=tuple(e for reason in reasons for e in reason.evidence),
        inputs=entry.settle,
    )


def _discharge(assessment: Assessment) -> Fact:
    """Return what the pathway says of discharge: met only where its own recommendation applies."""
    parts: tuple[str, ...] = ()
    if any(row.id == LOW_RISK for row in assessment.recommendations):
        text, category = "Discharge: the pathway's low-risk conditions are met.", "met"
    else:
        verdict = next((e.verdict for e in assessment.differential if e.id == _ACS), None)
        category = verdict.value if verdict is not None else ""
        why = {
            Verdict.SUPPORTED: "acute coronary syndrome is supported",
            Verdict.NOT_ASSESSED: "acute coronary syndrome is not excluded",
        }.get(verdict or Verdict.ARGUED_AGAINST, "not all of its conditions are met")
        parts = discharge_open(assessment)
        still = f"; not known: {', '.join(parts)}" if parts else ""
        text = f"Discharge: this patient is not established as low risk ({why}{still})."
    return Fact(
        key=DISCHARGE,
        kind="reason",
        names=("Discharge",),
        category=category,
        parts=parts,
        whole=True,
        text=text,
    )
