"""Server-sent events of one answer: what the worker's thread tells, as a stream a browser reads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future

from starlette.responses import StreamingResponse

from serving.chat.model import Step, Turn

KEEP_ALIVE_S = 15.0
"""Seconds after which a comment is sent, so that no proxy closes a stream that only waits."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}

Item = Step | Turn


class Steps:
    """Steps told in another thread, read in the loop of the request."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()

    def tell(self, step: Step) -> None:
        """Take a step; from any thread, also where nobody reads any more."""
        self._put(step)

    def ends_with(self, future: "Future[Turn]") -> None:
        """End with the turn, once it is there."""
        future.add_done_callback(self._ended)

    async def items(self) -> AsyncIterator[Item | None]:
        """Yield the steps and, last, the turn; None where it is time for a sign of life.

        Without a turn the stream ends early: the answer was cut off, and the page says so.
        """
        while True:
            try:
                item = await asyncio.wait_for(self._queue.get(), KEEP_ALIVE_S)
            except TimeoutError:
                yield None
                continue
            if item is None:
                return
            yield item
            if isinstance(item, Turn):
                return

    def _ended(self, future: "Future[Turn]") -> None:
        failed = future.cancelled() or future.exception() is not None
        self._put(None if failed else future.result())

    def _put(self, item: Item | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


def event(data: str, *, name: str = "") -> str:
    r"""Return one event; every line of the data is a line of its own.

    Examples:
        >>> event("a\nb", name="step")
        'event: step\ndata: a\ndata: b\n\n'
    """
    head = f"event: {name}\n" if name else ""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return head + "".join(f"data: {line}\n" for line in lines) + "\n"


def stream(
    steps: Steps, say: Callable[[Item], str], *, first: str = "", last: str = ""
) -> StreamingResponse:
    """Return a response that streams an answer.

    Args:
        steps: What is told.
        say: An item as an event.
        first: Events before it.
        last: Events after it.
    """

    async def body() -> AsyncIterator[str]:
        if first:
            yield first
        async for item in steps.items():
            yield ": waiting\n\n" if item is None else say(item)
        if last:
            yield last

    return StreamingResponse(body(), media_type="text/event-stream", headers=HEADERS)
