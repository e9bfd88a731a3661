"""The last few assessments, with what their pictures are drawn from: a page need not wait."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from agent.assess import Outcome

_MOST = 16
"""Cases a ward looks at within a minute; one with ten ECGs takes some megabytes."""


class OutcomeCache:
    """The most recently used outcomes, by everything that they depend on.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Outcome] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Outcome | None:
        """Return an outcome, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, outcome: Outcome) -> None:
        """Keep an outcome, and drop the one that was not used for longest."""
        with self._lock:
            self._kept[key] = outcome
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
