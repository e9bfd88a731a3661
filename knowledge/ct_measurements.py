"""Limits of the CT measurements, words of CT headers, and the measured errors, as data."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from pydantic import Field

from knowledge.model import Frozen
from knowledge.reference import Table, load

KernelKind = Literal["smooth", "sharp", "unknown"]

MaskOf = Literal["calcium", "aorta"]
"""What is measured in a mask that somebody else made."""

_LIMITS, _ERRORS = "ct_measurements", "ct_accuracy"


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


class Weight(Frozen):
    """Weight of a calcified lesion from a peak value in HU."""

    low: float = Field(alias="from")
    weight: int


class Weights(Frozen):
    """The weights of the Agatston score."""

    source: str
    review: str
    rows: tuple[Weight, ...]


class Parts(Frozen):
    """Words for parts of the body."""

    source: str
    review: str
    words: frozenset[str]


class NotSource(Frozen):
    """What says that an image is no axial source image."""

    source: str
    review: str
    image_types: frozenset[str]
    descriptions: tuple[str, ...]


class Kernel(Frozen):
    """One pattern of kernel names."""

    pattern: str
    kind: Literal["smooth", "sharp"]
    maker: str


class Kernels(Frozen):
    """Kernel names."""

    source: str
    review: str
    rows: tuple[Kernel, ...]


class Named(Frozen):
    """Words of a structure's name, for one thing that is measured in a mask.

    Args:
        own: Say that it is of that thing.
        other: Say that it is of something else.
    """

    own: tuple[str, ...]
    other: tuple[str, ...]


class MaskNames(Frozen):
    """Names of structures.

    Args:
        rows: What is measured in a mask to its words.
        sides: Words that stand beside the name of a structure in the name of a file.
    """

    source: str
    review: str
    rows: Mapping[MaskOf, Named]
    sides: frozenset[str]


class CtMeasurements(Table):
    """The whole file."""

    limits: Mapping[str, Limit]
    agatston_weights: Weights
    not_chest: Parts
    chest: Parts
    not_source: NotSource
    mask_names: MaskNames
    kernels: Kernels

    def kernel_kind(self, kernel: str) -> KernelKind:
        """Return whether a reconstruction kernel is smooth or sharp, as far as its name says."""
        for row in self.kernels.rows:
            if re.match(row.pattern, kernel.strip(), re.IGNORECASE):
                return row.kind
        return "unknown"


class CtError(Frozen):
    """One measured error.

    Args:
        measurement: Which measurement, for example ``nodule-diameter``.
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


class CtErrors(Table):
    """The errors that were measured."""

    rows: tuple[CtError, ...]


@cache
def ct_measurements() -> CtMeasurements:
    """Return the limits."""
    return load(_LIMITS, CtMeasurements)


def limit(name: str) -> float:
    """Return one limit, in its unit.

    Raises:
        KeyError: There is no such limit.

    Examples:
        >>> limit("agatston_threshold")
        130.0
    """
    return ct_measurements().limits[name].value


@cache
def ct_accuracy() -> CtErrors:
    """Return the table of measured figures."""
    return load(_ERRORS, CtErrors)


def ct_errors() -> tuple[CtError, ...]:
    """Return every measured error."""
    return ct_accuracy().rows


def errors_of(*measurements: str) -> tuple[str, ...]:
    """Return the measured errors of some measurements in words, as a card shows them."""
    return tuple(row.words for row in ct_errors() if row.measurement in measurements)
