"""Fetches what a call lacks from its FHIR server, all of it by one deadline.

A slow server costs the calls of its own EHR time, and the others nothing: of the threads that wait
for servers each server has a share, which is free again when the last of them has come back.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from knowledge.errors import EpicrisisError, InvalidValueError
from serving.cds.discovery import PREFETCH, Wanted
from serving.cds.page import Page, joined, read_page

MOST_PAGES = 10
"""Pages followed for one key; a chart with more is not the newest of a visit."""

BUSY = "was not asked for: too many calls wait for this FHIR server already"

_AT_ONCE = 4
_SHARE = 4
"""One server is waited for by at most a quarter of the calls that are answered at once, all servers
together by half: the rest is for calls that bring their data."""


class Get(Protocol):
    """Calls another server, as `serving.access.outbound.OutboundClient.get_json` does."""

    def __call__(
        self, url: str, *, headers: Mapping[str, str] | None, purpose: str, timeout_s: float | None
    ) -> Any:
        """Return the JSON at an address."""
        ...


class FetchPlaces:
    """Places for calls that wait for a FHIR server.

    Args:
        at_once: Calls answered at once.
    """

    def __init__(self, at_once: int) -> None:
        self._each = max(1, at_once // _SHARE)
        self._all = max(1, at_once // 2)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, server: str) -> Callable[[], None] | None:
        """Return what gives the place back, or None where there is none for this server now."""
        name = urlsplit(server).netloc.lower()
        with self._lock:
            if self._taken[name] >= self._each or self._taken.total() >= self._all:
                return None
            self._taken[name] += 1

        def give_back() -> None:
            with self._lock:
                self._taken[name] -= 1
                if not self._taken[name]:
                    del self._taken[name]

        return give_back


class Fetcher:
    """Fetches with the token of one call; lives as long as the call.

    Args:
        server: Base address of the FHIR server.
        token: The access token.
        get: Calls the server.
    """

    def __init__(self, server: str, token: str, get: Get) -> None:
        self.server = server.rstrip("/")
        self._token = token
        self._get = get

    def fetch(self, query: str, *, timeout_s: float) -> Any:
        """Return the answer to a query, or to the address of a next page of this server.

        Raises:
            InvalidValueError: A next page is on another server: the token is not sent there.
            EpicrisisError: The server may not be called, or gives no usable answer.
        """
        url = query if "://" in query else f"{self.server}/{query}"
        if not _same_place(url, self.server):
            raise InvalidValueError("next page", "is on another server", "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/fhir+json"}
        return self._get(url, headers=headers, purpose="FHIR search", timeout_s=timeout_s)


def fetch_all(
    fetcher: Fetcher,
    queries: Mapping[str, str],
    sent: Mapping[str, Page],
    *,
    now: datetime,
    seconds: float,
    places: FetchPlaces,
) -> dict[str, Page]:
    """Return what was asked for, by key; what did not come is an error, never empty.

    Args:
        fetcher: Fetches.
        queries: What to fetch, by prefetch key.
        sent: What the client sent, by key; kept where nothing better comes.
        now: The current moment.
        seconds: For all of it together.
        places: Shared with the other calls.
    """
    give_back = places.take(fetcher.server)
    if give_back is None:
        return {key: _with(sent.get(key), [], BUSY) for key in queries}
    end = time.monotonic() + seconds
    came: dict[str, list[Page]] = {key: [] for key in queries}
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="cds-fetch")
    asked: dict[str, Future[str]] = {}
    try:
        for key, whole in queries.items():
            before = sent.get(key)
            goes_on = before.next if before is not None else None
            if before is not None and goes_on:
                came[key].append(before)
            query = goes_on or whole
            asked[key] = pool.submit(_read, fetcher, PREFETCH[key], query, came[key], now, end)
        wait(asked.values(), timeout=seconds)
        late = f"was not answered within {seconds:g} s"
        return {
            key: _with(sent.get(key), list(came[key]), one.result() if one.done() else late)
            for key, one in asked.items()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _when_all_are_back(asked.values(), give_back)


def _read(
    fetcher: Fetcher,
    wanted: Wanted,
    query: str,
    came: list[Page],
    now: datetime,
    end: float,
) -> str:
    """Add page after page to `came`; return why those that are left were not read."""
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        left = end - time.monotonic()
        if left <= 0:
            return "was not answered in time"
        if query in seen:
            return "its pages lead back to one that was read"
        seen.add(query)
        try:
            page = read_page(fetcher.fetch(query, timeout_s=left), wanted, now=now)
        except EpicrisisError as error:
            return error.reason
        if page.kind == "none":
            return "the FHIR server answered nothing"
        came.append(page)
        if page.kind == "error" or page.next is None:
            return ""
        query = page.next
    return f"has more than {MOST_PAGES} pages"


def _with(sent: Page | None, came: list[Page], unread: str) -> Page:
    """Return what came as one page; where nothing did, what was sent, which was not whole."""
    if not came and sent is not None:
        came = [sent]
    return joined(came, unread=unread)


def _when_all_are_back(asked: Iterable[Future[str]], give_back: Callable[[], None]) -> None:
    """Give a place back when the last thread that waits for the server has ended."""
    waiting = list(asked)
    left = len(waiting)
    lock = threading.Lock()

    def ended(_: object) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            give_back()

    if not waiting:
        give_back()
    for one in waiting:
        one.add_done_callback(ended)


def _same_place(url: str, server: str) -> bool:
    one, two = urlsplit(url), urlsplit(server)
    return (one.scheme, one.netloc.lower()) == (two.scheme, two.netloc.lower())
