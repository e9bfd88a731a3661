"""Delta checks: does a result differ so much from an earlier one that a mix-up is to be excluded?

A screen, not a verdict: an illness can do the same. A result that cannot be compared, or that has
no earlier one within the look-back window, is not assessed, with the reason.
"""

from collections.abc import Sequence

from pydantic import Field

from knowledge.analytes import analytes
from knowledge.clinical_time import elapsed
from knowledge.delta_checks import DeltaRow, delta_checks
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, Operator
from knowledge.reference import Citation
from knowledge.units import ucum_factor
from tools.labs.paired_result import (
    LabResult,
    not_comparable,
    only_not_stated,
    percent_change,
)

_TABLE = "delta_checks"
_MINUTES_PER_DAY = 1440


class DeltaCheck(Frozen):
    """The delta check of one pair of results.

    Args:
        analyte: Key of the analyte table.
        state: Present where the check is raised, absent where it is not, else not assessed.
        not_assessed: The reason.
        supposed: Whether it would be raised if both were measured alike, where only that is not
            stated; the state itself then stays not assessed.
        limits: The limits of the row in words.
        statement: The result in one sentence.
        evidence: What it rests on.
        source: Where the limits come from.
    """

    analyte: str
    state: State
    not_assessed: NotAssessed | None = None
    supposed: bool | None = Field(default=None, exclude_if=lambda found: found is None)
    limits: str = ""
    statement: str
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()


def delta_check(earlier: LabResult, later: LabResult) -> DeltaCheck:
    """Return whether the change between two results raises the check of the analyte."""
    unlike = not_comparable(earlier, later)
    refusal = None if unlike is not None and only_not_stated(earlier, later) else unlike
    refusal = _no_row(later.analyte) or refusal or _too_far(earlier, later)
    if refusal is not None:
        return _not_assessed(later.analyte, refusal, (earlier, later))
    row = delta_checks().rows[later.analyte]
    raised = _raised(row, earlier, later)
    if raised is None:
        reason = NotAssessed(
            why=Why.CENSORED, detail="the bounds of the results lie on both sides of the limit"
        )
        return _not_assessed(later.analyte, reason, (earlier, later))
    if unlike is not None:
        supposed = _not_assessed(later.analyte, unlike, (earlier, later))
        return supposed.model_copy(update={"supposed": raised, "limits": _words(row)})
    words = _words(row)
    statement = (
        f"{earlier.value} then {later.value}: {'reaches' if raised else 'does not reach'} the "
        f"delta check ({words})."
    )
    if raised:
        statement += " Exclude a mix-up or a contaminated specimen; an illness can do the same."
    return DeltaCheck(
        analyte=later.analyte,
        state=State.PRESENT if raised else State.ABSENT,
        limits=words,
        statement=statement,
        evidence=(
            *earlier.evidence,
            *later.evidence,
            ReferenceEvidence(table=_TABLE, row=f"rows.{later.analyte}"),
        ),
        source=(delta_checks().cite(_TABLE, row.source, row.review),),
    )


def latest_within_window(results: Sequence[LabResult], later: LabResult) -> LabResult | NotAssessed:
    """Return the last comparable result collected before `later` within the look-back window."""
    reasons = []
    usable: list[tuple[float, LabResult]] = []
    for earlier in results:
        if earlier.analyte != later.analyte or earlier == later:
            continue
        reason = not_comparable(earlier, later) or _too_far(earlier, later)
        minutes = elapsed(earlier.time, later.time).minutes
        if reason is None and minutes is not None:
            usable.append((minutes.low or 0.0, earlier))
        elif reason is not None:
            reasons.append(reason)
    if usable:
        return min(usable, key=lambda pair: pair[0])[1]
    if reasons:
        return reasons[0]
    return NotAssessed(why=Why.MISSING, detail="no earlier result")


def _raised(row: DeltaRow, earlier: LabResult, later: LabResult) -> bool | None:
    reached: Operator = "gt" if row.strict else "ge"
    first, second = earlier.interval, later.interval
    truth: list[bool | None] = []
    if row.absolute is not None:
        factor = _factor(later, row.unit or "")
        apart = first.absolute_difference(second)
        known = None if factor is None else apart.scaled(factor)
        truth.append(None if known is None else known.compare(reached, row.absolute))
    if row.percent is not None:
        truth.append(_either_way(percent_change(first, second), row.percent, reached))
    if row.times is not None:
        truth.append(_times(first, second, row.times, reached))
    if True in truth:
        return True
    return None if None in truth else False


def _either_way(moved: Interval | None, percent: float, reached: Operator) -> bool | None:
    if moved is None:
        return None
    down: Operator = "lt" if reached == "gt" else "le"
    rises, falls = moved.compare(reached, percent), moved.compare(down, -percent)
    if rises or falls:
        return True
    return False if rises is False and falls is False else None


def _times(first: Interval, second: Interval, times: float, reached: Operator) -> bool | None:
    """Return whether the larger result is that many times the smaller one, in either direction."""
    up = percent_change(first, second)
    down = percent_change(second, first)
    limit = (times - 1.0) * 100.0
    truth = [None if moved is None else moved.compare(reached, limit) for moved in (up, down)]
    if True in truth:
        return True
    return None if None in truth else False


def _factor(result: LabResult, unit: str) -> float | None:
    """Return the factor from the unit of a result to the unit of the row; None where unclear."""
    if result.value.unit == unit:
        return 1.0
    analyte = analytes().analytes.get(result.analyte)
    if analyte is None or analyte.unit != result.value.unit:
        return ucum_factor(result.value.unit, unit)
    rows = [row for row in analyte.units if row.unit == unit]
    return 1.0 / analyte.factor(rows[0]) if len(rows) == 1 else None


def _no_row(analyte: str) -> NotAssessed | None:
    if analyte in delta_checks().rows:
        return None
    row = delta_checks().none.get(analyte)
    detail = f"no delta check is held for {analyte}" if row is None else row.reason
    return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)


def _too_far(earlier: LabResult, later: LabResult) -> NotAssessed | None:
    days = delta_checks().window.days
    minutes = elapsed(earlier.time, later.time).minutes
    if minutes is not None and minutes.compare("le", days * _MINUTES_PER_DAY):
        return None
    detail = f"the earlier result is not known to be within the look-back of {days:g} days"
    return NotAssessed(why=Why.OUTSIDE_WINDOW, detail=detail)


def _words(row: DeltaRow) -> str:
    sign = "over" if row.strict else "at least"
    parts = []
    if row.absolute is not None:
        parts.append(f"{sign} {row.absolute:g} {row.unit}")
    if row.percent is not None:
        parts.append(f"{sign} {row.percent:g} %")
    if row.times is not None:
        parts.append(f"{sign} {row.times:g} times")
    return " or ".join(parts)


def _not_assessed(
    analyte: str, reason: NotAssessed, results: tuple[LabResult, LabResult]
) -> DeltaCheck:
    return DeltaCheck(
        analyte=analyte,
        state=State.NOT_ASSESSED,
        not_assessed=reason,
        statement=f"Delta check not assessed: {reason.detail}.",
        evidence=tuple(e for r in results for e in r.evidence),
    )
