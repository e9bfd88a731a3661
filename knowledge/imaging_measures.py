"""What measurements on images are called, and what each kind of image is asked, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.film_words import film_words
from knowledge.imaging_terms import Words
from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.told import Told


class MeasureName(Words):
    """What one measurement is called.

    Args:
        system: Of its code.
    """

    system: str


class MeasuredKind(Words):
    """A kind of image.

    Args:
        asked: What of it is not assessed where the tool refuses, by code.
    """

    asked: tuple[str, ...]


class MeasureTexts(Frozen):
    """Short texts in both languages."""

    not_assessed: Words


class ImagingMeasures(Table):
    """The whole file."""

    names: Mapping[str, MeasureName]
    kinds: Mapping[str, MeasuredKind]
    tools: Mapping[str, str]
    texts: MeasureTexts
    reasons: Mapping[str, str]
    templates: Mapping[str, str]

    @model_validator(mode="after")
    def _known(self) -> Self:
        asked = {code for kind in self.kinds.values() for code in kind.asked}
        if unknown := (asked - set(self.names)) | (set(self.tools.values()) - set(self.kinds)):
            raise ValueError(f"{', '.join(sorted(unknown))}: not named")
        return self

    def kind_of(self, tool: str) -> MeasuredKind:
        """Return the kind of image that a tool measures."""
        return self.kinds[self.tools[tool]]


@cache
def imaging_measures() -> ImagingMeasures:
    """Return the packaged names.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load("imaging_measures", ImagingMeasures)


@cache
def measures_told() -> Told:
    """Return what tells a reason or note of a measurement in Chinese."""
    own, film = imaging_measures(), film_words()
    return Told({**film.words, **own.reasons}, {**film.templates, **own.templates})
