"""Facts from notes beside the record: they agree, disagree, or answer what nobody else does.

They never change what the record says. A disagreement is shown side by side; what would fill an
open question stays apart, marked, for the caller to use only where the report says so.
"""

from collections.abc import Iterable, Mapping

from agent.note_reading.model import NoteFact
from knowledge.clinical_inputs import catalogue
from knowledge.conflict import Conflict, Side
from knowledge.evidence import describe
from knowledge.finding import Finding, State, Why
from knowledge.model import Frozen


class NoteMerge(Frozen):
    """How facts from notes stand to the record.

    Args:
        agrees: The record says the same.
        conflicting: The record says otherwise, or its sources disagree already.
        fills: Nobody else answers the input; one fact for each.
        conflicts: The disagreements side by side.
    """

    agrees: tuple[NoteFact, ...] = ()
    conflicting: tuple[NoteFact, ...] = ()
    fills: tuple[NoteFact, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def merge_note_facts(findings: Mapping[str, Finding], facts: Iterable[NoteFact]) -> NoteMerge:
    """Return how each fact stands to what the record says.

    Args:
        findings: Clinical-input id to what the record says, without any note.
        facts: Read from notes.
    """
    agrees: list[NoteFact] = []
    conflicting: list[NoteFact] = []
    fills: dict[str, NoteFact] = {}
    conflicts: list[Conflict] = []
    for fact in facts:
        known = findings.get(fact.input)
        if _is_open(known):
            fills.setdefault(fact.input, fact)
        elif known is not None and _same(known, fact.finding):
            agrees.append(fact)
        elif known is not None:
            conflicting.append(fact)
            conflicts.append(_conflict(fact, known))
    return NoteMerge(
        agrees=tuple(agrees),
        conflicting=tuple(conflicting),
        fills=tuple(fills.values()),
        conflicts=tuple(conflicts),
    )


def _is_open(known: Finding | None) -> bool:
    """Return whether nobody has said anything: an answer in doubt is not an open question."""
    if known is None:
        return True
    return known.not_assessed is not None and known.not_assessed.why is Why.MISSING


def _same(known: Finding, from_note: Finding) -> bool:
    return known.state is from_note.state and known.choice == from_note.choice


def _conflict(fact: NoteFact, known: Finding) -> Conflict:
    places = known.evidence or ()
    return Conflict(
        what=catalogue().get(fact.input).label,
        input=fact.input,
        sides=(
            Side(
                who=describe(places[0]) if places else "the record",
                says=_says(known),
                evidence=places,
            ),
            Side(
                who=f"{describe(fact.finding.evidence[0])} ({fact.finding.method})",
                says=_says(fact.finding),
                evidence=fact.finding.evidence,
            ),
        ),
        consequence="the record stands; what the note says is not used",
    )


def _says(finding: Finding) -> str:
    if finding.state is State.NOT_ASSESSED and finding.not_assessed is not None:
        return f"not assessed ({finding.not_assessed.detail})"
    return finding.choice or finding.state.value
