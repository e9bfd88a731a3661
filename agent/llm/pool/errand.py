"""One request on its way: which server next, what is learned from a failure, when it is over."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from agent.llm.errors import (
    LLMBusyError,
    LLMDownError,
    LLMError,
    LLMTimeoutError,
    LLMUnreachableError,
)
from agent.llm.pool.account import Account
from agent.llm.pool.backend import Backend
from agent.llm.pool.caller import Caller
from agent.llm.pool.failure import Says, says
from agent.llm.pool.fair_queue import Ticket
from agent.llm.pool.gate import Gate, RerouteError
from agent.llm.pool.pins import Pin
from agent.llm.pool.pool import ITEM, Pool
from agent.llm.pool.routing import Seen, model_for, server_for, why_none
from agent.llm.seam import LLM, ChatRequest
from knowledge.errors import EpicrisisError

T = TypeVar("T")
_PAUSE_S = 0.05
"""Before looking again where somebody else took the place at the same moment."""


class Errand:
    """One request on its way.

    Args:
        pool: The pool.
        caller: Who asks.
        request: What.
        account: Of its tokens.
    """

    def __init__(self, pool: Pool, caller: Caller, request: ChatRequest, account: Account) -> None:
        self._pool = pool
        self._caller = caller
        self._request = request
        self._account = account
        limits = pool.file.queue
        longest = {
            "emergency": limits.emergency_s,
            "routine": limits.routine_s,
            "batch": limits.batch_s,
        }
        begun = pool.clock()
        self._until = begun + request.timeout_s
        self._wait_until = min(begun + longest[request.urgency], self._until)
        self._failed: dict[str, str] = {}
        self._sent = 0
        self._was_busy = False
        self._given = 0.0

    async def next_server(self) -> tuple[Backend, int, Pin]:
        """Return the server to ask with the token of its breaker, its place taken.

        Raises:
            LLMError: Nobody can be asked, or not in time.
        """
        while True:
            if self._was_busy:  # asked again and again; other failures have their own count
                self._was_busy = False
                self._still_in_time()
            pin = self._pin()
            gate = self._pool.gate(pin.model, patient_data=self._caller.patient_data)
            if not await self._turn(gate):
                continue
            taken = self._take(gate, pin.model)
            if taken is not None:
                return (*taken, pin)
            gate.given_up(self._account.tenant)
            await self._pool.sleep(min(_PAUSE_S, max(self._until - self._pool.clock(), 0.0)))
            self._still_in_time()

    async def attempt(
        self,
        backend: Backend,
        token: int,
        ask: Callable[[LLM, ChatRequest], Awaitable[T]],
        *,
        stays: bool = False,
    ) -> T | None:
        """Ask a server; None where it failed and another one may be asked.

        Args:
            backend: Which; its place is given back.
            token: Of its breaker.
            ask: What is asked of its client.
            stays: Whether the place is kept where it answers, for `finishing`.

        Raises:
            LLMError: The request is over.
        """
        allowed = min(backend.row.answer_s, max(self._until - self._pool.clock(), 0.0))
        self._given = allowed
        self._sent += 1
        kept = False
        try:
            if allowed <= 0:
                raise self._late()
            self._account.sent = True
            result = await _within(allowed, backend, self._request, ask)
        except LLMError as error:
            self._learn(backend, token, error, allowed)
            return None
        except BaseException:
            backend.breaker.abandoned(token)
            raise
        else:
            kept = stays
            if not stays:
                self._succeeded(backend, token)
            return result
        finally:
            if not kept:
                self._leave(backend)

    @contextmanager
    def finishing(self, backend: Backend, token: int) -> Iterator[None]:
        """Keep the place of a server that goes on answering, and learn how that ends."""
        try:
            yield
        except LLMError as error:
            self._count(backend, token, error, self._given)
            raise
        except BaseException:
            backend.breaker.abandoned(token)
            raise
        else:
            self._succeeded(backend, token)
        finally:
            self._leave(backend)

    def _pin(self) -> Pin:
        """Return the model that answers, with what must be said of it.

        Raises:
            LLMDownError: No server can be asked, or another model would have to answer.
        """
        pool, caller = self._pool, self._caller
        seen = pool.seen(caller, self._failed)
        pin = pool.pins.find(caller.conversation, known=caller.pinned)
        model = model_for(seen, pin.model if pin is not None else "")
        if model is None:
            raise self._nobody(seen)
        if pin is not None and pin.model == model:
            return pin
        if pin is None or not pin.answered:
            return pool.pins.set(
                caller.conversation, Pin(model=model, notice=_fallback(seen, model))
            )
        why = why_none(one for one in seen if one.model == pin.model)
        if pool.file.model_gone == "refuse":
            pool.observer.refused(self._account.tenant, "gone")
            raise LLMDownError(
                ITEM,
                f"{pin.model}, which has answered this conversation, cannot be asked ({why}), and "
                "another model may not go on with it",
                "begin a new run or conversation",
            )
        pool.changes += 1
        pool.observer.changed(pin.model, model)
        said = (
            f"{pin.model} answered before in this conversation and cannot be asked now ({why}); "
            f"{model} answers from here on"
        )
        notice = f"{pin.notice}; {said}" if pin.notice else said
        return pool.pins.set(caller.conversation, Pin(model=model, notice=notice))

    def _still_in_time(self) -> None:
        """Refuse to look again where the time is over.

        Raises:
            LLMError: It is.
        """
        now = self._pool.clock()
        if now >= self._until:
            raise self._late()
        if now >= self._wait_until:
            self._pool.observer.refused(self._account.tenant, "busy")
            raise LLMBusyError(
                ITEM, "no place was free in time at a server that has not failed this request",
                "try again later",
            )  # fmt: skip

    async def _turn(self, gate: Gate) -> bool:
        """Wait for a place, and return whether there is one; else the model is chosen again."""
        pool, tenant = self._pool, self._account.tenant
        begun = pool.clock()
        urgency = self._request.urgency
        ticket = Ticket(tenant=tenant, urgency=urgency, cost=float(self._account.most))
        try:
            await gate.turn(ticket, most_s=max(self._wait_until - begun, 0.0))
        except RerouteError:
            return False
        except LLMBusyError:
            pool.observer.refused(tenant, "busy")
            raise
        pool.observer.waited(gate.model, urgency, pool.clock() - begun)
        return True

    def _take(self, gate: Gate, model: str) -> tuple[Backend, int] | None:
        pool = self._pool
        seen = pool.seen(self._caller, self._failed, urgency=self._request.urgency)
        name = server_for(seen, model, case=self._caller.case)
        if name is None:
            return None
        backend = pool.backends[name]
        token = backend.breaker.begin(pool.clock())
        if token is None:
            return None
        backend.entered()
        gate.taken()
        return backend, token

    def _leave(self, backend: Backend) -> None:
        backend.left()
        self._pool.gate(backend.row.model, patient_data=self._caller.patient_data).ended(
            self._account.tenant
        )
        self._pool.wake_all()  # the tenant may wait elsewhere for what it had here

    def _succeeded(self, backend: Backend, token: int) -> None:
        now = self._pool.clock()
        before = backend.breaker.state(now)
        backend.breaker.succeeded(token, now)
        backend.answered += 1
        backend.answered_at(now)
        if backend.breaker.state(now) is not before:
            self._pool.state_changed(backend, before)

    def _learn(self, backend: Backend, token: int, error: LLMError, allowed: float) -> None:
        """Note what a failure says, and return where another server may be asked.

        Raises:
            LLMError: The request is over.
        """
        kind = self._count(backend, token, error, allowed)
        if kind is Says.NOTHING:
            raise error
        if kind is Says.BUSY or isinstance(error, LLMUnreachableError):
            self._sent -= 1  # it was not taken: it cannot have broken anything
        if kind is Says.BUSY:
            self._was_busy = True
            return
        self._failed[backend.row.name] = str(error)
        if self._pool.clock() >= self._until:
            raise self._late() from error
        if self._sent >= self._pool.file.queue.attempts:
            self._pool.observer.refused(self._account.tenant, "attempts")
            raise LLMDownError(
                ITEM,
                f"{self._sent} servers failed on this request, and it is sent to no further one "
                f"({_listed(self._failed)})",
            ) from error

    def _count(self, backend: Backend, token: int, error: LLMError, allowed: float) -> Says:
        """Tell the breaker what a failure says of the server."""
        pool, now = self._pool, self._pool.clock()
        before = backend.breaker.state(now)
        kind = says(error)
        if isinstance(error, LLMTimeoutError) and allowed < pool.file.health.answer_s:
            backend.breaker.abandoned(token)  # so short a time says nothing of the server
        elif kind is Says.BUSY:
            backend.breaker.abandoned(token)
            wait = backend.busy_for(error, now)
            if backend.busy_too_long(now):
                backend.breaker.no_room(now, str(error))
            asyncio.get_running_loop().call_later(wait, pool.wake, backend.row.model)
        elif kind is Says.WRONG_KEY:
            backend.breaker.trip(now, str(error), token)
        elif kind is Says.BROKEN:
            backend.doubt()
            backend.breaker.failed(token, now, str(error))
        else:
            backend.breaker.abandoned(token)
        if kind is not Says.NOTHING:
            backend.failures += kind is not Says.BUSY
            pool.observer.failed(backend.row.name, backend.row.model, kind.value)
        if backend.breaker.state(now) is not before:
            pool.state_changed(backend, before)
        return kind

    def _nobody(self, seen: tuple[Seen, ...]) -> LLMError:
        pool = self._pool
        pool.observer.refused(self._account.tenant, "gone")
        if self._failed:
            return LLMDownError(ITEM, f"every server failed on this request: {why_none(seen)}")
        waits = [one.breaker.retry_after_s(pool.clock()) for one in pool.backends.values()]
        after = min((wait for wait in waits if wait > 0), default=None)
        again = "see epicrisis llm pool" if after is None else f"try again in {after:.0f} s"
        reason = f"no server can be asked: {why_none(seen)}"
        return LLMBusyError(ITEM, reason, again, retry_after_s=after)

    def _late(self) -> LLMTimeoutError:
        tried = f"; tried: {_listed(self._failed)}" if self._failed else ""
        return LLMTimeoutError(ITEM, f"no answer within {self._request.timeout_s:g} s{tried}")


async def _within(
    allowed: float,
    backend: Backend,
    request: ChatRequest,
    ask: Callable[[LLM, ChatRequest], Awaitable[T]],
) -> T:
    """Ask a server within a time, whatever it is that takes longer.

    Raises:
        LLMError: It failed; also where its client cannot be had.
    """
    item = f"backend {backend.row.name}"
    try:
        async with asyncio.timeout(allowed):
            client = await backend.client()
            return await ask(client, request.model_copy(update={"timeout_s": allowed}))
    except TimeoutError as error:
        raise LLMTimeoutError(item, f"did not answer within {allowed:.3g} s") from error
    except LLMError:
        raise
    except EpicrisisError as error:  # also a key that cannot be read while it is exchanged
        raise LLMDownError(item, str(error)) from error


def _fallback(seen: tuple[Seen, ...], model: str) -> str:
    """Return what must be said where the first model is down, and another one begins."""
    first = min((one for one in seen if one.preferable), key=_order, default=None)
    if first is None or first.model == model:
        return ""
    why = why_none(one for one in seen if one.model == first.model and one.preferable)
    return f"{first.model} cannot be asked now ({why}); {model} answers"


def _order(one: Seen) -> tuple[int, str]:
    return one.priority, one.name


def _listed(failed: dict[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in failed.items())
