"""Whether an imaging order fits what the pathway found: appropriate, less so, or not to be judged.

Orders come from outside and are recognised by code or exact name alone; any other order is not
looked at. What is not known never makes an order appropriate or inappropriate.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agent.assessment import Assessment
from knowledge.cards import load_cards
from knowledge.imaging_orders import ImagingOrder, imaging_orders
from knowledge.model import Frozen
from knowledge.pathways import Argument
from knowledge.rules import Answer, holds
from serving.cds.card_model import Link, Suggestion
from serving.cds.cards import Made, order_card
from serving.cds.detail import foot_of
from serving.cds.plain import bounded, bullets, md, short

Verdict = Literal["appropriate", "less appropriate", "cannot be judged"]
LOINC = "http://loinc.org"
_DEAD = frozenset({"revoked", "completed", "entered-in-error"})
_MISSING = 6
_LONGEST = 200


class Judged(Frozen):
    """One order, judged.

    Args:
        key: Key of the kind of order.
        verdict: The three-valued result.
        reasons: Arguments that hold.
        instead: Why nothing is said against it, or what is not known.
    """

    key: str
    verdict: Verdict
    reasons: tuple[Argument, ...] = ()
    instead: str = ""


def recognised(orders: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the kinds of imaging order among resources, each once."""
    found = [kind for order in orders if (kind := _kind(order)) is not None]
    return tuple(dict.fromkeys(found))


def orders_in(bundle: Mapping[str, Any], selections: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the orders of a bundle; with selections only those that were selected."""
    resources = [entry["resource"] for entry in bundle.get("entry", [])]
    if selections is None:
        return resources
    wanted = set(selections)
    return [r for r in resources if f"{r.get('resourceType')}/{r.get('id')}" in wanted]


def judge(key: str, answers: Mapping[str, Answer]) -> Judged:
    """Return what the pathway's conditions say to one kind of order."""
    order = imaging_orders().orders[key]
    against = tuple(row for row in order.less if holds(row.when, answers) is True)
    for_it = tuple(row for row in order.appropriate if holds(row.when, answers) is True)
    if against and order.never_less is not None:
        exempt = order.never_less
        if holds(exempt.when, answers) is not False:
            return Judged(key=key, verdict="cannot be judged", instead=exempt.because)
    if against and for_it:
        return Judged(
            key=key,
            verdict="cannot be judged",
            reasons=(*for_it, *against),
            instead="Arguments for and against it hold at the same time.",
        )
    if against:
        return Judged(key=key, verdict="less appropriate", reasons=against)
    if for_it:
        return Judged(key=key, verdict="appropriate", reasons=for_it)
    return Judged(
        key=key,
        verdict="cannot be judged",
        instead="None of the rules that speak for or against it can be told from the data.",
    )


def card_of(
    judged: Judged,
    assessment: Assessment,
    *,
    suggestions: Sequence[Suggestion] = (),
    links: Sequence[Link] = (),
) -> Made:
    """Return the card about one order, with its sources and what is missing."""
    order = imaging_orders().orders[judged.key]
    parts = [
        f"**{order.label}: {judged.verdict}.**",
        bullets([_argument(row) for row in judged.reasons]) if judged.reasons else "",
        md(judged.instead),
        _missing(order, assessment) if judged.verdict == "cannot be judged" else "",
        "The clinician at the bedside decides; what is not in the data is not known here.",
        foot_of(assessment),
    ]
    because = judged.reasons[0].because if judged.reasons and not judged.instead else judged.instead
    return order_card(
        key=judged.key,
        verdict=judged.verdict,
        summary=short(f"{order.label}: {judged.verdict}. {because}"),
        detail=bounded("\n\n".join(part for part in parts if part)),
        indicator="warning" if judged.verdict == "less appropriate" else "info",
        suggestions=suggestions,
        links=links,
    )


def _argument(row: Argument) -> str:
    table = imaging_orders()
    citation = table.cite("imaging_orders", row.source, row.review)
    cards = load_cards()
    own = row.source == "epicrisis"
    label = (
        "Epicrisis design choice, not from a guideline"
        if own
        else f"Epicrisis summary of {citation.label}, not verbatim"
    )
    said = [f"{md(row.because)} *{md(label)}; {md(citation.review)}.*"]
    for key in row.cards:
        sentence = cards[key].sentences[0]
        said.append(
            f"Card {md(cards[key].title.en)}: {md(sentence.text('en'))} *{md(sentence.label)}*"
        )
    return " ".join(said)


def _missing(order: ImagingOrder, assessment: Assessment) -> str:
    """Return what would settle it, of what the assessment says is missing."""
    entry = next((e for e in assessment.differential if e.id == order.diagnosis), None)
    if entry is None:
        return ""
    wanted = {*entry.settle}
    lines = [
        f"{md(item.label)}: {md(item.question or item.how)}"
        for item in assessment.missing
        if item.input in wanted or entry.diagnosis in item.unlocks
    ]
    more = ["and more in the workspace"] if len(lines) > _MISSING else []
    return f"Missing:\n\n{bullets(lines[:_MISSING] + more)}" if lines else ""


def _kind(order: dict[str, Any]) -> str | None:
    if order.get("resourceType") != "ServiceRequest" or order.get("status") in _DEAD:
        return None
    if order.get("doNotPerform") is True:
        return None
    table = imaging_orders()
    found = [table.recognised(loinc=code) for code in _loinc(order)]
    found += [table.recognised(name=name) for name in _names(order)]
    return next((key for key in found if key is not None), None)


def _codings(order: dict[str, Any]) -> list[dict[str, Any]]:
    code = order.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    listed = codings if isinstance(codings, list) else []
    return [coding for coding in listed if isinstance(coding, dict)]


def _loinc(order: dict[str, Any]) -> list[str]:
    codes = [c.get("code") for c in _codings(order) if c.get("system") == LOINC]
    return [code for code in codes if isinstance(code, str)]


def _names(order: dict[str, Any]) -> list[str]:
    code = order.get("code")
    names = [code.get("text")] if isinstance(code, dict) else []
    names += [coding.get("display") for coding in _codings(order)]
    return [name for name in names if isinstance(name, str) and len(name) <= _LONGEST]
