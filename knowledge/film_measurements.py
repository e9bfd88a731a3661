"""Limits of the chest-film gate and measurements, words of film headers, and what was measured."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from knowledge.ct_measurements import Limit
from knowledge.model import Frozen
from knowledge.reference import Table, load

View = Literal["pa", "ap", "lateral", "oblique"]

_LIMITS, _ACCURACY = "film_measurements", "film_accuracy"


class Views(Frozen):
    """How each view is written, in lower case."""

    source: str
    review: str
    pa: frozenset[str]
    ap: frozenset[str]
    lateral: frozenset[str]
    oblique: frozenset[str]

    def of(self, stated: str) -> View | None:
        """Return the view that a header states, or None for none and for an unknown word."""
        word = stated.strip().casefold().replace("_", " ")
        names: tuple[View, ...] = ("pa", "ap", "lateral", "oblique")
        return next((name for name in names if word in getattr(self, name)), None)


class HeaderWords(Frozen):
    """Words that stand in headers, in lower case."""

    source: str
    review: str
    words: frozenset[str]


class FilmMeasurements(Table):
    """The whole file."""

    limits: Mapping[str, Limit]
    views: Views
    bedside: HeaderWords
    chest: HeaderWords
    modalities: HeaderWords


class FilmFigure(Frozen):
    """One measured figure.

    Args:
        measurement: Of what, for example ``ratio-accepted``.
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
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.metric} {self.value:g}{unit} ({self.dataset}, n = {self.n})"


class FilmFigures(Table):
    """The figures that were measured."""

    rows: tuple[FilmFigure, ...]


@cache
def film_measurements() -> FilmMeasurements:
    """Return the limits and words."""
    return load(_LIMITS, FilmMeasurements)


def limit(name: str) -> float:
    """Return one limit, in its unit.

    Raises:
        KeyError: There is no such limit.

    Examples:
        >>> limit("ratio_pa")
        0.5
    """
    return film_measurements().limits[name].value


@cache
def film_accuracy() -> FilmFigures:
    """Return the table of measured figures."""
    return load(_ACCURACY, FilmFigures)


def film_figures() -> tuple[FilmFigure, ...]:
    """Return every measured figure."""
    return film_accuracy().rows


def figures_in_words() -> tuple[str, ...]:
    """Return the measured figures as a card shows them."""
    return tuple(row.words for row in film_figures())
