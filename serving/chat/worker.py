"""A loop of its own for answers: one goes on where the browser that asked for it has gone."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

from agent.llm.choice import Choice
from knowledge.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")
OpenLLM = Callable[[Settings], AbstractAsyncContextManager[Choice]]

_AGAIN_S = 30.0
"""Seconds after which a model that could not be had is looked for again."""
_STOP_S = 10.0


class Worker:
    """An event loop in a thread, and the language model that is opened in it once.

    Args:
        settings: Which model.
        open_llm: Opens it; `agent.llm.choice.llm_from` outside tests.
    """

    def __init__(self, settings: Settings, open_llm: OpenLLM) -> None:
        self._settings = settings
        self._open_llm = open_llm
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._opening: asyncio.Lock | None = None
        self._opened: AsyncExitStack | None = None
        self._choice: Choice | None = None
        self._tried = 0.0

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run this in the loop of the worker, and return its future at once."""
        with self._guard:
            loop = self._started()
            return asyncio.run_coroutine_threadsafe(work, loop)

    async def model(self) -> Choice:
        """Return the model, opened when first needed; within the loop of the worker."""
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            choice = self._choice
            if choice is not None and (choice.llm is not None or self._is_fresh()):
                return choice
            await self._close_model()
            opened = AsyncExitStack()
            self._choice = await opened.enter_async_context(self._open_llm(self._settings))
            self._opened, self._tried = opened, time.monotonic()
            return self._choice

    async def forget_model(self) -> None:
        """Close a model that failed, so that the next question looks for it again."""
        if self._opening is not None:
            async with self._opening:
                await self._close_model()

    def close(self) -> None:
        """Stop what runs, close the model and end the thread; a second call does nothing."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._stop(), loop).result(_STOP_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_S)
        if not thread.is_alive():
            loop.close()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._tried < _AGAIN_S

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._opening = None
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="epicrisis-chat", daemon=True
            )
            self._thread.start()
        return self._loop

    async def _close_model(self) -> None:
        opened, self._opened, self._choice = self._opened, None, None
        if opened is not None:
            await opened.aclose()

    async def _stop(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._close_model()
