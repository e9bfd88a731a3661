"""Whether a score applies to this patient: refused, applicable, or only on a condition."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.finding import NotAssessed, Why
from knowledge.rules import Answer, holds
from knowledge.score_rows import Clause
from knowledge.scores import Score
from tools.risk.completions import Values
from tools.risk.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The score does not apply, or may not be applied before something is known.

    Args:
        reason: Why.
        clause: The row of the score's population that refuses.
        missing: The input that would have to be known; None where what is known refuses.
    """

    reason: NotAssessed
    clause: Clause
    missing: Input | None = None


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the score is computed on.

    Args:
        values: Representative values of each input, without those outside the population.
        conditional: Clauses that are not known to be false: the result holds only if they are.
    """

    values: Values
    conditional: tuple[Clause, ...] = ()


def within(parts: Iterable[Score], inputs: Mapping[str, Input], values: Values) -> Scope | Refusal:
    """Return the values inside the population of every part, or why the score is refused."""
    kept: dict[str, tuple[Answer, ...]] = dict(values)
    conditional: dict[str, Clause] = {}
    for clause, forbidden in _clauses(parts):
        input_id = next(iter(clause.when.inputs()))
        inside = tuple(v for v in kept[input_id] if holds(clause.when, {input_id: v}) != forbidden)
        sure = len(inside) == len(kept[input_id])
        if not inside:
            detail = f"outside the contract: {clause.reason}"
            return Refusal(
                reason=NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail), clause=clause
            )
        if not sure and not forbidden:
            known = inputs[input_id]
            detail = f"{clause.reason}; {known.entry.label} is {known.words}"
            return Refusal(
                reason=NotAssessed(why=known.why_missing.why, detail=detail),
                clause=clause,
                missing=known,
            )
        if not sure:
            conditional[input_id] = clause
        kept[input_id] = inside
    return Scope(values=kept, conditional=tuple(conditional.values()))


def _clauses(parts: Iterable[Score]) -> Iterator[tuple[Clause, bool]]:
    """Yield each clause with the truth its condition must not have."""
    for part in parts:
        yield from ((clause, True) for clause in part.population.outside_if)
        yield from ((clause, False) for clause in part.population.requires)
