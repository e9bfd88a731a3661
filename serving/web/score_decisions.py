"""The totals of a score whose decision rows name its category, in stretches of one meaning each."""

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from knowledge.clinical_inputs import catalogue
from knowledge.finding import State
from knowledge.quantity import Interval
from knowledge.risk import Risk
from knowledge.rules import Condition, combine, holds
from knowledge.score_curves import DIGITS
from knowledge.scores import Score, score

Sums = tuple[float, ...]
"""A total, then each partial sum that a decision row tests."""


class Stretch(NamedTuple):
    """Neighbouring totals that can have the same categories, from the first to the last."""

    names: tuple[str, ...]
    first: float
    last: float


def by_decision(found: Score, risk: Risk) -> tuple[Stretch, ...]:
    """Return every attainable total with the categories it can have, for what is known here.

    Args:
        found: A score that reports a total beside decision rows.
        risk: Its result, whose rows say what is known of the inputs that the decision reads.

    Returns:
        Empty where the score has no such total, or where the decision reads a number.
    """
    read = dict.fromkeys(i for row in found.decision if row.when for i in row.when.inputs())
    if not found.keeps_total or any(catalogue().get(i).kind != "boolean" for i in read):
        return ()
    known = {item.item: item.state for item in risk.items}
    spaces = [_truths(known.get(i, State.NOT_ASSESSED)) for i in read]
    reached: dict[float, set[str]] = {}
    for sums in _attainable(found.id):
        names = reached.setdefault(sums[0], set())
        for truths in itertools.product(*spaces):
            names.add(_category(found, sums, dict(zip(read, truths, strict=True))))
    return tuple(_joined(found, reached))


def _truths(state: State) -> tuple[bool, ...]:
    match state:
        case State.PRESENT:
            return (True,)
        case State.ABSENT:
            return (False,)
        case _:
            return (True, False)


@cache
def _attainable(score_id: str) -> frozenset[Sums]:
    """Return every total that the items can add up to, with the partial sums beside it."""
    found = score(score_id)
    parts = [part for row in found.decision for part in row.parts]
    every: frozenset[Sums] = frozenset({(0.0,) * (1 + len(parts))})
    for item in found.items:
        adds = {(p, *(part.of(item.id, p) for part in parts)) for p in set(item.steps())}
        every = frozenset(
            tuple(round(a + b, DIGITS) for a, b in zip(sums, add, strict=True))
            for sums in every
            for add in adds
        )
    return every


def _category(found: Score, sums: Sums, truths: Mapping[str, bool]) -> str:
    tested = iter(sums[1:])
    parts = [[part.holds(next(tested)) for part in row.parts] for row in found.decision]

    def test(leaf: Condition) -> bool | None:
        if leaf.score is None:
            return holds(leaf, truths)
        total = Interval.exact(sums[0])
        return all(total.compare(op, limit) for op, limit in leaf.limits)

    return next(
        row.category
        for row, met in zip(found.decision, parts, strict=True)
        if (row.when is None or combine(row.when, test)) and all(met)
    )


def _joined(found: Score, reached: Mapping[float, set[str]]) -> Iterator[Stretch]:
    def names(total: float) -> tuple[str, ...]:
        return tuple(band.name for band in found.bands if band.name in reached[total])

    for together, totals in itertools.groupby(sorted(reached), key=names):
        every = list(totals)
        yield Stretch(together, every[0], every[-1])
