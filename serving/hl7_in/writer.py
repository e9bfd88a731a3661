"""One thread that keeps messages: those that come while it writes are kept together with one sync.

What a connection hands over is bounded by the number of connections, each of which waits for its
acknowledgement before it reads on, and by the queue's length: a full queue makes them wait.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from knowledge.errors import EpicrisisError, UnavailableError
from serving.hl7_in.accept import Accepted, Refused
from serving.hl7_in.store import Kept

logger = logging.getLogger(__name__)

BATCH = 64
"""Messages kept with one sync at most."""

Answer = Kept | Refused
_Waiting = tuple[Accepted, "Future[Answer]"]


class Writer:
    """Keeps messages in the order they are handed over.

    Args:
        keep: Keeps a batch, see `MessageStore.keep`.
        length: Messages that may wait.
        kept: Called after each batch that was kept.
    """

    def __init__(
        self,
        keep: Callable[[Sequence[Accepted]], Sequence[Answer]],
        *,
        length: int,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._keep, self._kept = keep, kept
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(maxsize=length)
        self._thread = threading.Thread(target=self._run, name="hl7-writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def hand_over(self, message: Accepted, *, timeout_s: float) -> "Future[Answer]":
        """Return what will become of a message.

        Raises:
            UnavailableError: The queue is full for so long.
        """
        answer: Future[Answer] = Future()
        try:
            self._queue.put((message, answer), timeout=timeout_s)
        except queue.Full as error:
            raise UnavailableError(
                "message store", "is busy", "send the message again later"
            ) from error
        return answer

    @property
    def is_full(self) -> bool:
        """Whether whoever hands over now has to wait."""
        return self._queue.full()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stop = self._with_more(first)
            self._write(batch)
            if stop:
                return

    def _with_more(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch = [first]
        while len(batch) < BATCH:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return batch, True
            batch.append(more)
        return batch, False

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = self._keep([message for message, _ in batch])
        except EpicrisisError as error:
            logger.error("messages not kept: %s: %s", error.item, error.reason)
            for _, waiting in batch:
                waiting.set_exception(error)
            return
        except Exception as error:  # the outermost handler: nobody is told that it was kept
            logger.exception("messages not kept")
            for _, waiting in batch:
                waiting.set_exception(UnavailableError("message store", type(error).__name__))
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            waiting.set_result(answer)
        self._kept()
