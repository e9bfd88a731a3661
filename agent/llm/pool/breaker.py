"""A circuit breaker: a server that fails is left alone, then tried again, ever more seldom.

::

    closed --failures in a row, or their share--> open --after open_s--> half-open
      ^                                            ^  (doubled)              |
      |                                            +------a trial fails------+
      +-------------------trials in a row succeed----------------------------+

A pure state machine: the time is an argument of every call. A call that was admitted in one state
and ends in another changes nothing: it says nothing of the server as it is now.
"""

from collections import deque
from enum import StrEnum

from agent.llm.pool.config import BreakerRow


class State(StrEnum):
    """What a breaker lets through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """The breaker of one server.

    Args:
        limits: When it opens, and for how long.
    """

    def __init__(self, limits: BreakerRow) -> None:
        self._limits = limits
        self._state = State.CLOSED
        self._calls: deque[tuple[float, bool]] = deque()
        self._in_a_row = 0
        self._looks_in_a_row = 0
        self._by_work = False
        self._until = 0.0
        self._rounds = 0
        self._trial_out = False
        self._succeeded = 0
        self._era = 0
        self.reason = ""
        """Why it is not closed; empty where it is."""

    def state(self, now: float) -> State:
        """Return its state; an open one whose time is over is half-open."""
        if self._state is State.OPEN and now >= self._until:
            return State.HALF_OPEN
        return self._state

    def retry_after_s(self, now: float) -> float:
        """Return the seconds until it may be tried again; 0 where that is now."""
        return max(self._until - now, 0.0) if self._state is State.OPEN else 0.0

    def admits(self, now: float) -> bool:
        """Return whether a call would be let through."""
        match self.state(now):
            case State.CLOSED:
                return True
            case State.HALF_OPEN:
                return not self._trial_out
            case State.OPEN:
                return False

    def begin(self, now: float) -> int | None:
        """Let a call through and return the token it ends with; None where it is not let through.

        Args:
            now: Seconds.
        """
        if not self.admits(now):
            return None
        if self.state(now) is State.HALF_OPEN:
            if self._state is State.OPEN:
                self._enter(State.HALF_OPEN)
                self._succeeded = 0
            self._trial_out = True
        return self._era

    def succeeded(self, token: int, now: float, *, look: bool = False) -> None:
        """Note that a call was answered.

        Args:
            token: Of `begin`.
            now: Seconds.
            look: Whether it was a look at its health: a server that answers these and hangs on work
                is not healthy, so they leave the count of failures as it is. One that work had
                opened is closed by a look on trial: the next failure of work opens it for longer.
        """
        if token != self._era:
            return
        if self._state is State.HALF_OPEN:
            self._trial_out = False
            self._succeeded += 1
            if self._succeeded >= self._limits.trials:
                on_trial = look and self._by_work
                self.reason = ""
                self._enter(State.CLOSED)
                if on_trial:
                    self._in_a_row = self._limits.failures - 1
                else:
                    self._rounds = 0
            return
        self._looks_in_a_row = 0
        if not look:
            self._in_a_row = self._rounds = 0
            self._note(now, failed=False)

    def failed(self, token: int, now: float, reason: str, *, look: bool = False) -> None:
        """Note that a call, or a look, failed by the server's fault."""
        if token != self._era:
            return
        if self._state is State.HALF_OPEN:
            self._open(now, reason, by_work=self._by_work or not look)
            return
        if look:
            self._looks_in_a_row += 1
            if self._looks_in_a_row >= self._limits.failures:
                self._open(now, reason, by_work=False)
            return
        self._in_a_row += 1
        self._note(now, failed=True)
        bad = sum(failed for _, failed in self._calls)
        many = len(self._calls) >= self._limits.least_calls
        if self._in_a_row >= self._limits.failures or (
            many and bad / len(self._calls) >= self._limits.rate
        ):
            self._open(now, reason, by_work=True)

    def trip(self, now: float, reason: str, token: int | None = None) -> None:
        """Open it at once: what is wrong does not go away by asking again.

        Args:
            now: Seconds.
            reason: What is wrong.
            token: Of the call that found it; calls of the same time open it once.
        """
        if token is None or token == self._era:
            self._open(now, reason, by_work=False)

    def no_room(self, now: float, reason: str) -> None:
        """Open it for the shortest time: a load of others may end at any moment."""
        rounds, self._rounds = self._rounds, 0
        self._open(now, reason, by_work=False)
        self._rounds = rounds

    def abandoned(self, token: int) -> None:
        """Note that a call ended without saying anything of the server; a trial is free again."""
        if token == self._era and self._state is State.HALF_OPEN:
            self._trial_out = False

    def _note(self, now: float, *, failed: bool) -> None:
        self._calls.append((now, failed))
        while self._calls and self._calls[0][0] <= now - self._limits.window_s:
            self._calls.popleft()

    def _open(self, now: float, reason: str, *, by_work: bool) -> None:
        self._by_work = by_work
        wait = self._limits.open_s * 2.0 ** min(self._rounds, 60)
        self._until = now + min(wait, max(self._limits.longest_open_s, self._limits.open_s))
        self._rounds += 1
        self.reason = reason
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self._state = state
        self._era += 1
        self._trial_out = False
        self._in_a_row = self._looks_in_a_row = 0
        self._calls.clear()
