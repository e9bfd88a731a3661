"""The answer of one ECG rule: yes, no or not known, with the numbers that led to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from knowledge.finding import NotAssessed, Why

BORDERLINE = "borderline"
"""Flag: the answer would turn within our measurement error."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a rule holds.

    Args:
        holds: True, False, or None where it is not known.
        basis: The numbers and limits behind the answer, in words.
        leads: Leads that decided it.
        flags: Kebab-case marks that must be read with it.
        rows: Rows of the criteria table that were applied.
        why: The reason; set exactly where `holds` is None.
    """

    holds: bool | None
    basis: str = ""
    leads: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    why: NotAssessed | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown without a reason, and a reason without an unknown."""
        if (self.holds is None) != (self.why is not None):
            raise ValueError("a reason is given exactly where the answer is not known")

    def flagged(self, *flags: str) -> "Verdict":
        """Return the verdict with more flags, each once."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


def unknown(
    why: Why,
    detail: str,
    *,
    leads: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    rows: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict that nothing can be said, with the reason."""
    reason = NotAssessed(why=why, detail=detail)
    return Verdict(holds=None, why=reason, leads=leads, flags=flags, rows=rows)


def every(truth: Iterable[bool | None]) -> bool | None:
    """Return whether all hold: one False decides, else one unknown leaves it unknown."""
    values = tuple(truth)
    if False in values:
        return False
    return None if None in values else True


def some(truth: Iterable[bool | None]) -> bool | None:
    """Return whether any holds: one True decides, else one unknown leaves it unknown."""
    values = tuple(truth)
    if True in values:
        return True
    return None if None in values else False


def at_least(truth: Iterable[bool | None], number: int) -> bool | None:
    """Return whether at least `number` hold, with the unknown ones counted both ways."""
    values = tuple(truth)
    sure = values.count(True)
    if sure >= number:
        return True
    return None if sure + values.count(None) >= number else False


def with_margin(rule: Callable[[float], Verdict], margin: float) -> Verdict:
    """Return the verdict of `rule`, flagged `borderline` where the margin would turn it.

    Args:
        rule: Takes what is added to every limit, in the unit of the limit.
        margin: The measurement error, same unit.
    """
    verdict = rule(0.0)
    turned = {rule(margin).holds, rule(-margin).holds} - {verdict.holds}
    if verdict.holds is None or not turned:
        return verdict
    return verdict.flagged(BORDERLINE)


def first_reason(verdicts: Iterable[Verdict]) -> NotAssessed:
    """Return the reason of the first verdict that is not known."""
    for verdict in verdicts:
        if verdict.why is not None:
            return verdict.why
    return NotAssessed(why=Why.DEPENDS, detail="depends on statements that are not assessed")
