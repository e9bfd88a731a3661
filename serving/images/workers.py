"""Drawing within bounds: so many at once, so many waiting, none for longer than a person waits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from threading import BoundedSemaphore
from typing import TypeVar

from knowledge.errors import UnavailableError
from serving.access.errors import TooManyError

T = TypeVar("T")

AT_ONCE = 2
"""Pictures drawn at once: each takes a core, and up to some 500 MB for the largest."""

_WAITING = 64
"""Pictures asked for at one time; a page of thumbnails and a scrolled series ask for less."""


class Workers:
    """Draws pictures, a few at once.

    Args:
        seconds: After which a picture is given up.
        waiting: How many may be asked for at one time.
    """

    def __init__(self, seconds: float, *, waiting: int = _WAITING) -> None:
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="images")
        self._places = BoundedSemaphore(waiting)

    def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns.

        Raises:
            TooManyError: Too many pictures are asked for at this moment.
            UnavailableError: It took too long; it ends by itself, and its result is not shown.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyError("pictures", "too many are asked for at once", retry_after_s=2)
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._places.release())
        try:
            return future.result(timeout=self._seconds)
        except LateError as error:
            future.cancel()
            raise UnavailableError(
                "picture", f"was not drawn within {self._seconds:g} s", "try again"
            ) from error

    def close(self) -> None:
        """Take no more work; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
