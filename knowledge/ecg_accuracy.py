"""The measured error of the ECG measurements, with its data set and n, for tool cards."""

from collections.abc import Mapping

from knowledge.model import Frozen
from knowledge.reference import Table, load


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


class EcgAccuracy(Table):
    """All rows by name."""

    rows: Mapping[str, Accuracy]


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
