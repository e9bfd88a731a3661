"""How often somebody may come: one bucket of tokens for each subject, and one for each address.

The buckets are of one process: with several, each allows the rate.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from fastapi import Request

from knowledge.settings import Settings
from serving.access.errors import TooManyError
from serving.access.principal import Principal

_MOST = 20_000
"""Buckets kept; the one that was used longest ago goes first."""

_SYSTEMS = ("service", "cds")


class Buckets:
    """Buckets of one size.

    Args:
        per_minute: Tokens that flow in, and the most that a bucket holds.
        clock: The current moment.
    """

    def __init__(self, per_minute: int, clock: Callable[[], datetime]) -> None:
        self._size = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._clock()
        with self._lock:
            left, since = self._kept.pop(key, (self._size, now))
            passed = max(0.0, (now - since).total_seconds())
            left = min(self._size, left + passed * self._size / 60)
            wait = 0.0 if left >= 1 else (1 - left) * 60 / self._size
            self._kept[key] = (left - 1 if wait == 0 else left, now)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return wait


class RateLimits:
    """The limits of one application.

    Args:
        settings: The rates.
        clock: The current moment.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._people = Buckets(settings.requests_per_minute, clock)
        self._systems = Buckets(settings.system_requests_per_minute, clock)
        self._failures = Buckets(settings.failures_per_minute, clock)
        self._strangers = Buckets(settings.requests_per_minute, clock)

    def used(self, principal: Principal) -> None:
        """Count a request of somebody who is known.

        Raises:
            TooManyError: Over the rate.
        """
        buckets = self._systems if principal.via in _SYSTEMS else self._people
        _refuse(buckets.take(f"{principal.via}|{principal.subject}"), "requests")

    def failed(self, request: Request) -> None:
        """Count a proof that was not valid, by the address it came from.

        Raises:
            TooManyError: Over the rate.
        """
        _refuse(self._failures.take(_address(request)), "attempts")

    def stranger(self, request: Request) -> None:
        """Count the beginning of a login, by the address it came from.

        Raises:
            TooManyError: Over the rate.
        """
        _refuse(self._strangers.take(_address(request)), "logins")


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _refuse(wait_s: float, item: str) -> None:
    if wait_s > 0:
        raise TooManyError(item, "come too often", retry_after_s=math.ceil(wait_s))
