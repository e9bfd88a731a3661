"""What is missing for a serial troponin rule, why, and how to give it."""

from collections.abc import Iterable, Mapping

from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.risk import MissingInput
from knowledge.troponin import pathways


def missing_inputs(
    needs: Iterable[str],
    inputs: Mapping[str, Finding],
    reasons: Mapping[str, NotAssessed | None],
) -> tuple[MissingInput, ...]:
    """Return the inputs that are needed, each once, in order.

    Args:
        needs: Ids of the clinical-input catalogue or of the questions about samples.
        inputs: The findings given, by id, which say why they are not assessed.
        reasons: Reasons that are not those of a finding, by id.
    """
    return tuple(_missing(key, inputs.get(key), reasons.get(key)) for key in dict.fromkeys(needs))


def _missing(key: str, finding: Finding | None, reason: NotAssessed | None) -> MissingInput:
    if reason is None and finding is not None:
        reason = finding.not_assessed
    if reason is None:
        reason = NotAssessed(why=Why.MISSING, detail="not in the case")
    sample = pathways().questions.get(key)
    if sample is not None:
        return MissingInput(
            input=key, label=sample.label, reason=reason, question=sample.question, how=sample.how
        )
    entry = catalogue().get(key)
    return MissingInput(
        input=key, label=entry.label, reason=reason, question=entry.question, how=entry.how
    )
