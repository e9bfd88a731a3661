"""Tokens of a tenant over the last hour and the last day.

Before a call its upper estimate is reserved; afterwards what was really used takes its place. So
calls in parallel cannot go over together. An emergency is never refused: a share is left to
emergencies, and one that finds that used up as well is counted beyond the limit. Windows slide by
1/60 of their length, and a token counts until its whole slice is past: never shorter than the
window, at most 1/60 longer.
"""

from collections import deque
from math import floor

from pydantic import NonNegativeFloat, NonNegativeInt

from agent.llm.errors import LLMQuotaError
from agent.llm.pool.config import TenantRow
from knowledge.model import Frozen

HOUR_S, DAY_S = 3600.0, 86400.0
_SLICES = 60
_SOON_S = 5.0
"""When to try again where calls that are going on hold the tokens."""


class Used(Frozen):
    """How much of one limit is used.

    Args:
        window_s: Seconds it looks back.
        limit: Most tokens.
        tokens: Used, reserved ones with them.
    """

    window_s: NonNegativeFloat
    limit: NonNegativeInt
    tokens: NonNegativeInt


class Window:
    """Tokens of the last so many seconds.

    Args:
        limit: Most of them.
        window_s: Seconds it looks back.
    """

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self.used = 0
        self._slices: deque[list[int]] = deque()

    def add(self, tokens: int, now: float) -> None:
        """Count tokens."""
        self._forget(now)
        at = floor(now / self._slice_s)
        if self._slices and self._slices[-1][0] >= at:
            self._slices[-1][1] += tokens
        else:
            self._slices.append([at, tokens])
        self.used += tokens

    def wait_s(self, tokens: int, now: float, *, limit: float) -> float | None:
        """Return the seconds until so many more fit below a limit: 0 now, None never."""
        self._forget(now)
        if tokens > limit:
            return None
        over = self.used + tokens - limit
        if over <= 0:
            return 0.0
        for at, held in self._slices:
            over -= held
            if over <= 0:
                return max((at + 1) * self._slice_s + self.window_s - now, 0.0)
        return None  # what is still reserved has not ended

    @property
    def _slice_s(self) -> float:
        return self.window_s / _SLICES

    def _forget(self, now: float) -> None:
        while self._slices and (self._slices[0][0] + 1) * self._slice_s + self.window_s <= now:
            self.used -= self._slices.popleft()[1]


class Reservation(Frozen):
    """Tokens that a call may use at most."""

    tokens: NonNegativeInt


class Quota:
    """The tokens of one tenant.

    Args:
        name: Of the tenant.
        row: Its limits.
        reserve: Share that only emergencies may use.
    """

    def __init__(self, name: str, row: TenantRow, *, reserve: float) -> None:
        self._name = name
        self._reserve = reserve
        self._reserved = 0
        limits = ((row.tokens_per_hour, HOUR_S), (row.tokens_per_day, DAY_S))
        self._windows = tuple(Window(most, span) for most, span in limits if most is not None)

    def reserve(self, tokens: int, now: float, *, emergency: bool) -> Reservation:
        """Keep tokens for a call.

        Args:
            tokens: An upper estimate.
            now: Seconds.
            emergency: Whether it is one, which is counted and never refused.

        Raises:
            LLMQuotaError: They are not there; it says when.
        """
        for window in () if emergency else self._windows:
            limit = window.limit * (1.0 - self._reserve)
            wait = window.wait_s(tokens + self._reserved, now, limit=limit)
            if wait is None or wait > 0:
                raise self._spent(window, tokens, wait, limit, now)
        self._reserved += tokens
        return Reservation(tokens=tokens)

    def settle(self, held: Reservation, used: int, now: float) -> None:
        """Give back what was kept, and count what was used."""
        self._reserved -= held.tokens
        for window in self._windows:
            window.add(used, now)

    def used(self, now: float) -> tuple[Used, ...]:
        """Return how much of each limit is used."""
        for window in self._windows:
            window.add(0, now)
        return tuple(
            Used(window_s=w.window_s, limit=w.limit, tokens=w.used + self._reserved)
            for w in self._windows
        )

    def _spent(
        self, window: Window, tokens: int, wait: float | None, limit: float, now: float
    ) -> LLMQuotaError:
        span = "hour" if window.window_s == HOUR_S else "day"
        kept = "" if limit == window.limit else f", {window.limit - limit:.0f} kept for emergencies"
        if tokens > limit:
            reason = f"one request of up to {tokens} tokens is more than its {limit:.0f} an {span}"
            return LLMQuotaError(
                self._item, reason, "raise the limit", retry_after_s=window.window_s
            )
        if wait is None:  # it would fit once calls that are going on have ended
            wait = window.wait_s(tokens, now, limit=limit) or _SOON_S
        after = wait
        held = window.used + self._reserved
        reason = (
            f"{held} of {window.limit} tokens of this {span} are used or reserved{kept}; "
            f"this request needs up to {tokens}"
        )
        return LLMQuotaError(self._item, reason, f"try again in {after:.0f} s", retry_after_s=after)

    @property
    def _item(self) -> str:
        return f"language model for tenant {self._name}"
