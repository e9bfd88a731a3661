"""Looking after servers: a real short completion, since a dead engine may call itself healthy."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.llm.errors import LLMError, LLMSilentError
from agent.llm.pool.backend import Backend
from agent.llm.pool.breaker import State
from agent.llm.pool.config import HealthRow
from agent.llm.pool.failure import Says, says
from agent.llm.seam import LLM, ChatRequest, Message
from knowledge.errors import EpicrisisError

Sleep = Callable[[float], Awaitable[None]]
logger = logging.getLogger(__name__)
_TOKENS = 4
_ANEW = 10.0
_LEAST_S = 0.05


def question(limits: HealthRow) -> ChatRequest:
    """Return the request that is a look at a server; it carries nothing of a patient."""
    return ChatRequest(
        purpose="health",
        messages=(Message(role="user", content="Answer with the word OK."),),
        max_tokens=_TOKENS,
        timeout_s=limits.answer_s,
    )


async def look_at(
    backend: Backend,
    limits: HealthRow,
    *,
    clock: Callable[[], float],
    changed: Callable[[Backend, State], None],
) -> str:
    """Ask a server for a short completion and return why it failed; empty where it answered.

    Here also a reply that cannot be used counts as a failure, but not one that ended in the middle
    of a thought: so short a reply has no room for more. A server that has no room is not broken.
    Every look also asks who it is.

    Args:
        backend: Which.
        limits: How long it may take.
        clock: Seconds.
        changed: Told the state before, after the breaker may have another one.
    """
    before = backend.breaker.state(clock())
    token = backend.breaker.begin(clock())
    if token is None:
        return backend.breaker.reason
    backend.entered()
    problem = ""
    try:
        if before is not State.CLOSED:
            await backend.forget()
        else:
            backend.doubt()
        async with asyncio.timeout(limits.answer_s):
            client = await backend.client()
            await _short_answer(client, limits)
    except EpicrisisError as error:
        problem = str(error)
        _count(
            backend, token, error, clock(),
            lambda: changed(backend, backend.breaker.state(clock())),
        )  # fmt: skip
    except TimeoutError:
        problem = f"no answer to a short completion within {limits.answer_s:g} s"
        backend.breaker.failed(token, clock(), problem, look=True)
    except BaseException:
        backend.breaker.abandoned(token)
        raise
    else:
        backend.breaker.succeeded(token, clock(), look=True)
        backend.answered_at(clock())
    finally:
        backend.left()
        changed(backend, before)
    return problem


async def _short_answer(client: LLM, limits: HealthRow) -> None:
    try:
        await client.chat(question(limits))
    except LLMSilentError as error:
        if error.finish != "length":
            raise


def _count(
    backend: Backend, token: int, error: EpicrisisError, now: float, wake: Callable[[], None]
) -> None:
    """Tell the breaker what a look that failed says of the server."""
    kind = says(error) if isinstance(error, LLMError) else Says.BROKEN
    if isinstance(error, LLMError) and kind is Says.BUSY:
        wait = backend.busy_for(error, now)
        backend.breaker.abandoned(token)
        if backend.busy_too_long(now):
            backend.breaker.no_room(now, str(error))
        asyncio.get_running_loop().call_later(wait, wake)
    elif kind is Says.WRONG_KEY:
        backend.breaker.trip(now, str(error), token)
    else:
        backend.breaker.failed(token, now, str(error), look=True)


async def look_after(
    backend: Backend,
    limits: HealthRow,
    *,
    clock: Callable[[], float],
    sleep: Sleep,
    changed: Callable[[Backend, State], None],
) -> None:
    """Look at a server now and again until cancelled.

    One that has answered meanwhile, has no free place, or is the local model and not started, is
    not asked; after ten times `every_s` also one that answers is, since only a look asks a server
    anew who it is. One whose breaker is open is asked as soon as that lets a trial through.
    """
    looked = clock()
    while True:
        if _is_due(backend, limits, clock(), looked):
            looked = clock()
            try:
                await look_at(backend, limits, clock=clock, changed=changed)
            except Exception:  # who looks after a server must outlive any mistake
                logger.exception("a look at %s failed by a mistake of ours", backend.row.name)
        now = clock()
        wait = min(limits.every_s, backend.opens_for_s)
        if backend.breaker.state(now) is not State.CLOSED:
            wait = min(max(backend.breaker.retry_after_s(now), _LEAST_S), limits.every_s)
        await sleep(wait)


def _is_due(backend: Backend, limits: HealthRow, now: float, looked: float) -> bool:
    if backend.row.local and not backend.is_open:
        return False
    if backend.breaker.state(now) is State.CLOSED:
        fresh = backend.last_answer is not None and now - backend.last_answer < limits.every_s
        long_ago = now - looked >= _ANEW * limits.every_s
        return (long_ago or not fresh) and backend.free(now) > 0
    return backend.breaker.admits(now)
