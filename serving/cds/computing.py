"""Assessments of hooks: each computed once, shown again while nothing has changed, bounded in time.

The answer of a hook never waits longer than `cds_budget_ms`; what is not ready then is finished
beside it and found by the next call.
"""

import contextvars
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotReadyError
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
_MOST = 512
"""Results kept: the patients of a department within a minute; each takes some hundred kilobytes."""


@dataclass(frozen=True)
class _Kept(Generic[T]):
    value: T
    at: datetime


class Computing(Generic[T]):
    """Results by everything they depend on but the time.

    Args:
        clock: The current moment.
        fresh_s: Seconds a result is shown again.
        workers: Computed at once.
    """

    def __init__(self, clock: Callable[[], datetime], *, fresh_s: float, workers: int) -> None:
        self._clock = clock
        self._fresh = timedelta(seconds=fresh_s)
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="cds")
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._running: dict[Hashable, Future[T]] = {}

    def find(self, key: Hashable) -> T | None:
        """Return a result that is still fresh, or None."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or not timedelta(0) <= self._clock() - kept.at < self._fresh:
                return None
            self._kept.move_to_end(key)
            return kept.value

    def get(self, key: Hashable, make: Callable[[], T], *, timeout_s: float) -> T | None:
        """Return a result, made now where there is none; None where it is not ready in time.

        Args:
            key: Everything it depends on but the time.
            make: Makes it; what it raises is raised here, and tried again by the next call.
            timeout_s: Seconds to wait.
        """
        if (found := self.find(key)) is not None:
            return found
        with self._lock:
            running = self._running.get(key)
            if running is None:
                context = contextvars.copy_context()
                running = self._pool.submit(context.run, self._make, key, make)
                self._running[key] = running
        try:
            return running.result(timeout=timeout_s)
        except NotReadyError:
            if running.done():
                raise  # the work itself ran into a time limit
            return None

    def put(self, key: Hashable, value: T) -> None:
        """Keep a result that was made elsewhere, or is the same under another key."""
        with self._lock:
            self._kept[key] = _Kept(value, self._clock())
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def close(self) -> None:
        """Stop taking work; what runs is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, key: Hashable, make: Callable[[], T]) -> T:
        try:
            value = make()
            self.put(key, value)
            return value
        finally:
            with self._lock:
                self._running.pop(key, None)
