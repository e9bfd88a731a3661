"""What a person stated in ``case.yaml``, by clinical input."""

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, Why, not_assessed
from knowledge.timeline import Category, Timeline

_SETTLES = "answers."


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One stated answer; a later `answers` entry settles a conflict, a `facts` entry does not."""

    finding: Finding
    settles: bool


def statements(timeline: Timeline, *, at: ClinicalTime) -> Mapping[str, tuple[Statement, ...]]:
    """Return all statements by clinical-input id, oldest first, answers after facts."""
    found: dict[str, list[Statement]] = {}
    for fact in timeline.in_category(Category.STATED):
        for coding in fact.finding.concept.codings:
            if coding.system == EPICRISIS:
                finding = _not_later_than(fact.finding, at)
                found.setdefault(coding.code, []).append(
                    Statement(finding=finding, settles=is_settled(fact.finding))
                )
    return {key: tuple(sorted(said, key=lambda s: s.settles)) for key, said in found.items()}


def _not_later_than(finding: Finding, at: ClinicalTime) -> Finding:
    """Return the finding, or "not assessed" where it lies after the moment of assessment."""
    minutes = elapsed(finding.time, at).minutes
    if minutes is None or minutes.high is None or minutes.high >= 0:
        return finding
    return not_assessed(
        finding.concept,
        Why.CONFLICTING,
        "stated for a time after the moment of assessment",
        evidence=finding.evidence,
        time=finding.time,
    )


def is_settled(finding: Finding) -> bool:
    """Return whether a finding is an explicit later answer, which settles a disagreement."""
    return any(
        isinstance(e, RecordEvidence) and e.record.startswith(_SETTLES) for e in finding.evidence
    )
