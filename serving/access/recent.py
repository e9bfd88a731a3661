"""Who used what lately, so that a page of a hundred pictures is one entry of the audit."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from threading import Lock

_MOST = 10_000
"""Pairs of person and case that are remembered; more only means more entries."""


class Recent:
    """Remembers uses for some minutes.

    Args:
        minutes: For how long.
    """

    def __init__(self, minutes: float) -> None:
        self._for = timedelta(minutes=minutes)
        self._known: OrderedDict[Hashable, datetime] = OrderedDict()
        self._lock = Lock()

    def is_first(self, key: Hashable, now: datetime) -> bool:
        """Return whether this was not used within the minutes before; it is from now on.

        Examples:
            >>> from datetime import UTC
            >>> recent, noon = Recent(5), datetime(2026, 1, 1, 12, tzinfo=UTC)
            >>> recent.is_first("a", noon), recent.is_first("a", noon)
            (True, False)
            >>> recent.is_first("a", noon + timedelta(minutes=6))
            True
        """
        with self._lock:
            before = self._known.get(key)
            if before is not None and before <= now < before + self._for:
                return False
            self._known[key] = now
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
            return True
