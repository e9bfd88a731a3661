"""The four levels suggested for a pulmonary nodule, and their rule, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from knowledge.model import Frozen
from knowledge.reference import Table, load

Level = Literal["benign", "suspected-benign", "suspected-malignant", "malignant"]
ORDER: tuple[Level, ...] = ("benign", "suspected-benign", "suspected-malignant", "malignant")
"""From the least to the most suspicious."""

FILE = "nodule_levels"


class Words(Frozen):
    """One text in the languages shown."""

    en: str
    zh: str


class Sign(Words):
    """What a reader states and the level it means."""

    input: str
    level: Level
    source: str
    review: str


class Stable(Words):
    """A solid nodule without change beyond the error for long enough."""

    level: Level
    kind: str
    days_by_volume: float
    days_by_diameter: float
    source: str
    review: str


class Growing(Words):
    """Growth that does not allow a lower level."""

    least: Level
    doubling_days: float
    source: str
    review: str


class Model(Frozen):
    """A model, and the input whose answer calls for it; empty for the one that is left."""

    score: str
    when: str


class Models(Frozen):
    """The models in order."""

    source: str
    review: str
    rows: tuple[Model, ...]


class Step(Frozen):
    """A level for probabilities below a limit, %."""

    below: float
    level: Level


class Steps(Frozen):
    """The levels by probability, in order."""

    source: str
    review: str
    rows: tuple[Step, ...]


class ModelWords(Frozen):
    """What is said of a model in Chinese: its name, then its probability."""

    probability: str
    refused: str


class NoduleLevels(Table):
    """The whole file."""

    levels: Mapping[Level, Words]
    signs: Mapping[str, Sign]
    stable: Stable
    growing: Growing
    models: Models
    probability: Steps
    words_zh: ModelWords
    note: Words

    def level_of(self, percent: float) -> Level:
        """Return the level of a probability.

        Examples:
            >>> nodule_levels().level_of(4.9), nodule_levels().level_of(65)
            ('benign', 'malignant')
        """
        return next(step.level for step in self.probability.rows if percent < step.below)


@cache
def nodule_levels() -> NoduleLevels:
    """Return the rule."""
    return load(FILE, NoduleLevels)
