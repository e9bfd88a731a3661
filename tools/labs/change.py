"""Whether two results of one analyte differ by more than noise: the reference change value.

A change beyond the limit is larger than analytical and biological variation; it is not a diagnosis.
Where results may not be compared, or no limit is held, the change is not assessed, with the reason.
"""

from typing import Literal

from pydantic import Field, PositiveFloat, TypeAdapter

from knowledge.biological_variation import VariationRow, biological_variation
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured, measured
from knowledge.reference import Citation
from tools.labs.analytical_quality import desirable_quality
from tools.labs.paired_result import (
    LabResult,
    not_comparable,
    only_not_stated,
    percent_change,
)
from tools.labs.reference_change import ChangeLimit, linear, log_normal

Verdict = Literal["beyond 99 %", "beyond 95 %", "within noise", "not determined", "not assessed"]
Direction = Literal["rise", "fall"]
_TABLE = "biological_variation"
_POSITIVE = TypeAdapter(PositiveFloat)


class Change(Frozen):
    """How two results of one analyte differ.

    Args:
        analyte: Key of the analyte table.
        earlier, later: The values.
        percent: All possible changes in per cent of the earlier result; None where not assessed.
        verdict: Against the reference change value of the model applied.
        direction: Rise or fall, where every possible change has it.
        supposed: What the verdict would be if both were measured alike, where only that is not
            stated; the verdict itself then stays not assessed.
        limits: 95 and 99 % by the model applied.
        linear, log_normal: The limits by each model, to show.
        not_assessed: The reason where there is no verdict.
        caveats: What must be read with it.
        evidence: What it rests on.
        source: Where the limits come from.
    """

    analyte: str
    earlier: Measured
    later: Measured
    percent: Measured | None = None
    verdict: Verdict
    supposed: Verdict | None = Field(default=None, exclude_if=lambda found: found is None)
    direction: Direction | None = None
    limits: tuple[ChangeLimit, ...] = ()
    linear: tuple[ChangeLimit, ...] = ()
    log_normal: tuple[ChangeLimit, ...] = ()
    not_assessed: NotAssessed | None = None
    caveats: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()


def change(earlier: LabResult, later: LabResult, *, cva_percent: float | None = None) -> Change:
    """Return whether the change from one result to a later one is more than noise.

    Args:
        earlier: The result collected first.
        later: The result collected after it.
        cva_percent: The laboratory's own analytical coefficient of variation, %, > 0; None takes
            the default of the table, and says so.
    """
    unlike = not_comparable(earlier, later)
    refusal = None if unlike is not None and only_not_stated(earlier, later) else unlike
    refusal = refusal or _no_limit(later.analyte)
    if refusal is not None:
        return _not_assessed(earlier, later, refusal)
    moved = percent_change(earlier.interval, later.interval)
    if moved is None:
        detail = "the change in per cent is not bounded: a result may be zero or has no lower bound"
        return _not_assessed(earlier, later, NotAssessed(why=Why.CENSORED, detail=detail))
    row = biological_variation().rows[later.analyte]
    cva = row.cva.percent if cva_percent is None else _POSITIVE.validate_python(cva_percent)
    applied, by_line, by_log = _limits(row, cva)
    verdict = _verdict(moved, applied)
    return Change(
        analyte=later.analyte,
        earlier=earlier.value,
        later=later.value,
        percent=measured(moved, "%"),
        verdict=verdict if unlike is None else "not assessed",
        supposed=None if unlike is None else verdict,
        not_assessed=unlike,
        direction=_direction(moved),
        limits=applied,
        linear=by_line,
        log_normal=by_log,
        caveats=(
            *_flagged(earlier, later),
            *_imprecise(later.analyte, cva_percent),
            *_caveats(default_cva=cva_percent is None),
        ),
        evidence=(*_evidence(earlier, later), _reference(later.analyte)),
        source=_sources(row, default_cva=cva_percent is None),
    )


def change_limits(analyte: str, *, cva_percent: float | None = None) -> tuple[ChangeLimit, ...]:
    """Return the reference change values of an analyte by the model applied; empty for none."""
    row = biological_variation().rows.get(analyte)
    if row is None:
        return ()
    cva = row.cva.percent if cva_percent is None else _POSITIVE.validate_python(cva_percent)
    return _limits(row, cva)[0]


def _limits(
    row: VariationRow, cva: float
) -> tuple[tuple[ChangeLimit, ...], tuple[ChangeLimit, ...], tuple[ChangeLimit, ...]]:
    by_line: list[ChangeLimit] = []
    by_log: list[ChangeLimit] = []
    for level in biological_variation().levels.values():
        both = linear(cva=cva, cvi=row.cvi, deviate=level.deviate)
        up, down = log_normal(cva=cva, cvi=row.cvi, deviate=level.deviate)
        by_line.append(ChangeLimit(percent=level.percent, model="linear", up=both, down=both))
        by_log.append(ChangeLimit(percent=level.percent, model="log-normal", up=up, down=down))
    wide = row.cvi > biological_variation().log_normal.above_cvi
    applied = by_log if wide else by_line
    return tuple(applied), tuple(by_line), tuple(by_log)


def _verdict(moved: Interval, limits: tuple[ChangeLimit, ...]) -> Verdict:
    """Return the strongest level that every possible change is beyond; three-valued."""
    truth = {limit.percent: _beyond(moved, limit) for limit in limits}
    if truth[99]:
        return "beyond 99 %"
    if truth[95]:
        return "beyond 95 %"
    return "not determined" if truth[95] is None else "within noise"


def _beyond(moved: Interval, limit: ChangeLimit) -> bool | None:
    rises, falls = moved.compare("gt", limit.up), moved.compare("lt", -limit.down)
    if rises or falls:
        return True
    return False if rises is False and falls is False else None


def _direction(moved: Interval) -> Direction | None:
    if moved.compare("gt", 0):
        return "rise"
    return "fall" if moved.compare("lt", 0) else None


def _no_limit(analyte: str) -> NotAssessed | None:
    if analyte in biological_variation().rows:
        return None
    row = biological_variation().none.get(analyte)
    detail = f"no reference change value is held for {analyte}" if row is None else row.reason
    return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)


def _flagged(earlier: LabResult, later: LabResult) -> tuple[str, ...]:
    """Return the warning that a result carries quality flags: noise is then not the question."""
    flags = tuple(dict.fromkeys((*earlier.flags, *later.flags)))
    if not flags:
        return ()
    return (f"A result is flagged ({', '.join(flags)}): see what can have falsified it first.",)


def _imprecise(analyte: str, cva: float | None) -> tuple[str, ...]:
    """Return the warning that the laboratory's own imprecision is more than desirable."""
    wanted = desirable_quality(analyte)
    if wanted is None or cva is None or cva <= wanted.imprecision:
        return ()
    return (f"The imprecision given, {cva:g} %, is over the desirable {wanted.imprecision:g} %.",)


def _caveats(*, default_cva: bool) -> tuple[str, ...]:
    texts = biological_variation().caveats
    named = ("model", "assumes", *(("default_cva",) if default_cva else ()))
    return tuple(texts[name] for name in named)


def _sources(row: VariationRow, *, default_cva: bool) -> tuple[Citation, ...]:
    table = biological_variation()
    cited = [(row.source, row.review), (table.log_normal.source, table.log_normal.review)]
    cited += [(level.source, level.review) for level in table.levels.values()]
    cited += [(row.cva.source, row.cva.review)] if default_cva else []
    return tuple(table.cite(_TABLE, *pair) for pair in dict.fromkeys(cited))


def _evidence(earlier: LabResult, later: LabResult) -> tuple[Evidence, ...]:
    return (*earlier.evidence, *later.evidence)


def _reference(analyte: str) -> ReferenceEvidence:
    return ReferenceEvidence(table=_TABLE, row=f"rows.{analyte}")


def _not_assessed(earlier: LabResult, later: LabResult, reason: NotAssessed) -> Change:
    return Change(
        analyte=later.analyte,
        earlier=earlier.value,
        later=later.value,
        verdict="not assessed",
        not_assessed=reason,
        evidence=_evidence(earlier, later),
    )
