"""What is said of one laboratory result: its flag, or why there is none, and by which interval."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from knowledge.clinical_time import ClinicalTime, Precision, age_years, elapsed
from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed
from knowledge.laboratory_tests import Bounds
from knowledge.model import Frozen
from knowledge.patient import Patient, Sex
from knowledge.quantity import Interval
from knowledge.reference import Citation

_DAY_MINUTES = 24 * 60

Origin = Literal["printed", "site", "fallback"]
LimitSide = Literal["low", "high"]


class Flag(StrEnum):
    """Where a result lies; `abnormal` is of tests answered in words."""

    CRITICAL_LOW = "critical-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL_HIGH = "critical-high"
    ABNORMAL = "abnormal"
    CRITICAL_ABNORMAL = "critical-abnormal"


class Subject(Frozen):
    """Whose result it is, as far as it is known.

    Args:
        sex: None where not known.
        age: Completed years, all they may be; None where not known.
        age_days: Days, all they may be; None where not known.
        pregnant: None where not known.
        circumstances: Keys of `laboratory_tests.yaml` that are known to be so or not.
    """

    sex: Sex | None = None
    age: Interval | None = None
    age_days: Interval | None = None
    pregnant: bool | None = None
    circumstances: Mapping[str, bool] = {}

    @classmethod
    def of(
        cls,
        patient: Patient,
        at: ClinicalTime | None,
        *,
        pregnant: bool | None = None,
        circumstances: Mapping[str, bool] | None = None,
    ) -> "Subject":
        """Return what a chart says of a patient at the time of a sample.

        Args:
            patient: With sex and date of birth where they are known.
            at: When the sample was taken; None where not known: then the age is not known.
            pregnant: Where known.
            circumstances: Where known.
        """
        birth = patient.birth_date
        age = days = None
        if birth is not None and at is not None:
            age = age_years(birth, at)
            minutes = elapsed(birth, at).minutes
            if minutes is not None and birth.precision is not Precision.YEAR:
                days = minutes.scaled(1 / _DAY_MINUTES)
        return cls(
            sex=patient.sex,
            age=age,
            age_days=days,
            pregnant=pregnant,
            circumstances=circumstances or {},
        )


class IntervalUsed(Frozen):
    """One interval that a result was, or may have to be, compared with.

    Args:
        bounds: In `unit`.
        unit: UCUM unit.
        words: The interval with its unit.
        origin: Printed by the reporting laboratory, the site's own, or the packaged fallback.
        kind: `reference`, or a `decision` limit.
        citation: Where it comes from; None for a printed one: the result itself is its source.
        note: What else a reader must know.
        stated: The interval in its own unit as printed; empty where it was not converted.
        converted: Where it was, the bounds with their unit, as precise as they were printed.
    """

    bounds: Bounds
    unit: str
    words: str
    origin: Origin
    kind: Literal["reference", "decision"] = "reference"
    citation: Citation | None = None
    note: str = ""
    stated: str = Field(default="", exclude_if=lambda found: not found)
    converted: str = Field(default="", exclude_if=lambda found: not found)

    @property
    def told(self) -> str:
        """The interval with its unit as it was printed; else as it is held."""
        return self.stated or self.words


class OtherInterval(Frozen):
    """An interval of another source that would flag the result otherwise."""

    interval: IntervalUsed
    flags: tuple[Flag, ...]


class CriticalLimit(Frozen):
    """A critical limit that a result reaches, or may reach.

    Args:
        side: Which end.
        limit: The bound; it is critical itself.
        unit: UCUM unit.
        certain: Whether it is certainly reached.
        missing: What must be known to be certain; empty where the value itself is a bound.
        origin: The site's own list, or the packaged one.
        citation: Where it comes from.
    """

    side: LimitSide
    limit: float
    unit: str
    certain: bool
    missing: tuple[str, ...] = ()
    origin: Origin
    citation: Citation


class ResultFlag(Frozen):
    """What is said of one result.

    Args:
        analyte: Key of the analyte or of the worded test; None for a test we do not hold.
        finding: Id of the finding.
        flag: None where it is not assessed.
        not_assessed: The reason; given exactly where there is no flag.
        missing: What would have to be known of the patient or sample.
        possible: The flags that remain possible; empty where nothing is known.
        intervals: What it was compared with; several where it is not known which is right.
        others: Intervals of other sources that would flag it otherwise.
        critical: Critical limits that are or may be reached.
        laboratory: The laboratory's own flags, as it gave them.
        conflict: Where the laboratory's flag and ours differ.
        notes: What else a reader must know.
        evidence: The result, and the rows it was judged by.
    """

    analyte: str | None = None
    finding: str
    flag: Flag | None = None
    not_assessed: NotAssessed | None = None
    missing: tuple[str, ...] = ()
    possible: tuple[Flag, ...] = ()
    intervals: tuple[IntervalUsed, ...] = ()
    others: tuple[OtherInterval, ...] = ()
    critical: tuple[CriticalLimit, ...] = ()
    laboratory: tuple[str, ...] = ()
    conflict: Conflict | None = None
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _a_flag_or_a_reason(self) -> Self:
        if (self.flag is None) == (self.not_assessed is None):
            raise ValueError("a flag is given exactly where there is no reason against it")
        return self
