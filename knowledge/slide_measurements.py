"""Limits of the readings of slides, colours of pens and stains, formats, and measured errors."""

from collections.abc import Mapping
from functools import cache
from typing import Self

from pydantic import Field, model_validator

from knowledge.ct_measurements import Limit
from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.wilson import wilson

Range = tuple[float, float]


class Pen(Frozen):
    """One colour of pen; hues in degrees, from the first clockwise to the second.

    Args:
        hue, saturation, value: Of the strong colour.
        faded_hue: Of what it fades into; two equal numbers for none.
    """

    colour: str
    hue: Range
    saturation: Range
    value: Range
    faded_hue: Range


class Stain(Frozen):
    """What the hues of a slide hint at."""

    stain: str
    hue: Range
    en: str
    zh: str


class Format(Frozen):
    """One file format; `tried` is empty where no file of it was read here."""

    format: str
    name: str
    tried: str


class Pens(Frozen):
    """The colours of pens."""

    source: str
    review: str
    rows: tuple[Pen, ...]


class Stains(Frozen):
    """The hints."""

    source: str
    review: str
    rows: tuple[Stain, ...]


class ReferenceStains(Frozen):
    """What stains are brought to; see the file."""

    source: str
    review: str
    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    most: tuple[float, float]
    white: float


class Formats(Frozen):
    """The formats."""

    source: str
    review: str
    rows: tuple[Format, ...]


class SlideMeasurements(Table):
    """The whole file."""

    limits: Mapping[str, Limit]
    pens: Pens
    reference_stains: ReferenceStains
    stains: Stains
    formats: Formats


class SlideError(Frozen):
    """One measured figure.

    Args:
        measurement: Which reading: ``tile-tissue``, ``tile-pen``, ``tissue-area``, ...
        dataset: On what.
        n: How many.
        metric: What was computed.
        value: The number, in `unit` (UCUM).
        hits: Of a share: how often; None for other figures.
        low, high: 95 % interval of a share (Wilson); None for other figures.
    """

    measurement: str
    dataset: str
    n: int
    metric: str
    value: float
    unit: str
    hits: int | None = None
    low: float | None = None
    high: float | None = None
    source: str
    review: str

    @model_validator(mode="after")
    def _as_counted(self) -> Self:
        """Compare share and interval with the counts they are of."""
        if self.hits is None:
            return self
        low, high = wilson(self.hits, self.n)
        wanted = (100 * self.hits / self.n, 100 * low, 100 * high)
        for shown, computed in zip((self.value, self.low, self.high), wanted, strict=True):
            if shown is None or abs(shown - computed) > 0.051:
                raise ValueError(f"{self.dataset}: {shown} is not {computed:.2f}")
        return self

    @property
    def words(self) -> str:
        """The row in words, as a card shows it."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        between = "" if self.low is None else f", 95 % CI {self.low:g} to {self.high:g}"
        return f"{self.metric} {self.value:g}{unit}{between} ({self.dataset}, n = {self.n})"


class SlideErrors(Table):
    """The figures that were measured."""

    rows: tuple[SlideError, ...] = Field(min_length=1)


@cache
def slide_measurements() -> SlideMeasurements:
    """Return the limits."""
    return load("slide_measurements", SlideMeasurements)


def slide_limit(name: str) -> float:
    """Return one limit, in its unit.

    Raises:
        KeyError: There is no such limit.

    Examples:
        >>> slide_limit("thumbnail_max")
        2048.0
    """
    return slide_measurements().limits[name].value


@cache
def slide_format(name: str) -> Format:
    """Return what is known of a format by the name OpenSlide gives it."""
    rows = slide_measurements().formats.rows
    found = next((row for row in rows if row.format == name), None)
    return found or Format(format=name, name=name, tried="")


@cache
def slide_accuracy() -> SlideErrors:
    """Return the file of measured figures."""
    return load("slide_accuracy", SlideErrors)


def slide_errors() -> tuple[SlideError, ...]:
    """Return every measured figure."""
    return slide_accuracy().rows


def slide_errors_of(*measurements: str) -> tuple[str, ...]:
    """Return the measured figures of some readings in words, as a card shows them."""
    return tuple(row.words for row in slide_errors() if row.measurement in measurements)
