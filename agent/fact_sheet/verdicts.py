"""How each must-not-miss diagnosis ends, with its reasons, and where sources disagree."""

from collections.abc import Iterator

from agent.assessment import Assessment, Sentence, Verdict
from agent.facts import Fact, FactState

_STATES: dict[Verdict, FactState] = {
    Verdict.SUPPORTED: "supported",
    Verdict.ARGUED_AGAINST: "argued_against",
    Verdict.NOT_ASSESSED: "not_assessed",
}


def verdict_fact(assessment: Assessment, sentence: Sentence) -> tuple[Fact, ...]:
    """Return the diagnoses with one verdict, where a sentence lists them."""
    for verdict, state in _STATES.items():
        entries = [entry for entry in assessment.differential if entry.verdict is verdict]
        listed = ", ".join(entry.diagnosis for entry in entries)
        if entries and sentence.text == f"{verdict.value.capitalize()}: {listed}.":
            reasons = [r for e in entries for r in (*e.supporting, *e.against)]
            return (
                Fact(
                    key=f"verdict.{verdict.value}",
                    kind="verdict",
                    names=tuple(entry.diagnosis for entry in entries),
                    state=state,
                    text=sentence.text,
                    evidence=tuple(e for reason in reasons for e in reason.evidence),
                    inputs=tuple(dict.fromkeys(i for entry in entries for i in entry.settle)),
                ),
            )
    return ()


def reason_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield each reason for or against a diagnosis, in the pathway's words."""
    for entry in assessment.differential:
        for stand, reasons in (("supports", entry.supporting), ("against", entry.against)):
            for reason in reasons:
                side = "For" if stand == "supports" else "Against"
                yield Fact(
                    key=f"reason.{entry.id}.{stand}.{reason.text}",
                    kind="reason",
                    names=(entry.diagnosis,),
                    whole=True,
                    text=f"{side} {entry.diagnosis}: {reason.text}",
                    evidence=reason.evidence,
                    citation=reason.citation,
                )


def conflict_facts(assessment: Assessment, sentence: Sentence) -> tuple[Fact, ...]:
    """Return the disagreement of sources, where a sentence tells it."""
    if not assessment.conflicts or not sentence.text.startswith("Sources disagree on: "):
        return ()
    return (
        Fact(
            key="conflict",
            kind="conflict",
            names=tuple(conflict.what for conflict in assessment.conflicts),
            whole=True,
            text=sentence.text,
            evidence=tuple(
                e for c in assessment.conflicts for side in c.sides for e in side.evidence
            ),
            inputs=tuple(c.input for c in assessment.conflicts if c.input is not None),
        ),
    )
