"""Within-subject biological variation, and how large a change must be to be more than noise.

The rows are data (``biological_variation.yaml``); the arithmetic is in ``tools/labs``.
"""

from collections.abc import Mapping
from functools import cache

from pydantic import PositiveFloat, PositiveInt

from knowledge.pathways import Sourced
from knowledge.reference import Table, load

_FILE = "biological_variation"


class AnalyticalVariation(Sourced):
    """A default analytical coefficient of variation, %."""

    percent: PositiveFloat


class VariationRow(Sourced):
    """One analyte.

    Args:
        cvi: Within-subject coefficient of variation, %.
        cva: Analytical coefficient of variation where the laboratory's own is not given.
    """

    cvi: PositiveFloat
    cva: AnalyticalVariation


class Level(Sourced):
    """One two-sided level, per cent, and its standard normal deviate."""

    percent: PositiveInt
    deviate: PositiveFloat


class LogNormal(Sourced):
    """Above which within-subject variation, %, changes are judged by the log-normal model."""

    above_cvi: PositiveFloat


class NoChangeValue(Sourced):
    """Why an analyte has no reference change value."""

    reason: str


class BetweenSubject(Sourced):
    """Between-subject coefficient of variation, %."""

    cvg: PositiveFloat


class Desirable(Sourced):
    """Factors of the desirable specifications from biological variation."""

    imprecision: PositiveFloat
    bias: PositiveFloat
    total_error: PositiveFloat


class BiologicalVariation(Table):
    """The whole file."""

    levels: Mapping[str, Level]
    log_normal: LogNormal
    rows: Mapping[str, VariationRow]
    between_subject: Mapping[str, BetweenSubject]
    desirable: Desirable
    none: Mapping[str, NoChangeValue]
    caveats: Mapping[str, str]


@cache
def biological_variation() -> BiologicalVariation:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid or cites no source.
    """
    table = load(_FILE, BiologicalVariation)
    rows: list[Sourced] = [table.log_normal, *table.levels.values(), *table.none.values()]
    rows += [table.desirable, *table.between_subject.values()]
    for row in table.rows.values():
        rows += [row, row.cva]
    for each in rows:
        table.cite(_FILE, each.source, each.review)
    return table
