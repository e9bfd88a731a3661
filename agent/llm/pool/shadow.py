"""Shadow requests: a share is sent to a candidate as well, compared, recorded, and never shown.

They begin after the main answer is there, a few at once, and never wait for a place: so they slow
nothing. What is kept names requests by their hash and holds no words of them.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import NonNegativeFloat, NonNegativeInt

from agent.llm.errors import LLMError
from agent.llm.pool.backend import Backend
from agent.llm.pool.config import ShadowRow
from agent.llm.seam import ChatReply, ChatRequest, ModelIdentity
from knowledge.errors import UnavailableError
from knowledge.model import Frozen

logger = logging.getLogger(__name__)


class Comparison(Frozen):
    """One shadow request.

    Args:
        at: When, zoned.
        request: `ChatRequest.key`.
        purpose, prompt: As in the request.
        model: Which model answered.
        candidate: Which was compared with it.
        verdict: ``same``: the same data, or the same text where no schema was asked for;
            ``differs``; ``failed``: no answer that can be used.
        error: Class of the failure.
        fields_same, fields: Of the leaves of the data of either, how many are equal in both.
        seconds, candidate_seconds: Of each answer.
        tokens, candidate_tokens: Of each reply, as the server counts.
    """

    at: datetime
    request: str
    purpose: str
    prompt: str = ""
    model: ModelIdentity
    candidate: ModelIdentity
    verdict: str
    error: str = ""
    fields_same: NonNegativeInt | None = None
    fields: NonNegativeInt | None = None
    seconds: NonNegativeFloat
    candidate_seconds: NonNegativeFloat | None = None
    tokens: NonNegativeInt = 0
    candidate_tokens: NonNegativeInt = 0


Keep = Callable[[Comparison], None]


class Shadow:
    """Sends a share of the answered requests to a candidate.

    Args:
        row: How many, and to which.
        backend: The candidate.
        keep: Records a comparison; it may take its time, in a thread.
        now: The moment, zoned.
        clock: Seconds.
        told: Told each verdict, ``left out`` among them.
    """

    def __init__(
        self,
        row: ShadowRow,
        backend: Backend,
        *,
        keep: Keep,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        told: Callable[[str], None],
    ) -> None:
        self._row = row
        self._backend = backend
        self._keep = keep
        self._now = now
        self._clock = clock
        self._told = told
        self._running: set[asyncio.Task[None]] = set()
        self.counts: dict[str, int] = {}

    def offer(self, request: ChatRequest, reply: ChatReply, *, patient_data: bool) -> bool:
        """Begin a shadow request where this one is chosen, and return whether it did; no waiting.

        Which are chosen follows from the hash of the request: a repeated one is chosen again.
        """
        if not chosen(request.key, self._row.share):
            return False
        if patient_data and self._backend.row.patient_data != "allowed":
            self._tell("not allowed")
            return False
        if len(self._running) >= self._row.at_once or self._backend.free(self._clock()) <= 0:
            self._tell("left out")
            return False
        task = asyncio.create_task(self._compare(request, reply))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return True

    async def ended(self) -> None:
        """Wait for what is going on."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """End what is going on, unrecorded."""
        for task in self._running:
            task.cancel()
        await self.ended()

    async def _compare(self, request: ChatRequest, reply: ChatReply) -> None:
        token = self._backend.breaker.begin(self._clock())
        if token is None:
            self._tell("left out")
            return
        self._backend.entered()
        other, error = None, ""
        try:
            async with asyncio.timeout(self._row.answer_s):
                client = await self._backend.client()
                asked = request.model_copy(
                    update={"timeout_s": self._row.answer_s, "urgency": "batch"}
                )
                other = await client.chat(asked)
        except (UnavailableError, TimeoutError) as failure:
            error = type(failure).__name__
            self._backend.doubt()
            if isinstance(failure, LLMError):
                self._backend.breaker.abandoned(token)
            else:
                self._backend.breaker.failed(token, self._clock(), error)
        except BaseException:
            self._backend.breaker.abandoned(token)
            raise
        else:
            self._backend.breaker.succeeded(token, self._clock())
        finally:
            self._backend.left()
        found = compared(
            request, reply, other, error=error, at=self._now(), candidate=self._backend.identity
        )
        try:
            await asyncio.to_thread(self._keep, found)
        except UnavailableError as failure:
            logger.error("a shadow request is not recorded: %s", failure)
            self._tell("not recorded")
            return
        self._tell(found.verdict)

    def _tell(self, verdict: str) -> None:
        self.counts[verdict] = self.counts.get(verdict, 0) + 1
        self._told(verdict)


def chosen(key: str, share: float) -> bool:
    """Return whether a request is among the share.

    Args:
        key: Its hash.
        share: From 0 to 1.
    """
    drawn = int.from_bytes(hashlib.sha256(f"shadow\0{key}".encode()).digest()[:8], "big")
    return drawn < share * 2**64


def compared(
    request: ChatRequest,
    reply: ChatReply,
    other: ChatReply | None,
    *,
    error: str,
    at: datetime,
    candidate: ModelIdentity,
) -> Comparison:
    """Return how a candidate's reply compares; None stands for none."""
    found = Comparison(
        at=at,
        request=request.key,
        purpose=request.purpose,
        prompt=request.prompt,
        model=reply.model or ModelIdentity(name="unknown"),
        candidate=candidate,
        verdict="failed",
        error=error,
        seconds=reply.seconds,
        tokens=reply.usage.completion_tokens,
    )
    if other is None:
        return found
    update: dict[str, object] = {
        "candidate_seconds": other.seconds,
        "candidate_tokens": other.usage.completion_tokens,
    }
    structured = request.json_schema is not None or bool(request.tools)
    if structured:
        ours, theirs = dict(_leaves(_said(reply))), dict(_leaves(_said(other)))
        paths = ours.keys() | theirs.keys()
        same = sum(p in ours and p in theirs and ours[p] == theirs[p] for p in paths)
        update |= {"fields": len(paths), "fields_same": same}
        agrees = same == len(paths)
    else:
        agrees = reply.text.split() == other.text.split()
    return found.model_copy(update={**update, "verdict": "same" if agrees else "differs"})


class ShadowFile:
    """Comparisons in a file, one JSON object a line.

    Args:
        path: The file; it is for its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, found: Comparison) -> None:
        """Add one.

        Raises:
            UnavailableError: The file cannot be written.
        """
        line = orjson.dumps(found.to_json()) + b"\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise UnavailableError(
                self._path.name, f"cannot be written: {error.strerror}"
            ) from error


def _said(reply: ChatReply) -> object:
    if reply.calls:
        return [call.model_dump(mode="json") for call in reply.calls]
    return reply.data


def _leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    """Return every leaf of JSON with its path; an empty list or object is a leaf."""
    match value:
        case dict() if value:
            return [leaf for key in value for leaf in _leaves(value[key], f"{path}/{key}")]
        case list() if value:
            return [leaf for i, one in enumerate(value) for leaf in _leaves(one, f"{path}/{i}")]
        case _:
            return [(path, orjson.dumps(value, option=orjson.OPT_SORT_KEYS))]
