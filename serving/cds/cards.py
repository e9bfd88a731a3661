"""The distinct cards: each level, not assessable, refused, still computing, failed."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from agent.assessment import RESEARCH_USE, Assessment
from knowledge.cds_cards import Level, cds_cards
from knowledge.model import Frozen
from knowledge.pathways import Urgency
from serving.cds.card_model import (
    OVERRIDE_REASONS,
    TOPICS,
    Card,
    Coding,
    Link,
    Source,
    Suggestion,
    new_uuid,
)
from serving.cds.detail import detail_of
from serving.cds.gathered import Gap
from serving.cds.plain import bullets, md, short
from serving.cds.reading import Reading
from serving.storage.base import canonical

Topic = Literal[
    "critical-finding", "acs-risk", "data-gap", "imaging-order", "identity", "computing", "failure"
]
_TOPIC_WORDS: dict[Topic, str] = {
    "critical-finding": "Critical finding",
    "acs-risk": "Risk in acute chest pain",
    "data-gap": "Missing data",
    "imaging-order": "Imaging order",
    "identity": "Data of another patient",
    "computing": "Assessment in progress",
    "failure": "Assessment failed",
}
LABEL = "Epicrisis (research use)"

Indicator = Literal["info", "warning", "critical"]
_INDICATOR: dict[Level, Indicator] = {
    "critical": "critical",
    "high": "warning",
    "intermediate": "warning",
    "low": "info",
    "not-assessable": "warning",
}
_LEAD: dict[Level, str] = {
    "critical": "",
    "high": "High: ",
    "intermediate": "Intermediate: ",
    "low": "Low: ",
    "not-assessable": "Not assessable: ",
}
_BEFORE = " before the assessment)"
"""In the one sentence that says how long ago the pain began."""
_UNREAD = _LEAD["not-assessable"]


class Made(Frozen):
    """A card with what is kept of it.

    Args:
        card: The card.
        topic: What it is about.
        level: Level, or the kind of card.
        fingerprint: SHA-256 over what it says, without times: the same content has the same.
        always: Whether it says that something failed: such a card is never left out.
    """

    card: Card
    topic: Topic
    level: str
    fingerprint: str
    always: bool = False

    def afresh(self) -> "Made":
        """Return the same card under ids of its own: each occasion is answered by itself."""
        suggestions = self.card.suggestions
        if suggestions is not None:
            suggestions = tuple(s.model_copy(update={"uuid": new_uuid()}) for s in suggestions)
        changed = {"uuid": new_uuid(), "suggestions": suggestions}
        return self.model_copy(update={"card": self.card.model_copy(update=changed)})

    @property
    def is_critical(self) -> bool:
        """Whether it calls for somebody."""
        return self.card.indicator == "critical"


def assessment_card(
    assessment: Assessment,
    reading: Reading,
    *,
    suggestions: Sequence[Suggestion],
    links: Sequence[Link],
    gaps: Sequence[Gap] = (),
) -> Made:
    """Return the card of an assessment.

    Data that could not be read make a level below critical worthless, other than a high one: what
    they would have shown is not known. What was found in the rest is still said.
    """
    level = reading.level
    if gaps and level not in ("critical", "high"):
        level = "not-assessable"
    topic: Topic = (
        "critical-finding"
        if level == "critical"
        else "data-gap"
        if level == "not-assessable"
        else "acs-risk"
    )
    summary = _summary(assessment, reading, level, gaps)
    return _made(
        topic,
        level,
        summary=summary,
        detail=detail_of(assessment, gaps=gaps),
        indicator=_INDICATOR[level],
        content=_content(assessment, level, gaps),
        suggestions=suggestions,
        links=links,
        always=bool(gaps) and level == "not-assessable",
    )


def refused_card(reason: str, *, links: Sequence[Link] = ()) -> Made:
    """Return the card of data that are not shown to be of the patient: nothing was combined."""
    detail = (
        "**The data are not shown to be of one patient. Nothing was combined and nothing was "
        f"assessed.**\n\n{md(reason)}\n\nThe operator of the EHR is to be told.\n\n*{RESEARCH_USE}*"
    )
    return _made(
        "identity",
        "refused",
        summary="Refused: data of another patient were sent. Nothing was assessed.",
        detail=detail,
        indicator="warning",
        content=["refused", reason],
        links=links,
        always=True,
    )


def unread_card(gaps: Sequence[Gap], *, links: Sequence[Link] = ()) -> Made:
    """Return the card for data that could not be read, where the rest says nothing."""
    listed = bullets([f"{md(gap.what)}: {md(gap.reason)}" for gap in gaps])
    return _made(
        "data-gap",
        "not-assessable",
        summary=short(f"{_named(gaps)} could not be read. Nothing was assessed.", lead=_UNREAD),
        detail=f"**Not assessed.** Could not be read:\n\n{listed}\n\n*{RESEARCH_USE}*",
        indicator="warning",
        content=["unread", *[f"{gap.key} {gap.reason}" for gap in gaps]],
        links=links,
        always=True,
    )


def computing_card(*, links: Sequence[Link]) -> Made:
    """Return the card of an assessment that is not ready within the time a hook has."""
    return _made(
        "computing",
        "computing",
        summary="Still computing: there is no result yet. Open the workspace or this chart again.",
        detail=(
            "**The assessment is not ready within the time a card has.** This is not a result: "
            f"nothing is said about the patient yet.\n\n*{RESEARCH_USE}*"
        ),
        indicator="info",
        content=["computing"],
        links=links,
        always=True,
    )


def failed_card(reason: str, *, links: Sequence[Link] = ()) -> Made:
    """Return the card of an assessment that broke."""
    return _made(
        "failure",
        "failed",
        summary="Epicrisis failed: nothing was assessed. Go on without it.",
        detail=f"**Nothing was assessed.** {md(reason)}\n\n*{RESEARCH_USE}*",
        indicator="warning",
        content=["failed", reason],
        links=links,
        always=True,
    )


def order_card(
    *,
    key: str,
    verdict: str,
    summary: str,
    detail: str,
    indicator: Indicator,
    suggestions: Sequence[Suggestion] = (),
    links: Sequence[Link] = (),
) -> Made:
    """Return the card about one imaging order."""
    return _made(
        "imaging-order",
        verdict,
        summary=summary,
        detail=detail,
        indicator=indicator,
        content=[key, verdict, summary],
        suggestions=suggestions,
        links=links,
    )


def _made(
    topic: Topic,
    level: str,
    *,
    summary: str,
    detail: str,
    indicator: Indicator,
    content: object,
    suggestions: Sequence[Suggestion] = (),
    links: Sequence[Link] = (),
    always: bool = False,
) -> Made:
    card = Card(
        summary=summary,
        detail=detail,
        indicator=indicator,
        source=Source(
            label=LABEL, topic=Coding(system=TOPICS, code=topic, display=_TOPIC_WORDS[topic])
        ),
        suggestions=tuple(suggestions) or None,
        selectionBehavior="any" if suggestions else None,
        overrideReasons=OVERRIDE_REASONS,
        links=tuple(links) or None,
    )
    fingerprint = hashlib.sha256(canonical([topic, level, content])).hexdigest()
    return Made(card=card, topic=topic, level=level, fingerprint=fingerprint, always=always)


def _summary(assessment: Assessment, reading: Reading, level: Level, gaps: Sequence[Gap]) -> str:
    if level == "critical":
        return short(reading.call)
    if level == "not-assessable" and gaps:
        return short(f"{_named(gaps)} could not be read.", lead=_UNREAD)
    return short(assessment.narrative.headline, lead=_LEAD[level])


def _named(gaps: Sequence[Gap]) -> str:
    return ", ".join(gap.what for gap in gaps)


def _content(assessment: Assessment, level: Level, gaps: Sequence[Gap]) -> object:
    """Return what a card says, without what changes by the minute alone.

    A critical card is the same as long as it calls for the same reasons.
    """
    applied = [row.id for row in assessment.recommendations if row.urgency is Urgency.IMMEDIATE]
    if level == "critical":
        return [level, sorted(set(applied) & set(cds_cards().critical.calls))]
    return [
        level,
        assessment.narrative.headline,
        [s.text for s in assessment.narrative.sentences if _BEFORE not in s.text],
        [[row.id, row.text] for row in assessment.recommendations],
        [[entry.id, entry.verdict.value] for entry in assessment.differential],
        [[r.name, r.category, r.value, r.range] for r in assessment.risks],
        sorted(item.input for item in assessment.missing),
        sorted(conflict.what for conflict in assessment.conflicts),
        sorted(f"{gap.key} {gap.reason}" for gap in gaps),
    ]
