"""Medicines with a known risk of torsades de pointes, as reviewable data."""

from collections.abc import Mapping

from knowledge.model import Frozen
from knowledge.reference import Table, load


class QtMedicine(Frozen):
    """One medicine.

    Args:
        words: Words, one of which stands in its name as charted.
    """

    words: tuple[str, ...]
    source: str
    review: str


class QtMedicines(Table):
    """The whole file."""

    medicines: Mapping[str, QtMedicine]

    def named_in(self, text: str) -> tuple[str, ...]:
        """Return the medicines whose word stands in a name, by key.

        Examples:
            >>> qt_medicines().named_in("Sotalol 80 mg oral tablet")
            ('sotalol',)
            >>> qt_medicines().named_in("Aspirin 81 mg")
            ()
        """
        name = " ".join(text.casefold().split())
        return tuple(
            key for key, row in self.medicines.items() if any(w in name for w in row.words)
        )


def qt_medicines() -> QtMedicines:
    """Return the packaged list."""
    return load("qt_medicines", QtMedicines)
