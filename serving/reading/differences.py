"""Where two readings of one study do not say the same: item by item, whoever is right."""

from collections.abc import Iterator

from serving.reading.model import Difference
from tools.readings.model import NOBODY, Reading, Stated


def differences(first: Reading, second: Reading) -> tuple[Difference, ...]:
    """Return every item on which two readings differ, in the order of the second.

    Who says it and how sure they are is no difference. The entries of a list are compared by their
    id; an entry that one of them does not have differs in each of its items.

    Args:
        first: Of the first reader.
        second: Of the second reader, of the same form.
    """
    found: list[Difference] = []
    for path in dict.fromkeys([*second.items, *first.items]):
        one, other = first.items.get(path, NOBODY), second.items.get(path, NOBODY)
        if said(one) != said(other):
            found.append(Difference(path=path, first=one, second=other))
        found += _entries(path, one, other)
    return tuple(found)


def said(stated: Stated) -> Stated:
    """Return what is stated without who says it, and without the entries of a list."""
    bare = {"said": NOBODY.said, "certainty": None, "margin": None, "entries": ()}
    return stated.model_copy(update=bare)


def _entries(path: str, one: Stated, other: Stated) -> Iterator[Difference]:
    left = {entry.id: entry.items for entry in one.entries}
    right = {entry.id: entry.items for entry in other.entries}
    for name in dict.fromkeys([*right, *left]):
        before, after = left.get(name, {}), right.get(name, {})
        for item in dict.fromkeys([*after, *before]):
            a, b = before.get(item, NOBODY), after.get(item, NOBODY)
            if said(a) != said(b):
                yield Difference(path=f"{path}/{name}/{item}", first=a, second=b)
