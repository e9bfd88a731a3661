"""Troponin assays and the rules of serial troponin, as reviewable data.

Concentrations are in ng/L, times in minutes unless a name says otherwise. What a table does not
hold is explicit: an assay without published limits has a set that is not available.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.troponin_rules import (
    Algorithm,
    Cell,
    Levels,
    LimitSet,
    OnsetLimits,
    Performance,
    Plausible,
    Rule03,
    RuleHighSteacs,
    RuleInjury,
    RuleObserveZone,
    RuleOutVeto,
    SampleQuestion,
    Sourced,
    Wording,
)

Analyte = Literal["hs_ctnt", "hs_ctni", "ctnt", "ctni"]
_LIMIT_SETS: tuple[LimitSet, ...] = ("esc_0_1h", "esc_0_2h")


class EscSet(Sourced):
    """The limits of one assay in one ESC algorithm, as printed in the table.

    Args:
        available: False where the table has no values at all.
        serial: False where the limits for the change are not published.
        same_as: The assay whose limits are used instead.
        single_sample_rule_out: False where the very low limit cannot be used.
        very_low, low, no_delta: Below these, ng/L.
        high, delta_in: At or above these, ng/L.
    """

    available: bool = True
    serial: bool = True
    same_as: str | None = None
    single_sample_rule_out: bool = True
    very_low: float | None = None
    low: float | None = None
    no_delta: float | None = None
    high: float | None = None
    delta_in: float | None = None
    note: str = ""

    @model_validator(mode="after")
    def _says_what_it_lacks(self) -> Self:
        first = (self.very_low, self.high)
        change = (self.low, self.no_delta, self.delta_in)
        own = self.available and self.same_as is None
        if any((value is not None) != own for value in first):
            raise ValueError("very_low and high are given exactly where the set has its own limits")
        if any((value is not None) != (own and self.serial) for value in change):
            raise ValueError("low, no_delta and delta_in are given exactly where serial is true")
        if (not own or not self.serial or not self.single_sample_rule_out) and not self.note:
            raise ValueError("a set that is not complete says why in `note`")
        return self


class ChangeLimits(NamedTuple):
    """Limits of the serial part, ng/L."""

    low: float
    no_delta: float
    delta_in: float


class EscLimits(Frozen):
    """Limits ready to apply.

    Args:
        name: The set of the assay table.
        very_low: Below it one sample rules out; None where that cannot be used.
        high: At or above it one sample rules in.
        change: Limits of the serial part; None where they are not published.
        notes: What a reader must know.
        rows: Rows of the assay table the limits were read from.
        reviews: Review tags of these rows.
        source: Key of the source.
    """

    name: LimitSet
    very_low: float | None
    high: float
    change: ChangeLimits | None
    notes: tuple[str, ...]
    rows: tuple[str, ...]
    reviews: tuple[str, ...]
    source: str


class Percentile99(Frozen):
    """The 99th percentile of healthy people, ng/L."""

    overall: Cell | None = None
    female: Cell | None = None
    male: Cell | None = None


class TroponinAssay(Frozen):
    """One assay.

    Args:
        label: Name to show.
        maker: Manufacturer; None for the two conventional kinds.
        analyte: Key of the analyte table.
        high_sensitivity: False for conventional assays, to which no rule here applies.
        names: Names a laboratory may print for exactly this assay.
        esc_0_1h, esc_0_2h: Limits; None only for conventional assays.
        percentile_99: The set that is applied.
        percentile_99_us_label, percentile_99_serum: Other printed sets, not applied.
        detection_limit, quantitation_limit: ng/L.
        cv_10_percent: Lowest concentration measured with a CV of 10 %, ng/L.
        haemolysis: What free haemoglobin does to a result; None where not in the table.
    """

    label: str
    maker: str | None = None
    analyte: Analyte
    high_sensitivity: bool = True
    names: tuple[str, ...] = ()
    esc_0_1h: EscSet | None = None
    esc_0_2h: EscSet | None = None
    percentile_99: Percentile99 = Percentile99()
    percentile_99_us_label: Percentile99 | None = None
    percentile_99_serum: Percentile99 | None = None
    detection_limit: Cell | None = None
    quantitation_limit: Cell | None = None
    cv_10_percent: Cell | None = None
    haemolysis: Literal["falls", "rises", "stable"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.high_sensitivity and (
            self.esc_0_1h is None or self.esc_0_2h is None or self.percentile_99.overall is None
        ):
            raise ValueError("a high-sensitivity assay says what both ESC sets and the limit are")
        return self


class TroponinAssays(Table):
    """All assays."""

    assays: Mapping[str, TroponinAssay]

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for key, assay in self.assays.items():
            for found in (assay.esc_0_1h, assay.esc_0_2h):
                if found is not None and found.same_as not in (None, *self.assays):
                    raise ValueError(f"{key}: no assay {found.same_as!r}")
        return self

    def limits(self, assay: str, name: LimitSet) -> EscLimits | None:
        """Return the limits of an assay in an algorithm; None where there are none published."""
        row = self._set(assay, name)
        if row is None or not row.available:
            return None
        base = row if row.same_as is None else self._set(row.same_as, name)
        if base is None or base.high is None:
            return None
        change = None
        if base.low is not None and base.no_delta is not None and base.delta_in is not None:
            change = ChangeLimits(base.low, base.no_delta, base.delta_in)
        keys = (assay,) if row.same_as is None else (assay, row.same_as)
        return EscLimits(
            name=name,
            very_low=base.very_low if row.single_sample_rule_out else None,
            high=base.high,
            change=change,
            notes=tuple(filter(None, (row.note, base.note if base is not row else ""))),
            rows=tuple(f"assays.{key}.{name}" for key in keys),
            reviews=tuple(dict.fromkeys((row.review, base.review))),
            source=base.source,
        )

    def low(self, assay: str, name: LimitSet, other: LimitSet) -> float | None:
        """Return the low limit of a set, or of `other` where it has none; None for neither."""
        for candidate in (name, other):
            limits = self.limits(assay, candidate)
            if limits is not None and limits.change is not None:
                return limits.change.low
        return None

    def rule_in_change(self, assay: str, name: LimitSet) -> float | None:
        """Return the change that rules in, ng/L; None where it is not published."""
        limits = self.limits(assay, name)
        return None if limits is None or limits.change is None else limits.change.delta_in

    def highest_rule_in(self, analytes: Collection[str]) -> tuple[float, str]:
        """Return the highest single-sample rule-in limit over all assays, ng/L, and its row.

        Args:
            analytes: Keys of the analyte table; empty for all assays.
        """
        found = [
            (limits.high, limits.rows[0])
            for key, row in self.assays.items()
            if not analytes or row.analyte in analytes
            for name in _LIMIT_SETS
            if (limits := self.limits(key, name)) is not None
        ]
        return max(found, key=lambda pair: pair[0])

    def note(self, assay: str, name: LimitSet) -> str:
        """Return what the table says about an assay in an algorithm."""
        row = self._set(assay, name)
        return "" if row is None else row.note

    def named(self, name: str | None) -> str | None:
        """Return the assay that a laboratory's name stands for, compared without case and signs."""
        wanted = _plain(name or "")
        if not wanted:
            return None
        for key, assay in self.assays.items():
            if wanted in {_plain(key), _plain(assay.label), *map(_plain, assay.names)}:
                return key
        return None

    def _set(self, assay: str, name: LimitSet) -> EscSet | None:
        row = self.assays[assay]
        return row.esc_0_1h if name == "esc_0_1h" else row.esc_0_2h


class TroponinPathways(Table):
    """All rules about serial samples."""

    onset: OnsetLimits
    episode_gap_hours: Cell
    plausible: Plausible
    adult_from_years: Cell
    algorithms: Mapping[str, Algorithm]
    esc_0_3h: Rule03
    observe_zone: RuleObserveZone
    high_steacs: RuleHighSteacs
    rule_out_veto: RuleOutVeto
    injury: RuleInjury
    levels: Levels
    performance: Performance
    statements: Mapping[str, str]
    conditions: Mapping[str, Wording]
    caveats: Mapping[str, Wording]
    questions: Mapping[str, SampleQuestion]


@cache
def assays() -> TroponinAssays:
    """Return the packaged assay table."""
    return load("troponin_assays", TroponinAssays)


@cache
def pathways() -> TroponinPathways:
    """Return the packaged rules about serial samples."""
    return load("troponin_pathways", TroponinPathways)


def _plain(name: str) -> str:
    return "".join(ch for ch in name.casefold() if ch.isalnum())
