"""What may be said of values that a patient's own device measured; the numbers are data."""

from collections.abc import Mapping
from functools import cache

from knowledge.model import Frozen
from knowledge.reference import Citation, Table, load

_FILE = "wearable"


class Series(Frozen):
    """The readings a mean must rest on.

    Args:
        days_from: Different days.
        readings_from: Readings.
        window_days: Days before the last reading that are looked at.
    """

    days_from: int
    readings_from: int
    window_days: int
    source: str
    review: str


class HomePressure(Frozen):
    """When the mean of home readings is high: either number."""

    systolic_from_mmhg: float
    diastolic_from_mmhg: float
    source: str
    review: str
    series: Series


class Day(Frozen):
    """Clock hours called day: from inclusive, to exclusive."""

    from_hour: int
    to_hour: int
    source: str
    review: str


class Range(Frozen):
    """What can be measured, both ends included."""

    low: float
    high: float


class Plausible(Frozen):
    """What can be measured, by kind of reading."""

    source: str
    review: str
    systolic: Range
    diastolic: Range
    heart_rate: Range


class Measured(Frozen):
    """How well the limit did, where it was measured."""

    en: str
    zh: str


class Limit(Frozen):
    """One limit: above it; and how well it did."""

    above: float
    measured: Measured
    source: str
    review: str


class SingleLead(Frozen):
    """What a strip must be, and when its rhythm is irregular (RMSSD of RR over mean RR)."""

    duration_from_s: float
    beats_from: int
    rate_from_hz: float
    source: str
    review: str
    irregularity: Limit


class Marks(Frozen):
    """Words that say a value is of the patient's own device."""

    source: str
    review: str
    words: tuple[str, ...]


class Columns(Frozen):
    """Names of columns in tables of readings."""

    source: str
    review: str
    systolic: tuple[str, ...]
    diastolic: tuple[str, ...]
    pulse: tuple[str, ...]
    time: tuple[str, ...]
    date: tuple[str, ...]
    clock: tuple[str, ...]

    @property
    def by_kind(self) -> Mapping[str, tuple[str, ...]]:
        """Every list by its name."""
        kinds = ("systolic", "diastolic", "pulse", "time", "date", "clock")
        return {kind: getattr(self, kind) for kind in kinds}


class PressureUnit(Frozen):
    """One unit of pressure in mmHg."""

    mmhg: float
    source: str
    review: str


class WearableTable(Table):
    """The whole file."""

    home_pressure: HomePressure
    day: Day
    plausible: Plausible
    pressure_units: Mapping[str, PressureUnit]
    single_lead: SingleLead
    marks: Marks
    columns: Columns

    def citation(self, source: str, review: str) -> Citation:
        """Return the citation of one of the file's sources."""
        return self.cite(_FILE, source, review)


@cache
def wearable() -> WearableTable:
    """Return the packaged file.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(_FILE, WearableTable)
