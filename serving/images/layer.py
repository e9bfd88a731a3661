"""Marks on the images of a series, with their legend and what must be known of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.imaging.view.marks import COLOURS, Mark


@dataclass(frozen=True)
class Note:
    """What must be known of marks, in words that a page can say in another language.

    Args:
        text: English, with a ``%s`` for each value.
        values: Filled in, each told by itself.

    Examples:
        >>> Note("volume %s mm³", ("120",)).read(str)
        'volume 120 mm³'
    """

    text: str
    values: tuple[str, ...] = ()

    def read(self, say: Callable[[str], str]) -> str:
        """Return it in the language that `say` speaks."""
        return say(self.text) % tuple(map(say, self.values)) if self.values else say(self.text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Marks on the images of a series.

    Args:
        marks: By id of the image.
        labels: Of everything marked, in the order of their colours.
        notes: What must be known of them.
        nbytes: Bytes that the marks take.
        skip: Colours that are left for other layers shown with it.
    """

    marks: Mapping[str, tuple[Mark, ...]]
    labels: tuple[str, ...]
    notes: tuple[Note, ...]
    nbytes: int
    skip: int = 0

    @property
    def colours(self) -> tuple[str, ...]:
        """Labels as they are drawn: one for each colour, those that are skipped empty."""
        return ("",) * self.skip + self.labels

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Every label with its colour, ``#rrggbb``."""
        return tuple(
            (label, "#{:02x}{:02x}{:02x}".format(*COLOURS[(number + self.skip) % len(COLOURS)]))
            for number, label in enumerate(self.labels)
        )
