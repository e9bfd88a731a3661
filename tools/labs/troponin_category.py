"""The answers a serial troponin rule can give, and the set of those still possible."""

from collections.abc import Iterable, Set
from enum import StrEnum
from typing import Final

from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval
from tools.labs.troponin_samples import SeriesSample


class Category(StrEnum):
    """One answer; in order of severity."""

    RULE_OUT = "rule-out"
    PENDING = "rule-out pending a 3 h sample"
    NEED_SECOND = "need second sample"
    OBSERVE = "observe"
    RULE_IN = "rule-in"


NOT_ASSESSED: Final = "not assessed"
RULE_OUTS: Final = frozenset({Category.RULE_OUT, Category.PENDING})


class Verdict(Frozen):
    """What one algorithm says of one series.

    Args:
        categories: Every answer that some completion of what is not exactly known reaches, in
            order of severity; empty where refused.
        refused: Why the algorithm cannot be applied.
        second: The second sample that was used.
        due_minutes: When the next sample is due, minutes after the first; None where none is.
        tolerance: How late it may be, minutes.
        basis: What was compared, in words.
        caveats: What must be read with it.
        needs: Ids of the inputs that are not known and could change the answer.
        rows: Rows of reference data that were applied, ``table: row``.
        reviews: Their review tags.
    """

    categories: tuple[Category, ...] = ()
    refused: NotAssessed | None = None
    second: SeriesSample | None = None
    due_minutes: float | None = None
    tolerance: float = 0.0
    basis: str = ""
    caveats: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    reviews: tuple[str, ...] = ()

    @property
    def certain(self) -> Category | None:
        """The one answer every completion reaches, if there is one."""
        return self.categories[0] if len(self.categories) == 1 else None


def refuse(why: Why, detail: str, *, needs: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict of an algorithm that cannot be applied."""
    return Verdict(refused=NotAssessed(why=why, detail=detail), needs=needs)


def ordered(found: Iterable[Category]) -> tuple[Category, ...]:
    """Return the answers once each, in order of severity."""
    present = set(found)
    return tuple(category for category in Category if category in present)


def without_rule_out(found: Set[Category], threat: bool | None) -> set[Category]:
    """Return the answers once a sample outside the pair may forbid a rule-out.

    Args:
        found: Answers of the pair.
        threat: Whether such a sample forbids it: surely, surely not, or not known (None).
    """
    if threat is False or not RULE_OUTS & found:
        return set(found)
    kept = set(found) if threat is None else set(found) - RULE_OUTS
    return kept | {Category.OBSERVE}


def any_of(truth: Iterable[bool | None]) -> bool | None:
    """Return whether any is true, in three-valued logic; False for none at all."""
    known = list(truth)
    if True in known:
        return True
    return None if None in known else False


def split(
    interval: Interval, *, below: Iterable[float] = (), up_to: Iterable[float] = ()
) -> tuple[Interval, ...]:
    """Return `interval` cut into parts that stand on one side of every limit.

    Args:
        interval: All possible values.
        below: Limits that rules test with "below": the limit itself belongs to the upper part.
        up_to: Limits that rules test with "at most": the limit itself belongs to the lower part.

    Examples:
        >>> [str(part) for part in split(Interval(low=0, high=6, high_closed=False), below=(5,))]
        ['<5', '[5, 6)']
    """
    parts = [interval]
    for limit, in_lower in [(v, False) for v in below] + [(v, True) for v in up_to]:
        parts = [piece for part in parts for piece in _cut(part, limit, in_lower=in_lower)]
    return tuple(parts)


def _cut(part: Interval, limit: float, *, in_lower: bool) -> tuple[Interval, ...]:
    if part.compare("le" if in_lower else "lt", limit) is not None:
        return (part,)
    lower = part.model_copy(update={"high": float(limit), "high_closed": in_lower})
    upper = part.model_copy(update={"low": float(limit), "low_closed": not in_lower})
    return lower, upper
