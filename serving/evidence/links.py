"""Links from a statement to its evidence, as pages and JSON carry them."""

from collections.abc import Iterable, Mapping
from functools import cache

from knowledge.cards import card_passages
from knowledge.evidence import Evidence, GuidelineEvidence, describe
from knowledge.plain_text import visible
from knowledge.reference import Citation
from serving.evidence.ids import evidence_id, source_id
from serving.evidence.protocol import Link


def address(case: str, evidence: str) -> str:
    """Return the address of the page that shows a piece of evidence."""
    return f"/cases/{case}/evidence/{evidence}"


def evidence_links(case: str, evidence: Iterable[Evidence]) -> tuple[Link, ...]:
    """Return one link for each place, in order, each once."""
    found = {evidence_id(one): one for one in evidence}
    return tuple(
        Link(id=key, kind=one.kind, place=visible(_words(one)), href=address(case, key))
        for key, one in found.items()
    )


def source_links(case: str, citations: Iterable[Citation]) -> tuple[Link, ...]:
    """Return one link for each source, in order, each once."""
    found = {source_id(one.id): one for one in citations}
    return tuple(
        Link(id=key, kind="statement", place=visible(one.label), href=address(case, key))
        for key, one in found.items()
    )


@cache
def _titles() -> Mapping[str, str]:
    return {passage.id: passage.title for passage in card_passages()}


def _words(evidence: Evidence) -> str:
    """Return the place in words; a card by its title, which says more than its id."""
    if isinstance(evidence, GuidelineEvidence) and evidence.passage in _titles():
        return _titles()[evidence.passage]
    return describe(evidence)
