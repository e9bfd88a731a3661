"""What the server does with more work than it can do at once."""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress

from serving.llm.check.answer import Answer
from serving.llm.check.faults import FaultError
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import COUNT, Subject

_BUSY = (429, 503)
_LONG = 400
_WAIT_S = 10.0
_STEP_S = 0.2
_POLICY = "start vLLM with --scheduling-policy priority"
_IN_QUEUE = 3
"""Requests that an urgent one is to overtake."""
_BATCH_TOKENS = 64
_APART_S = 0.05
_QUEUE = re.compile(r"^vllm:num_requests_waiting(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE)
_RUNNING = {
    "vllm": re.compile(r"^vllm:num_requests_running(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE),
    "llama.cpp": re.compile(r"^llamacpp:requests_processing ([0-9.e+]+)", re.MULTILINE),
}


async def priority(subject: Subject) -> Found:
    """Find out whether a request may say how urgent it is."""
    answer = await subject.probe.chat(subject.body(COUNT, max_tokens=1, priority=1))
    if not answer.ok:
        told = f"{answer.refusal}: a request that says how urgent it is would be refused"
        return no(told, _POLICY)
    if subject.kind == "vllm":
        return await _overtaken(subject)
    if subject.verdicts.get("unknown_parameter") == "yes":
        return yes("taken, and unknown parameters are refused")
    return open_("taken, but so is every unknown parameter: that proves nothing")


async def _overtaken(subject: Subject) -> Found:
    """Find out whether an urgent request is answered before others that have waited longer.

    vLLM takes a priority and ignores it where it was not started with the policy (0.32 does).
    """
    if not subject.burst:
        return open_("taken, as without the policy; --burst N finds out whether it orders")
    ended: list[str] = []

    async def ask(name: str, tokens: int, priority: int) -> None:
        body = subject.body(COUNT, max_tokens=tokens, priority=priority, ignore_eos=True)
        with suppress(FaultError):
            if (await subject.probe.chat(body)).ok:
                ended.append(name)

    async with asyncio.TaskGroup() as group:
        names: list[str] = []
        while len(names) < subject.burst:
            waiting = await _waiting(subject)
            if waiting is None or waiting >= _IN_QUEUE:
                break
            names.append(f"batch {len(names)}")
            group.create_task(ask(names[-1], _BATCH_TOKENS, 10))
            await asyncio.sleep(_APART_S)
        waiting = await _waiting(subject)
        queued = names[-_IN_QUEUE:] if waiting is not None and waiting >= _IN_QUEUE else []
        if queued:
            group.create_task(ask("urgent", 4, -10))
    if waiting is None:
        return open_("taken; how many wait is not told (/metrics), so nothing could be seen")
    if not queued:
        return open_(
            f"taken; of {len(names)} at once no {_IN_QUEUE} had to wait (a larger --burst)"
        )
    if "urgent" not in ended:
        return no(f"an urgent request was not answered while {_IN_QUEUE} others waited")
    later = [name for name in queued if name in ended[ended.index("urgent") :]]
    told = f"an urgent request overtook {len(later)} of {_IN_QUEUE} that waited"
    return yes(told) if len(later) == _IN_QUEUE else no(told, _POLICY)


async def _waiting(subject: Subject) -> float | None:
    """Return how many requests wait; None where the server does not say."""
    answer = await subject.probe.get("/metrics")
    found = _QUEUE.findall(answer.text) if answer.ok else []
    return sum(float(value) for value in found) if found else None


async def cancellation(subject: Subject) -> Found:
    """Find out whether the server stops working once the client has left."""
    before = await _running(subject)
    more = {} if subject.kind == "other" else {"ignore_eos": True}
    body = subject.body("Write a very long story.", max_tokens=_LONG, **more)
    answer = await subject.probe.stream(body, stop_after=2)
    if answer.error:
        return no(answer.error)
    left = time.perf_counter()
    if answer.done:
        return open_("the reply was over before it could be left")
    if before is None:
        again = await subject.probe.chat(subject.body(COUNT, max_tokens=1))
        return open_(f"it does not count what runs; the next call took {again.ms:.0f} ms")
    while time.perf_counter() - left < _WAIT_S:
        now = await _running(subject)
        if now is not None and now <= before:
            ms = (time.perf_counter() - left) * 1000
            return yes(f"{ms:.0f} ms after leaving, {now:g} requests run")
        await asyncio.sleep(_STEP_S)
    return no(f"{_WAIT_S:g} s after leaving it still works on the request")


async def admission(subject: Subject) -> Found:
    """Find out whether too many requests at once are refused rather than queued for ever."""
    if not subject.burst:
        return open_("no burst was asked for (--burst N)")
    calls = [_one(subject) for _ in range(subject.burst)]
    counted = Counter(await asyncio.gather(*calls))
    told = ", ".join(f"{number} {what}" for what, number in sorted(counted.items()))
    busy = sum(number for what, number in counted.items() if what in map(str, _BUSY))
    rest = subject.burst - busy - counted["200"]
    if rest:
        return no(f"of {subject.burst} at once: {told}")
    if busy:
        return yes(f"of {subject.burst} at once: {told}")
    return open_(f"all of {subject.burst} at once were taken; its limit, if any, is higher")


async def _one(subject: Subject) -> str:
    try:
        answer: Answer = await subject.probe.chat(subject.body(COUNT, max_tokens=4))
    except FaultError as error:
        return error.kind
    return str(answer.status)


async def _running(subject: Subject) -> float | None:
    """Return how many requests run now, or None where the server does not count them."""
    if subject.kind == "other" or subject.probe.where.root is None:
        return None
    answer = await subject.probe.get("/metrics")
    found = _RUNNING[subject.kind].findall(answer.text) if answer.ok else []
    if found:
        return sum(float(value) for value in found)
    if subject.kind == "llama.cpp":
        slots = await subject.probe.get("/slots")
        if slots.ok and isinstance(slots.data, list):
            busy = [s for s in slots.data if isinstance(s, dict) and s.get("is_processing")]
            return float(len(busy))
    return None
