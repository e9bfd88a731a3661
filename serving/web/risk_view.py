"""One score or rule as a page shows it: result, scale, arithmetic, sources, and how sure."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from agent.assessment import Assessment
from knowledge.evidence import Evidence
from knowledge.finding import State
from knowledge.reference import Citation
from knowledge.risk import NOT_DETERMINED, ItemResult, MissingInput, Risk
from serving.report import words as report
from serving.web.score_strip import strip, tone
from serving.web.values import assay_of, clock
from serving.web.words import CATEGORY, WHY, Say, word
from tools.toolbox import Card, discover

_TROPONIN = "serial_troponin"


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    """One line of the arithmetic."""

    label: str
    answer: str
    points: str
    open: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class RiskView:
    """One result.

    Args:
        key: Stable within a case: marks what changed.
        name: Name to show.
        tone: low, mid, high, open (undecided) or none (not assessed).
        category: In the page's language; empty where it is not determined or not assessed.
        possible: The categories still possible, where it is not determined.
        score: The number, or the range; empty for a rule.
        meaning: What the one possible band means by its source.
        not_assessed: Why there is no statement at all, in words.
        why: The same as a short word.
        statement: The result in one sentence.
        strip: The scale as SVG; empty for a rule.
        items: The arithmetic.
        total: Its sum, or its range.
        missing: What is not known and could change it.
        caveats: What must be read with it.
        due, due_at, overdue: When the next sample is due.
        citations: Publications with their review state.
        evidence: What it rests on.
        known: How many inputs of the arithmetic are known, of how many.
        accuracy: What was measured of the tool, from its card.
        limits: The tool's contract.
        regulatory: Of the tool.
    """

    key: str
    name: str
    tone: str
    category: str
    possible: tuple[str, ...]
    score: str
    meaning: str
    not_assessed: str
    why: str
    statement: str
    strip: Markup
    items: tuple[ItemRow, ...]
    total: str
    missing: tuple[MissingInput, ...]
    caveats: tuple[str, ...]
    due: str
    due_at: datetime | None
    overdue: bool
    citations: tuple[Citation, ...]
    evidence: tuple[Evidence, ...]
    known: str
    accuracy: tuple[str, ...]
    limits: tuple[str, ...]
    regulatory: str

    @property
    def settled(self) -> bool:
        """Whether there is one answer."""
        return self.tone not in ("none", "open")


@dataclass(frozen=True, kw_only=True)
class RiskGroups:
    """The results in the order a reader wants them: answers, then open ones, then the rest."""

    settled: tuple[RiskView, ...]
    open: tuple[RiskView, ...]
    not_assessed: tuple[RiskView, ...]


def risks(assessment: Assessment, say: Say) -> RiskGroups:
    """Return every result of an assessment."""
    shown = [_view(risk, assessment, say) for risk in assessment.risks]
    return RiskGroups(
        settled=tuple(r for r in shown if r.settled),
        open=tuple(r for r in shown if r.tone == "open"),
        not_assessed=tuple(r for r in shown if r.tone == "none"),
    )


def _view(risk: Risk, assessment: Assessment, say: Say) -> RiskView:
    card = _card(risk.tool)
    open_ = risk.category == NOT_DETERMINED
    refused = risk.not_assessed
    score = report.score(risk)
    due = risk.next_due
    return RiskView(
        key=f"risk:{risk.name}",
        name=risk.name,
        tone=tone(risk),
        category="" if open_ or refused is not None else word(CATEGORY, risk.category, say),
        possible=tuple(word(CATEGORY, b.name, say) for b in risk.bands) if open_ else (),
        score=score.replace(" to ", "\N{EN DASH}"),
        meaning=report.meaning(risk),
        not_assessed="" if refused is None else refused.detail,
        why="" if refused is None else word(WHY, refused.why.value, say),
        statement=risk.statement,
        strip=strip(risk),
        items=tuple(_item(item) for item in risk.items),
        total=score,
        missing=risk.missing,
        caveats=risk.caveats,
        due=""
        if due is None
        else clock(due, assessment.time_zone, beside=assessment.provenance.at.at),
        due_at=None if due is None or due.at.tzinfo is None else due.at,
        overdue=bool(risk.overdue),
        citations=_once(risk.source),
        evidence=risk.evidence,
        known=_known(risk, say),
        accuracy=_accuracy(risk, card, assessment),
        limits=() if card is None else card.limits,
        regulatory="" if card is None else card.regulatory,
    )


def _item(item: ItemResult) -> ItemRow:
    return ItemRow(
        label=item.label,
        answer=item.answer,
        points=report.points(item).replace(" to ", "\N{EN DASH}"),
        open=item.state is State.NOT_ASSESSED or item.low != item.high,
        evidence=item.evidence,
    )


def _known(risk: Risk, say: Say) -> str:
    if risk.not_assessed is not None:
        return say("no statement is made")
    if risk.missing:
        return say("%d inputs missing: every completion of them is shown, none is guessed") % len(
            risk.missing
        )
    return say("every input that could change the result is known")


def _accuracy(risk: Risk, card: Card | None, a: Assessment) -> tuple[str, ...]:
    """Return what was measured of a tool; of a troponin rule what is of it and of this assay."""
    if card is None:
        return ()
    if risk.tool == _TROPONIN:
        named = assay_of(a)
        label = None if named is None else named.label
        return tuple(line for line in card.accuracy if line.startswith(f"{risk.name}, {label}:"))
    return card.accuracy


def _card(tool: str) -> Card | None:
    found = discover().get(tool)
    return None if found is None else found.card


def _once(citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
    seen: dict[tuple[str, str], Citation] = {}
    for citation in citations:
        seen.setdefault((citation.label, citation.review), citation)
    return tuple(seen.values())
