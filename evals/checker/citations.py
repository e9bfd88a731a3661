"""Whether every citation of an assessment leads somewhere, and every guideline sentence is one."""

from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.cards import card_passages
from knowledge.model import Frozen


class Citations(Frozen):
    """What was found.

    Args:
        cited: Citation ids used by sentences, reasons and recommendations.
        unresolved: Those of them that the assessment does not list.
        passages: Guideline passages shown.
        foreign: Those whose text is not the text of the card they name, or that have no origin.
        cards: Ids of cards that recommendations name.
        missing_cards: Those of them that do not exist.
    """

    cited: int = 0
    unresolved: tuple[str, ...] = ()
    passages: int = 0
    foreign: tuple[str, ...] = ()
    cards: int = 0
    missing_cards: tuple[str, ...] = ()


def check_citations(assessment: Mapping[str, Any]) -> Citations:
    """Return what became of every citation of an assessment's published JSON."""
    listed = {citation["id"] for citation in assessment.get("citations", ())}
    cited = list(_cited(assessment))
    known = {passage.id: passage.text for passage in card_passages()}
    cards = {key.removeprefix("card:").partition("#")[0] for key in known}
    named = [card for row in assessment.get("recommendations", ()) for card in row["cards"]]
    passages = (assessment.get("agent") or {}).get("passages", ())
    return Citations(
        cited=len(cited),
        unresolved=tuple(key for key in cited if key not in listed),
        passages=len(passages),
        foreign=tuple(p["id"] for p in passages if not _genuine(p, known)),
        cards=len(named),
        missing_cards=tuple(card for card in named if card not in cards),
    )


def _cited(assessment: Mapping[str, Any]) -> Iterator[str]:
    passages = {p["id"] for p in (assessment.get("agent") or {}).get("passages", ())}
    for sentence in assessment["narrative"]["sentences"]:
        if sentence.get("citation") and sentence["citation"] not in passages:
            yield sentence["citation"]
    for entry in assessment.get("differential", ()):
        for reason in (*entry["supporting"], *entry["against"]):
            yield reason["citation"]
    for row in assessment.get("recommendations", ()):
        yield row["citation"]


def _genuine(passage: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Return whether a passage is its card's own text, or has its place in a document."""
    if passage["kind"] == "summary":
        return known.get(str(passage["id"])) == str(passage["text"])
    return bool(passage.get("origin"))
