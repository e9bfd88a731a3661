"""Laboratory analytes and vital signs: their codes, units, conversions and impossible values.

One exact table first (``data/analytes.yaml``): a code belongs to an analyte, a spelling counts only
where the analyte lists its unit. What is not in the table is "not assessed: unit not recognised",
unless the optional UCUM parser is sure.
"""

from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from typing import Literal, NamedTuple, Self

from pydantic import FiniteFloat, PositiveFloat, model_validator

from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen, put_together
from knowledge.plain_text import quotation
from knowledge.quantity import Interval, Measured, Quantity, format_number, measured
from knowledge.reference import Table, load
from knowledge.units import not_below, ucum_factor

ASSUMED = "unit-assumed"
"""Flag: no unit was stated, and only one unit makes the value possible."""


class UnitRow(Frozen):
    """One accepted unit; exactly one of the three factors is given.

    Args:
        unit: Key of the spellings.
        form: What the number counts, where one unit can mean two things (FEU, DDU).
        factor: Canonical = stated x factor + offset.
        molar_factor: Canonical mass = stated amount x this x molar mass.
        mass_factor: Canonical amount = stated mass x this / molar mass.
        offset: For temperatures.
        flag: Quality flag that the conversion leaves on a finding.
    """

    unit: str
    form: str | None = None
    factor: PositiveFloat | None = None
    molar_factor: PositiveFloat | None = None
    mass_factor: PositiveFloat | None = None
    offset: FiniteFloat = 0.0
    flag: str | None = None

    @model_validator(mode="after")
    def _one_factor(self) -> Self:
        given = (self.factor, self.molar_factor, self.mass_factor)
        if sum(g is not None for g in given) != 1:
            raise ValueError("give exactly one of factor, molar_factor, mass_factor")
        return self


class LoincRow(Frozen):
    """What one LOINC code fixes beyond the analyte: the form its number counts."""

    form: str | None = None


class Analyte(Frozen):
    """One row of the table.

    Args:
        label: Name to show.
        group: Where it belongs in a chart.
        unit: Canonical UCUM unit.
        loinc: Codes, each with what it fixes.
        units: Accepted units.
        molar_mass: g/mol, for conversions between mass and amount.
        form_question: Which forms one has to tell apart, in words.
        low, high: Values outside, in the canonical unit, are impossible.
    """

    label: str
    group: Literal["laboratory", "vital-sign"]
    unit: str
    loinc: Mapping[str, LoincRow]
    units: tuple[UnitRow, ...]
    molar_mass: PositiveFloat | None = None
    form_question: str | None = None
    low: FiniteFloat
    high: FiniteFloat
    source: str
    review: str

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        molar = any(row.factor is None for row in self.units)
        if molar and self.molar_mass is None:
            raise ValueError("a conversion between mass and amount needs the molar mass")
        if any(row.form for row in self.units) and self.form_question is None:
            raise ValueError("units with forms need the form_question")
        return self

    def factor(self, row: UnitRow) -> float:
        """Return the factor from the row's unit to the canonical unit."""
        if row.factor is not None:
            return row.factor
        mass = self.molar_mass or 1.0
        if row.molar_factor is not None:
            return row.molar_factor * mass
        return (row.mass_factor or 1.0) / mass


class Converted(NamedTuple):
    """A value in the canonical unit, and what the conversion has to say about it.

    Args:
        value: In the canonical unit of the analyte.
        changed: Whether the number differs from the one reported.
        flags: For example ``converted-ddu-to-feu``, ``unit-assumed``.
    """

    value: Measured
    changed: bool
    flags: tuple[str, ...] = ()


class Analytes(Table):
    """The whole table."""

    spellings: Mapping[str, tuple[str, ...]]
    analytes: Mapping[str, Analyte]

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        codes = [code for row in self.analytes.values() for code in row.loinc]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"LOINC codes of two analytes: {', '.join(twice)}")
        unknown = {u.unit for row in self.analytes.values() for u in row.units} - set(
            self.spellings
        )
        if unknown:
            raise ValueError(f"units without spellings: {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def _by_loinc(self) -> Mapping[str, str]:
        return {code: key for key, row in self.analytes.items() for code in row.loinc}

    @cached_property
    def _units_of(self) -> Mapping[str, frozenset[str]]:
        """Spelling to the UCUM units it is a spelling of."""
        found: dict[str, set[str]] = {}
        for unit, spellings in self.spellings.items():
            for spelling in spellings:
                found.setdefault(spelling, set()).add(unit)
        return {spelling: frozenset(units) for spelling, units in found.items()}

    def for_loinc(self, code: str) -> str | None:
        """Return the key of the analyte of a LOINC code, or None where the code is not known."""
        return self._by_loinc.get(code)

    def knows_spelling(self, unit_text: str) -> bool:
        """Return whether a text is a spelling of any unit of the table."""
        return unit_text.strip() in self._units_of

    def rows(self, key: str, unit_text: str | None) -> tuple[UnitRow, ...]:
        """Return the unit rows of an analyte that a spelling can mean; all for no unit."""
        analyte = self.analytes[key]
        if unit_text is None:
            return analyte.units
        units = self._units_of.get(unit_text.strip(), frozenset())
        return tuple(row for row in analyte.units if row.unit in units)


@cache
def analytes() -> Analytes:
    """Return the packaged table."""
    return load("analytes", Analytes)


def convert(
    key: str, interval: Interval, unit_text: str | None, loinc: str | None = None
) -> Converted | NotAssessed:
    """Return a stated number or bound in the canonical unit of an analyte, or why it cannot be.

    Args:
        key: Key of the analyte.
        interval: The number or bound as stated.
        unit_text: The unit as written; None or blank where none was stated.
        loinc: The LOINC code it was reported under, which may fix the form (FEU, DDU).

    Examples:
        >>> convert("hs_ctnt", Interval.exact(0.012), "ug/L").value
        Quantity(kind='quantity', value=12.0, unit='ng/L')
        >>> convert("d_dimer", Interval.exact(400), "ng/mL").detail
        'unit not recognised: FEU or DDU not stated'
    """
    rule = _rule(key, (unit_text or "").strip(), loinc)
    if isinstance(rule, NotAssessed):
        return rule
    analyte = analytes().analytes[key]
    if isinstance(rule, _Conversion):
        return _apply(analyte, interval, rule)
    return _without_unit(analyte, interval, rule)


def convert_number(
    key: str, number: float, unit_text: str | None, loinc: str | None = None
) -> Converted | NotAssessed:
    """Return the same as `convert` for one exact number; the short way for a long chart.

    Examples:
        >>> convert_number("hs_ctnt", 0.012, "ug/L").value
        Quantity(kind='quantity', value=12.0, unit='ng/L')
    """
    rule = _rule(key, (unit_text or "").strip(), loinc)
    if not isinstance(rule, _Conversion):
        return convert(key, Interval.exact(number), unit_text, loinc)
    changed = not rule.is_identity
    value = float(f"{number * rule.factor + rule.offset:.12g}") if changed else float(number)
    analyte = analytes().analytes[key]
    if not analyte.low <= value <= analyte.high:
        return _impossible(analyte)
    # between two finite bounds, so that nothing is left for a model to check
    stated = {"kind": "quantity", "value": value, "unit": analyte.unit}
    return Converted(put_together(Quantity, stated), changed, rule.flags)


class _Conversion(NamedTuple):
    """Canonical = stated x factor + offset."""

    factor: float
    offset: float = 0.0
    flags: tuple[str, ...] = ()

    @property
    def is_identity(self) -> bool:
        return self.factor == 1.0 and self.offset == 0.0


@lru_cache(maxsize=4096)
def _rule(
    key: str, text: str, loinc: str | None
) -> _Conversion | tuple[_Conversion, ...] | NotAssessed:
    """Return the conversion of a spelling; all that are possible where no unit is stated."""
    analyte = analytes().analytes[key]
    rows = analytes().rows(key, text or None)
    if not rows:
        return _by_parser(analyte, text)
    code = analyte.loinc.get(loinc) if loinc is not None else None
    fixed = code.form if code is not None else None
    if fixed is not None:
        agreeing = tuple(row for row in rows if row.form in (None, fixed))
        if not agreeing:
            return NotAssessed(
                why=Why.CONFLICTING,
                detail=f"the unit says {rows[0].form}, the LOINC code says {fixed}",
            )
        rows = agreeing
    found = tuple(dict.fromkeys(_conversion(analyte, row) for row in rows))
    if not text:
        return found
    if len(found) > 1:
        return _not_recognised(f"{analyte.form_question} not stated")
    return found[0]


def _conversion(analyte: Analyte, row: UnitRow) -> _Conversion:
    return _Conversion(analyte.factor(row), row.offset, (row.flag,) if row.flag else ())


def _by_parser(analyte: Analyte, text: str) -> _Conversion | NotAssessed:
    factor = None if analyte.form_question else ucum_factor(text, analyte.unit)
    if factor is None:
        return _not_recognised(f"{quotation(text)} for {analyte.label}")
    return _Conversion(factor)


def _apply(
    analyte: Analyte, interval: Interval, rule: _Conversion, *flags: str
) -> Converted | NotAssessed:
    scaled = interval if rule.is_identity else interval.scaled(rule.factor, rule.offset)
    possible = not_below(scaled, min(analyte.low, 0.0)) if interval.low is None else scaled
    if possible is None or not _overlaps(possible, analyte.low, analyte.high):
        return _impossible(analyte)
    return Converted(
        value=measured(possible, analyte.unit),
        changed=not rule.is_identity,
        flags=(*flags, *rule.flags),
    )


def _without_unit(
    analyte: Analyte, interval: Interval, rules: tuple[_Conversion, ...]
) -> Converted | NotAssessed:
    """Return the value where one unit alone makes it possible, flagged; refuse it otherwise."""
    results = [_apply(analyte, interval, rule, ASSUMED) for rule in rules]
    possible = [result for result in results if isinstance(result, Converted)]
    if len(possible) == 1:
        return possible[0]
    if not possible:
        return NotAssessed(why=Why.VALUE_IMPOSSIBLE, detail="no unit stated, impossible in any")
    units = ", ".join(sorted({row.unit for row in analyte.units}))
    return _not_recognised(f"no unit stated, possible in more than one of {units}")


def _impossible(analyte: Analyte) -> NotAssessed:
    return NotAssessed(
        why=Why.VALUE_IMPOSSIBLE,
        detail=f"value impossible: {analyte.label} lies between {format_number(analyte.low)} "
        f"and {format_number(analyte.high)} {analyte.unit}",
    )


def _not_recognised(what: str) -> NotAssessed:
    return NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail=f"unit not recognised: {what}")


def _overlaps(interval: Interval, low: float, high: float) -> bool:
    above = interval.high is None or interval.high >= low
    return above and (interval.low is None or interval.low <= high)
