"""The measured error of the ECG measurements, with its data set and n, for tool cards."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.wilson import wilson

Interval95 = tuple[float, float, float]
"""A share with the bounds of its 95 % interval."""


class Accuracy(Frozen):
    """One measured error.

    Args:
        dataset: What it was measured on.
        n: How many beats, records or leads.
        metric: What was computed.
        value: The number, in `unit` (UCUM).
    """

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


class StatementAccuracy(Frozen):
    """One statement against the labels of one set of recordings.

    Args:
        statement: Key of the criteria file's `statements`.
        dataset: Which recordings: ``cpsc2018``, ``torchecg``, ``ludb``, ``exchanged``
            (electrodes exchanged by formula in the first two), or ``normal`` (those of the first
            two whose one label is normal or sinus rhythm: false alarms only).
        tp, fp, fn, tn: Counts among recordings on which it was assessed.
        not_assessed_labelled, not_assessed_others: Those on which it was not.
        sensitivity, specificity: Share and its 95 % interval (Wilson); None without a recording.
    """

    statement: str
    dataset: str
    tp: int
    fp: int
    fn: int
    tn: int
    not_assessed_labelled: int
    not_assessed_others: int
    sensitivity: Interval95 | None = None
    specificity: Interval95 | None = None
    source: str
    review: str

    @model_validator(mode="after")
    def _from_the_counts(self) -> Self:
        pairs = (
            (self.sensitivity, self.tp, self.tp + self.fn),
            (self.specificity, self.tn, self.tn + self.fp),
        )
        for stated, hits, total in pairs:
            computed = (hits / total, *wilson(hits, total)) if total else None
            if (stated is None) != (computed is None):
                raise ValueError(f"{self.statement}: a share without recordings, or none with them")
            for said, own in zip(stated or (), computed or (), strict=True):
                if abs(said - own) > 0.0006:
                    raise ValueError(f"{self.statement}: {said} is not {own:.3f} of the counts")
        return self

    @property
    def words(self) -> str:
        """The row in words."""
        said = [
            f"{name} {value[0]:.2f} [{value[1]:.2f}, {value[2]:.2f}] (n = {total})"
            for name, value, total in (
                ("sensitivity", self.sensitivity, self.tp + self.fn),
                ("specificity", self.specificity, self.tn + self.fp),
            )
            if value is not None
        ]
        refused = self.not_assessed_labelled + self.not_assessed_others
        return f"{self.dataset}: {', '.join(said)}, {refused} not assessed"


class EcgAccuracy(Table):
    """All rows by name, and the statements against labels."""

    rows: Mapping[str, Accuracy]
    statements: tuple[StatementAccuracy, ...] = ()


def ecg_accuracy() -> Mapping[str, Accuracy]:
    """Return every measured error by name: ``pr``, ``qrs``, ``qt``, ``st_j``, ...

    Raises:
        ReferenceDataError: A row is not valid.

    Examples:
        >>> ecg_accuracy()["pr"].unit
        'ms'
    """
    return ecg_accuracy_table().rows


def ecg_accuracy_table() -> EcgAccuracy:
    """Return the whole file."""
    return load("ecg_accuracy", EcgAccuracy)
