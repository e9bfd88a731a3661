"""One pool for a whole process: an event loop of its own, asked from any other.

Runs, conversations and commands each have an event loop; connections and queues belong to one. So
the pool has its own thread, and what is asked of it travels there and back. A cancelled request is
cancelled there as well.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from agent.llm.errors import LLMDownError
from agent.llm.pool.caller import Caller
from agent.llm.pool.pool import ITEM, Pool
from agent.llm.pool.pooled import PooledLLM
from agent.llm.pool.status import PoolStatus, status_of
from agent.llm.seam import ChatReply, ChatRequest, ModelIdentity

T = TypeVar("T")
_STOP_S = 10.0


class PoolHost:
    """A pool in a thread of its own.

    Args:
        make: Makes the pool; called in the thread that starts the host.
        watch: Whether the servers are looked after.
    """

    def __init__(self, make: Callable[[], Pool], *, watch: bool = True) -> None:
        self.pool = make()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="epicrisis-llm-pool", daemon=True
        )
        self._thread.start()
        if watch:
            self._loop.call_soon_threadsafe(self.pool.watch)
        self._open = True

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run this in the loop of the pool, and return its future at once.

        Raises:
            LLMDownError: The pool is closed.
        """
        if not self._open:
            work.close()
            raise LLMDownError(ITEM, "is closed: the process is ending")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run this in the loop of the pool; a cancellation here cancels it there."""
        return await asyncio.wrap_future(self.submit(work))

    def status(self) -> PoolStatus:
        """Return what the pool is doing now."""

        async def found() -> PoolStatus:
            return status_of(self.pool)

        return self.submit(found()).result(_STOP_S)

    def close(self) -> None:
        """End what goes on, and the thread; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.pool.close()


class HostedLLM:
    """The pool of a process as one caller asks it, from any event loop.

    Args:
        host: The pool.
        caller: Who asks.
    """

    def __init__(self, host: PoolHost, caller: Caller | None = None) -> None:
        self._host = host
        self._llm = PooledLLM(host.pool, caller)

    def __repr__(self) -> str:
        return f"HostedLLM({self._llm!r})"

    @property
    def identity(self) -> ModelIdentity:
        """Which model answered last, or would answer next; each reply names its own."""
        return self._llm.identity

    def for_caller(self, caller: Caller) -> "HostedLLM":
        """Return the same pool as another caller asks it."""
        return HostedLLM(self._host, caller)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply; errors as of `PooledLLM`."""
        return await self._host.run(self._llm.chat(request))

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply; errors as of `PooledLLM`."""
        here = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | BaseException | None] = asyncio.Queue()

        def tell(item: str | BaseException | None) -> None:
            with suppress(RuntimeError):  # the loop of who read is closed: nobody waits
                here.call_soon_threadsafe(pieces.put_nowait, item)

        async def pump() -> None:
            try:
                async for piece in self._llm.stream(request):
                    tell(piece)
            except asyncio.CancelledError:
                tell(LLMDownError(ITEM, "was closed in the middle of its reply"))
                raise
            except Exception as error:  # noqa: BLE001 - raised again by who reads
                tell(error)
            else:
                tell(None)

        running = self._host.submit(pump())
        try:
            while (item := await pieces.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            running.cancel()

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        return await self._host.run(self._llm.count_tokens(text))

    async def close(self) -> None:
        """Leave the pool open: it belongs to the process."""


_HOSTS: dict[Path, tuple[PoolHost, int]] = {}
"""The pools of this process by their file, and how many use each."""
_GUARD = threading.Lock()


@contextmanager
def shared_host(path: Path, make: Callable[[], Pool]) -> Iterator[PoolHost]:
    """Give the pool of this process for a file, while anybody uses it.

    Args:
        path: The file, which stands for the pool.
        make: Makes it where nobody uses it yet.
    """
    key = path.expanduser().resolve()
    with _GUARD:
        host, users = _HOSTS.get(key) or (PoolHost(make), 0)
        _HOSTS[key] = (host, users + 1)
    try:
        yield host
    finally:
        with _GUARD:
            host, users = _HOSTS[key]
            if users == 1:
                del _HOSTS[key]
            else:
                _HOSTS[key] = (host, users - 1)
        if users == 1:
            host.close()
