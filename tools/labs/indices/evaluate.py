"""From a formula and what is known of its inputs to an `Index`; nothing is ever assumed.

Each input is an interval, or missing. A missing input is filled only with the bounds that the rule
itself gives it (MELD reads sodium within 125 to 137) or with every answer of a closed set (sex);
otherwise the index is not assessed, with the list of what is missing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from knowledge.evidence import ReferenceEvidence
from knowledge.finding import NotAssessed, Why
from knowledge.index import Index
from knowledge.laboratory_indices import IndexRow, laboratory_indices
from knowledge.quantity import Interval, Measured, Quantity, QuantityInterval
from knowledge.risk import NOT_DETERMINED, Band, MissingInput
from tools.labs.indices.corners import Values, image
from tools.labs.indices.given import Choice, Given, Inputs
from tools.labs.indices.wording import shown

TABLE = "laboratory_indices"
Constants = Mapping[str, float]
IndexFormula = Callable[[Values, Mapping[str, str], Constants], Any]
"""The value from input values, chosen options and the constants of the row."""


def evaluate(
    index_id: str,
    formula: IndexFormula,
    given: Mapping[str, Given],
    *,
    options: Mapping[str, Choice] | None = None,
    spread: Mapping[str, Interval] | None = None,
    category_sets: Sequence[str] = ("all",),
    not_needed: tuple[str, ...] = (),
) -> Index:
    """Return an index for what is known of its inputs.

    Args:
        index_id: Row of ``laboratory_indices.yaml``.
        formula: Monotone in each input within the contract of the row.
        given: Every measured input of the row, in its unit.
        options: Every option of the row.
        spread: Coefficients that the source gives as a range.
        category_sets: Sets of categories that may apply.
        not_needed: Inputs that cannot change the result, given the others.
    """
    row = laboratory_indices().indices[index_id]
    inputs = Inputs(row=row, given=given, options=options or {}, not_needed=not_needed)
    if inputs.refusal is not None:
        return _not_assessed(index_id, inputs, inputs.refusal)
    coefficients = spread or {}
    box = {**inputs.known, **coefficients}
    exact = inputs.all_numbers and all(i.is_exact for i in coefficients.values())
    images = [_image(row, formula, chosen, box) for chosen in inputs.answers()]
    found = [_within(i, row) for i in images if i is not None]
    value = _hull(found) if len(found) == len(images) else None
    if value is None or _says_nothing(value, row, inputs.missing):
        return _not_assessed(index_id, inputs, _unbounded(inputs.missing))
    bands = _bands(row, found, category_sets)
    return Index(
        index=index_id,
        name=row.name,
        value=_measured(value, row.unit, exact=exact),
        category="" if not bands else bands[0].name if len(bands) == 1 else NOT_DETERMINED,
        bands=bands,
        inputs=inputs.shown,
        missing=inputs.missing,
        statement=_statement(row, value, bands, inputs.missing),
        caveats=row.caveats,
        evidence=(ReferenceEvidence(table=TABLE, row=f"indices.{index_id}"),),
        source=(laboratory_indices().cite(TABLE, row.source, row.review),),
    )


def _image(
    row: IndexRow, formula: IndexFormula, chosen: Mapping[str, str], box: Mapping[str, Interval]
) -> Interval | None:
    return image(lambda values: formula(values, chosen, row.constants), box)


def _within(value: Interval, row: IndexRow) -> Interval:
    """Return the value moved inside the limits that the rule sets to its result."""
    low, low_closed = value.low, value.low_closed
    high, high_closed = value.high, value.high_closed
    floor, cap = row.lowest, row.highest
    if floor is not None and (low is None or low < floor):
        low, low_closed = floor, True
    if cap is not None and (high is None or high > cap):
        high, high_closed = cap, True
    if floor is not None and high is not None and high <= floor:
        return Interval.exact(floor)
    if cap is not None and low is not None and low >= cap:
        return Interval.exact(cap)
    return Interval(low=low, high=high, low_closed=low_closed, high_closed=high_closed)


def _hull(found: Sequence[Interval]) -> Interval | None:
    """Return the smallest interval over all, or None where it has no bound."""
    lows = [(-math.inf if i.low is None else i.low, not i.low_closed) for i in found]
    highs = [(math.inf if i.high is None else i.high, i.high_closed) for i in found]
    (low, low_open), (high, high_closed) = min(lows), max(highs)
    if math.isinf(low) and math.isinf(high):
        return None
    return Interval(
        low=None if math.isinf(low) else low,
        high=None if math.isinf(high) else high,
        low_closed=not low_open,
        high_closed=high_closed,
    )


def _says_nothing(value: Interval, row: IndexRow, missing: tuple[MissingInput, ...]) -> bool:
    """Return whether a missing input leaves no bound, or no more than the rule's own limits."""
    if not missing:
        return False
    if value.low is None or value.high is None:
        return True
    return (value.low, value.high) == (row.lowest, row.highest)


def _unbounded(missing: tuple[MissingInput, ...]) -> NotAssessed:
    if missing:
        labels = ", ".join(m.label for m in missing)
        return NotAssessed(why=Why.MISSING, detail=f"missing: {labels}")
    return NotAssessed(
        why=Why.CENSORED, detail="what is known of the inputs does not bound the result"
    )


def _measured(value: Interval, unit: str, *, exact: bool) -> Measured:
    if exact and value.low is not None:
        return Quantity(value=value.low, unit=unit)
    return QuantityInterval(interval=value, unit=unit)


def _bands(row: IndexRow, found: Sequence[Interval], sets: Sequence[str]) -> tuple[Band, ...]:
    names: dict[str, Band] = {}
    for name in sets:
        for category in row.categories.get(name, ()):
            if any(category.can_hold(_as_categorised(value, row)) for value in found):
                names[category.name] = Band(name=category.name, meaning=category.meaning)
    return tuple(names.values())


def _as_categorised(value: Interval, row: IndexRow) -> Interval:
    """Return the value at the decimals at which its category is read."""
    decimals = row.categorised_at_decimals
    if decimals is None:
        return value
    return Interval(low=_half_up(value.low, decimals), high=_half_up(value.high, decimals))


def _half_up(value: float | None, decimals: int) -> float | None:
    scale = 10.0**decimals
    return None if value is None else math.floor(value * scale + 0.5) / scale


def _statement(
    row: IndexRow, value: Interval, bands: tuple[Band, ...], missing: tuple[MissingInput, ...]
) -> str:
    unit = "" if row.unit == "1" else f" {row.unit.replace('{1.73_m2}', '1.73 m²')}"
    words = f"{row.name}: {shown(value, row.decimals)}{unit}"
    if len(bands) == 1:
        words += f", {bands[0].name}" + (f" ({bands[0].meaning})" if bands[0].meaning else "")
    elif bands:
        words += f", not determined: {' or '.join(band.name for band in bands)}"
    if missing:
        words += f"; missing: {', '.join(m.label for m in missing)}"
    return f"{words}."


def not_assessed_index(index_id: str, reason: NotAssessed) -> Index:
    """Return an index that is not for this person, with the reason."""
    row = laboratory_indices().indices[index_id]
    return Index(
        index=index_id,
        name=row.name,
        statement=f"{row.name}: not assessed ({reason.detail}).",
        caveats=row.caveats,
        not_assessed=reason,
        evidence=(ReferenceEvidence(table=TABLE, row=f"indices.{index_id}"),),
        source=(laboratory_indices().cite(TABLE, row.source, row.review),),
    )


def _not_assessed(index_id: str, inputs: Inputs, reason: NotAssessed) -> Index:
    row = inputs.row
    return Index(
        index=index_id,
        name=row.name,
        inputs=inputs.shown,
        missing=inputs.missing,
        statement=f"{row.name}: not assessed ({reason.detail}).",
        caveats=row.caveats,
        not_assessed=reason,
        evidence=(ReferenceEvidence(table=TABLE, row=f"indices.{index_id}"),),
        source=(laboratory_indices().cite(TABLE, row.source, row.review),),
    )
