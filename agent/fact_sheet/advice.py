"""Recommendations that apply, and guideline passages: said whole, never in part."""

from collections.abc import Iterator, Sequence

from agent.assessment import Assessment
from agent.facts import Fact
from knowledge.evidence import GuidelineEvidence
from knowledge.passages import Hit


def recommendation_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield each recommendation as the pathway words it."""
    for row in assessment.recommendations:
        yield Fact(
            key=f"recommendation.{row.id}",
            kind="recommendation",
            whole=True,
            text=row.text,
            evidence=row.evidence,
            citation=row.citation,
            label=_label(row.label, row.review),
        )


def guideline_facts(hits: Sequence[Hit]) -> tuple[Fact, ...]:
    """Return each passage as a fact; one that was superseded is not knowledge any more."""
    found: list[Fact] = []
    for hit in hits:
        passage = hit.passage
        if passage.superseded_by is not None:
            continue
        found.append(
            Fact(
                key=f"guideline.{passage.id}",
                kind="guideline",
                names=(passage.citation.label,),
                whole=True,
                text=passage.text,
                language=passage.language,
                evidence=(GuidelineEvidence(passage=passage.id, start=0, end=len(passage.text)),),
                citation=passage.citation.id,
                passage=passage.id,
                original=passage.kind == "original",
                label=_label(passage.label, passage.citation.review),
            )
        )
    return tuple(found)


def _label(wording: str, review: str) -> str:
    return f"{wording}; {review}" if review else wording
