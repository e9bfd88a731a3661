"""An event loop whose time goes on by itself: sleeping for an hour takes no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Instead of waiting, lets the loop's time go on."""

    elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            found = super().select(10)  # only a thread can go on
            if not found:
                raise AssertionError("everything waits for something that never comes")
        if not found and timeout:
            self.elapsed += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop of virtual time; begins at 1000 s."""

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return 1000.0 + self.selector.elapsed


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run this in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
