"""A reading with one statement left out, each in turn."""

from collections.abc import Iterator, Mapping

from knowledge.finding import State
from tools.readings.model import Entry, Stated
from tools.readings.outcome import Outcome

Items = Mapping[str, Stated]
Place = tuple[str, str | None]


def left_out(items: Items) -> Iterator[tuple[str, Items]]:
    """Yield (path, the other items) for each item that somebody has stated, those of lists too.

    A list is left out as a whole and its entries' items one by one; an entry stays, since a list
    with fewer entries is another truth.
    """
    for key, given in items.items():
        if given.state is State.NOT_ASSESSED:
            continue
        yield key, {k: s for k, s in items.items() if k != key}
        for at, entry in enumerate(given.entries):
            for part in entry.items:
                held = {k: s for k, s in entry.items.items() if k != part}
                entries = list(given.entries)
                entries[at] = Entry(id=entry.id, items=held)
                less = given.model_copy(update={"entries": tuple(entries)})
                yield f"{key}/{entry.id}/{part}", {**items, key: less}


def wrong_after(before: Mapping[Place, Outcome], after: tuple[Outcome, ...]) -> list[str]:
    """Return what a table says of less that cannot be, in words; empty where all is possible.

    Args:
        before: Every table of the whole reading.
        after: Of the same reading with something left out.
    """
    found = []
    for one in after:
        true = before.get((one.table, one.entry))
        if true is None or true.no_entries:
            continue
        where = one.table if one.entry is None else f"{one.table}/{one.entry}"
        if set(true.possible) - set(one.possible) and not _undone(one):
            found.append(f"{where}: {', '.join(one.possible)} without {', '.join(true.possible)}")
        if one.no_entries:
            found.append(f"{where}: said to have no entries")
    return found


def _undone(one: Outcome) -> bool:
    """Return whether nothing is said at all: the list it is made of was not looked at."""
    return not one.possible and bool(one.missing) and not one.no_entries
