"""What of an assessment must stay the same, as one hash."""

import hashlib
from typing import Any

import orjson

from agent.assessment import Assessment
from knowledge.risk import Risk


def risks_hash(assessment: Assessment) -> str:
    """Return a hash of risks, verdicts, recommendations and headline, evidence and all."""
    return _hash(
        [
            [risk.model_dump(mode="json") for risk in assessment.risks],
            [entry.model_dump(mode="json") for entry in assessment.differential],
            *_acts(assessment),
        ]
    )


def said_hash(assessment: Assessment) -> str:
    """Return a hash of the same, without the evidence.

    Ids of findings hold every text of a finding, so that a comment on a result, or the name its
    laboratory gives it, changes them and nothing else.
    """
    return _hash(
        [
            [said(risk) for risk in assessment.risks],
            [[entry.id, entry.verdict.value] for entry in assessment.differential],
            *_acts(assessment),
        ]
    )


def said(risk: Risk) -> list[Any]:
    """Return what a risk says: category, points or range, bands, what is missing, when again."""
    return [
        risk.name,
        risk.category,
        risk.value,
        risk.range,
        [band.name for band in risk.bands],
        sorted(item.input for item in risk.missing),
        risk.statement,
        risk.next_due.model_dump(mode="json") if risk.next_due is not None else None,
        risk.not_assessed.why.value if risk.not_assessed is not None else "",
    ]


def _acts(assessment: Assessment) -> list[Any]:
    return [
        [row.id for row in assessment.recommendations],
        assessment.narrative.headline,
        assessment.narrative.urgency.value,
    ]


def _hash(body: list[Any]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
