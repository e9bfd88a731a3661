"""What one table of a form says of a reading."""

from collections.abc import Iterable

from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.words import Words


class Outcome(Frozen):
    """What one table says of the reading, or of one entry of a list.

    Args:
        table: Id of the table.
        entry: Of the list; None for the reading as a whole, or for the worst of the entries.
        possible: Every category that is possible, the least first; one where it is determined;
            none where the list is empty or not assessed, or where answers contradict each other.
        total: Every total that is possible, where the table has one.
        missing: Paths of the items that could still decide.
        rests_on: Paths of the items it rests on.
        unconfirmed: Those of them that no reader has confirmed.
        because: Of the rows that hold; of a range, the numbers that are too near to a limit; of a
            contradiction, what cannot stand together.
        no_entries: The list is stated to be empty.
        contradictions: Keys of what cannot stand together in the items it rests on.
        look_again: Keys of what a reader is asked to look at again.
    """

    table: str
    entry: str | None = None
    possible: tuple[str, ...] = ()
    total: Interval | None = None
    missing: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    because: tuple[Words, ...] = ()
    no_entries: bool = False
    contradictions: tuple[str, ...] = ()
    look_again: tuple[str, ...] = ()

    @property
    def category(self) -> str | None:
        """The category, where only one is possible."""
        return self.possible[0] if len(self.possible) == 1 else None


def outcome_of(found: Iterable[Outcome], table: str, entry: str | None = None) -> Outcome:
    """Return the outcome of one table."""
    return next(o for o in found if o.table == table and o.entry == entry)
