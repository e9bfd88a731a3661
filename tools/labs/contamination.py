"""Patterns of change over several analytes that suggest a contaminated or diluted specimen."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from knowledge.delta_checks import DeltaPattern, SomeOf, delta_checks
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.reference import Citation
from tools.labs.change import Change

Support = Literal["supported", "argued against", "not assessed"]
_TABLE = "delta_checks"


class PatternResult(Frozen):
    """One pattern, for the changes of one specimen.

    Args:
        pattern: Key of the row.
        label: What it suggests.
        support: Supported, argued against, or not assessed.
        suspected: Whether it would be supported if both specimens were measured alike, where only
            that is not stated, or the results of one specimen lie as it makes them; the support
            itself then stays not assessed.
        shown_by: Analytes that changed as the pattern says.
        against: Analytes that are known not to have changed so.
        missing: Analytes whose change is not assessed and could decide it.
        not_assessed: The reason.
        statement: The result in one sentence.
        settles: What would settle it.
        evidence: What it rests on.
        source: Where the pattern comes from.
    """

    pattern: str
    label: str
    support: Support
    suspected: bool = Field(default=False, exclude_if=lambda found: not found)
    shown_by: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    not_assessed: NotAssessed | None = None
    statement: str
    settles: str
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()


Levels = Mapping[str, Literal["high", "low", "normal"]]
"""Where results of one specimen lie, by analyte; those of which that is known."""


def contamination_patterns(
    changes: Mapping[str, Change], levels: Levels | None = None
) -> tuple[PatternResult, ...]:
    """Return every pattern for the changes of one specimen against an earlier one.

    Args:
        changes: By analyte; all from the same later specimen. An analyte that is not among them is
            not assessed.
        levels: Where the results of that specimen lie: they raise a suspicion, never more, where
            no change is known.
    """
    held = levels or {}
    return tuple(_judged(key, row, changes, held) for key, row in delta_checks().patterns.items())


def _judged(
    key: str, row: DeltaPattern, changes: Mapping[str, Change], levels: Levels
) -> PatternResult:
    support, truth = _support(row, changes, supposed=False)
    suspected = by_level = False
    if support == "not assessed":
        found, alike = _support(row, changes, supposed=True)
        suspected = found == "supported"
        by_level = not suspected and found == "not assessed" and _by_level(row, levels)
        truth = alike if suspected else _levelled(row, levels) if by_level else truth
        suspected = suspected or by_level
    missing = tuple(name for name, known in truth.items() if known is None)
    reason = None
    if support == "not assessed":
        reason = NotAssessed(
            why=Why.MISSING, detail=f"the change is not assessed of {', '.join(missing)}"
        )
    if suspected:
        detail = "the method or the specimen is not stated for both samples"
        if by_level:
            detail = "no earlier sample can be compared with; the results lie as it makes them"
        reason = NotAssessed(why=Why.MISSING, detail=detail)
    return PatternResult(
        pattern=key,
        label=row.label,
        support=support,
        suspected=suspected,
        shown_by=tuple(name for name, known in truth.items() if known),
        against=tuple(name for name, known in truth.items() if known is False),
        missing=missing,
        not_assessed=reason,
        statement=_statement(row, support, reason, suspected=suspected),
        settles=row.settles,
        evidence=(
            *(e for name in truth if name in changes for e in changes[name].evidence),
            ReferenceEvidence(table=_TABLE, row=f"patterns.{key}"),
        ),
        source=(delta_checks().cite(_TABLE, row.source, row.review),),
    )


def _support(
    row: DeltaPattern, changes: Mapping[str, Change], *, supposed: bool
) -> tuple[Support, dict[str, bool | None]]:
    """Return whether the changes show a pattern, and which of them are known to."""
    truth = {name: _moved(changes.get(name), way, supposed=supposed) for name, way in _wanted(row)}
    required = [truth[name] for name in (*row.up, *row.down)]
    groups = [_some(some, truth) for some in (row.some_up, row.some_down) if some is not None]
    parts = [*required, *groups]
    if False in parts:
        return "argued against", truth
    return ("not assessed" if None in parts else "supported"), truth


def _by_level(row: DeltaPattern, levels: Levels) -> bool:
    """Return whether the results lie on the sides to which a pattern moves them."""
    truth = _levelled(row, levels)
    low = row.level_down or row.some_down
    groups = [_some(some, truth) for some in (row.some_up, low) if some is not None]
    return row.by_level and all([*(truth[n] for n in (*row.up, *row.down)), *groups])


def _levelled(row: DeltaPattern, levels: Levels) -> dict[str, bool | None]:
    side = {"rise": "high", "fall": "low"}
    return {n: levels[n] == side[way] if n in levels else None for n, way in _wanted(row)}


def _wanted(row: DeltaPattern) -> tuple[tuple[str, str], ...]:
    up = (*row.up, *(row.some_up.of if row.some_up else ()))
    down = (*row.down, *(row.some_down.of if row.some_down else ()))
    return (*((name, "rise") for name in up), *((name, "fall") for name in down))


def _moved(change: Change | None, way: str, *, supposed: bool) -> bool | None:
    """Return whether a result moved this way beyond noise at 95 %; None where not known."""
    if change is None:
        return None
    verdict = change.supposed if supposed and change.supposed is not None else change.verdict
    if verdict in ("not assessed", "not determined"):
        return None
    if verdict == "within noise":
        return False
    return change.direction == way


def _some(some: SomeOf, truth: Mapping[str, bool | None]) -> bool | None:
    known = [truth[name] for name in some.of]
    if known.count(True) >= some.at_least:
        return True
    return None if known.count(True) + known.count(None) >= some.at_least else False


def _statement(
    row: DeltaPattern, support: Support, reason: NotAssessed | None, *, suspected: bool
) -> str:
    if reason is not None and suspected:
        return f"{row.label}: suspected, not assessed ({reason.detail}). {row.explains}"
    if reason is not None:
        return f"{row.label}: not assessed ({reason.detail})."
    if support == "supported":
        return f"{row.label}: supported. {row.explains} {row.settles}"
    return f"{row.label}: argued against."
