"""Which critical limits a result reaches, or may reach."""

from collections.abc import Iterator

from knowledge.critical_results import Limit, critical_results
from knowledge.laboratory_site import SIDES, LaboratoryReference
from knowledge.quantity import Interval
from tools.labs.interval_model import CriticalLimit, LimitSide, Subject

_TABLE = "critical_results"
_AGE = "age in days"


def critical_limits(
    analyte: str, value: Interval, unit: str, subject: Subject, reference: LaboratoryReference
) -> tuple[CriticalLimit, ...]:
    """Return the critical limits that a value reaches, certain ones first.

    A side of a site's row takes the place of the packaged one and of its conditional limits.

    Args:
        analyte: Key of the analyte.
        value: In the analyte's unit.
        unit: That unit.
        subject: Whose value it is.
        reference: The rows.
    """
    found = list(_always(analyte, value, unit, reference))
    certain = {limit.side for limit in found if limit.certain}
    found += [
        limit
        for limit in _conditional(analyte, value, unit, subject, reference)
        if limit.side not in certain and not reference.critical_side(analyte, limit.side)[1]
    ]
    return tuple(sorted(found, key=lambda limit: not limit.certain))


def held_sides(analyte: str | None, reference: LaboratoryReference) -> frozenset[str]:
    """Return the sides on which any critical limit is held for an analyte.

    Args:
        analyte: Key of the analyte; None for a test that we do not hold.
        reference: The rows.
    """
    if analyte is None:
        return frozenset()
    always = {side for side in SIDES if reference.critical_side(analyte, side)[0] is not None}
    return frozenset(always | {row.side for row in critical_results().conditional.get(analyte, ())})


def _always(
    analyte: str, value: Interval, unit: str, reference: LaboratoryReference
) -> Iterator[CriticalLimit]:
    for side in SIDES:
        limit, site = reference.critical_side(analyte, side)
        if limit is None:
            continue
        reached = _reached(side, value, limit)
        if reached is not False:
            yield _limit(side, limit, unit, reference, certain=reached is True, site=site)


def _conditional(
    analyte: str, value: Interval, unit: str, subject: Subject, reference: LaboratoryReference
) -> Iterator[CriticalLimit]:
    for limit in critical_results().conditional.get(analyte, ()):
        reached = _reached(limit.side, value, limit)
        young = _young_enough(limit.to_age_days, subject)
        so = True if limit.when is None else subject.circumstances.get(limit.when)
        if False in (reached, young, so):
            continue
        missing = [_AGE] if young is None else []
        if so is None and limit.when is not None:
            missing.append(limit.when)
        certain = reached is True and not missing
        yield _limit(
            limit.side, limit, unit, reference, certain=certain, missing=tuple(missing), site=False
        )


def _reached(side: LimitSide, value: Interval, limit: Limit) -> bool | None:
    return value.compare("le" if side == "low" else "ge", limit.limit)


def _young_enough(to_age_days: float | None, subject: Subject) -> bool | None:
    if to_age_days is None:
        return True
    if subject.age_days is not None:
        return subject.age_days.compare("le", to_age_days)
    if subject.age is not None and subject.age.compare("ge", 1):
        return False
    return None


def _limit(
    side: LimitSide,
    limit: Limit,
    unit: str,
    reference: LaboratoryReference,
    *,
    certain: bool,
    site: bool,
    missing: tuple[str, ...] = (),
) -> CriticalLimit:
    return CriticalLimit(
        side=side,
        limit=limit.limit,
        unit=unit,
        certain=certain,
        missing=missing,
        origin="site" if site else "fallback",
        citation=reference.cite(limit.source, limit.review, site=site, table=_TABLE),
    )
