"""Limits of the measurements on immunohistochemistry, and their measured errors, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Literal, Self

from pydantic import Field, model_validator

from knowledge.model import Frozen
from knowledge.reference import Table, load

IhcMarker = Literal["ki67", "er", "pr"]
"""Markers whose stain lies in the nucleus."""

_LIMITS, _ERRORS = "ihc_measurements", "ihc_accuracy"


class Limit(Frozen):
    """One limit.

    Args:
        value: The number, in `unit` (UCUM).
        means: What it is for, in words.
    """

    value: float
    unit: str
    means: str
    source: str
    review: str


class Step(Frozen):
    """One step of a scale: from a share on, above it where `beyond`.

    Args:
        from_percent: Smallest share of positive nuclei, %.
        beyond: The share itself does not count, only more.
        score: Points.
    """

    from_percent: float = Field(ge=0, le=100)
    beyond: bool
    score: int


class Allred(Frozen):
    """Steps of the proportion score and of the intensity score.

    Args:
        proportion: Highest first.
        intensity: Mean grade of the positive nuclei from which each intensity score counts.
        positive_from: Smallest total that is positive.
    """

    source: str
    review: str
    proportion: tuple[Step, ...]
    intensity: tuple[float, float, float]
    positive_from: int

    @model_validator(mode="after")
    def _highest_first(self) -> Self:
        scores = [step.score for step in self.proportion]
        if scores != sorted(scores, reverse=True):
            raise ValueError("the steps are given from the highest")
        return self


class Marker(Frozen):
    """One marker.

    Args:
        name: To show.
        grades: Whether the intensity of the stain is graded.
        reads: What is reported, in words.
    """

    name: str
    grades: bool
    reads: str
    source: str
    review: str


class Refused(Frozen):
    """A marker that is not measured by a machine here, and why."""

    name: str
    reason: str
    way_out: str


class TumourWords(Frozen):
    """Words by which an annotation says that it is tumour, and those by which it says it is not.

    Args:
        tumour: It is.
        unnamed: What an annotation is called that nobody named.
        excluded: It is not.
    """

    source: str
    review: str
    tumour: frozenset[str]
    unnamed: frozenset[str]
    excluded: frozenset[str]


class Vectors(Frozen):
    """Optical density of red, green and blue of one stain each."""

    source: str
    review: str
    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    dab: tuple[float, float, float]


class IhcMeasurements(Table):
    """The whole file."""

    limits: Mapping[str, Limit]
    markers: Mapping[IhcMarker, Marker]
    not_measured: Mapping[str, Refused]
    allred: Allred
    vectors: Vectors
    region_words: TumourWords


class IhcError(Frozen):
    """One measured error.

    Args:
        measurement: Which measurement, for example ``ki67-index``.
        dataset: What it was measured on.
        n: How many.
        metric: What was computed.
        value: The number, in `unit` (UCUM).
    """

    measurement: str
    dataset: str
    n: int
    metric: str
    value: float
    unit: str
    source: str
    review: str

    @property
    def words(self) -> str:
        """The row in words, as a card shows it."""
        unit = "" if self.unit == "1" else " " + self.unit.strip("{}")
        return f"{self.metric} {self.value:g}{unit} ({self.dataset}, n = {self.n})"


class IhcErrors(Table):
    """The errors that were measured."""

    rows: tuple[IhcError, ...]


@cache
def ihc_measurements() -> IhcMeasurements:
    """Return the table."""
    return load(_LIMITS, IhcMeasurements)


def limit(name: str) -> float:
    """Return one limit, in its unit.

    Raises:
        KeyError: There is no such limit.

    Examples:
        >>> limit("cells_advised")
        500.0
    """
    return ihc_measurements().limits[name].value


@cache
def ihc_accuracy() -> IhcErrors:
    """Return the table of measured figures."""
    return load(_ERRORS, IhcErrors)


def ihc_errors() -> tuple[IhcError, ...]:
    """Return every measured error."""
    return ihc_accuracy().rows


def errors_of(*measurements: str) -> tuple[str, ...]:
    """Return the measured errors of some measurements in words, as a card shows them."""
    return tuple(row.words for row in ihc_errors() if row.measurement in measurements)
