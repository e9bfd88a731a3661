"""The client of any OpenAI-compatible endpoint: vLLM, the llama.cpp server, a gateway.

A call has one deadline for everything in it: finding out who answers, waiting for a busy server,
and the last byte of the reply. A server that sends one byte a minute does not outlive it. A
cancelled call closes its connection, so that the server stops working on it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from agent.llm.address import address
from agent.llm.dialect import (
    Dialect,
    Order,
    Speech,
    chat_body,
    is_word,
    model_named,
    piece_of,
    recognise,
    reply_of,
    tokenize_body,
    tokens_counted,
)
from agent.llm.errors import LLMDownError, LLMError, LLMSilentError, LLMTimeoutError
from agent.llm.seam import ChatReply, ChatRequest, ModelIdentity
from agent.llm.structured import structured
from agent.llm.tokens import upper_estimate
from agent.llm.tool_calls import as_schema, calls_in, calls_of
from agent.llm.wire import REPEATS, RefusedRequestError, Wire
from knowledge.errors import InvalidValueError

_COUNT_S = 10.0
_PROBE_S = 10.0
_LEAST_BYTES = 512 << 10
_BYTES_PER_TOKEN = 128
"""The longest tokens of today's vocabularies are runs of 128 spaces."""
_STREAM_OVERHEAD = 1024
"""Bytes of JSON around one token of a stream."""


class OpenAIChat:
    """A language model behind an OpenAI-compatible endpoint, for one event loop.

    Args:
        url: For example ``http://127.0.0.1:8000/v1``.
        model: As the server names it; None for the only one it has.
        api_key: Sent as a bearer token; it appears in no message, log or representation.
        sha256: Of the weights, where this product started the server.
        repeats: Times a refused connection or a busy answer is tried again.
        exact: Whether an answer that says it is of another model is refused. A gateway may call a
            model by another name than the one asked for; then the reply names that one.
        transport: For tests.

    Raises:
        InvalidValueError: The address or the key cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        api_key: SecretStr | None = None,
        *,
        sha256: str | None = None,
        repeats: int = REPEATS,
        exact: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._where = address(url)
        self._wire = Wire(self._where, api_key, repeats=repeats, transport=transport)
        self._wanted = model
        self._sha256 = sha256
        self._exact = exact
        self._dialect: Dialect | None = None
        self._finding_out = asyncio.Lock()

    def __repr__(self) -> str:
        return f"OpenAIChat({self._where.host}, model={self._wanted!r})"

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers; the server is known after the first call or `connect`."""
        if self._dialect is None:
            return ModelIdentity(name=self._wanted or "not yet asked", sha256=self._sha256)
        return ModelIdentity(
            name=self._dialect.model, server=self._dialect.server, sha256=self._sha256
        )

    @property
    def context_tokens(self) -> int | None:
        """Most tokens of prompt and reply together, where the server says it."""
        return self._dialect.context_tokens if self._dialect else None

    @property
    def order(self) -> Order | None:
        """What the server's waiting requests can be told apart by; None before it was asked."""
        return self._dialect.order if self._dialect else None

    async def connect(self, *, timeout_s: float = _PROBE_S, anew: bool = False) -> ModelIdentity:
        """Find out who answers, and return it.

        Args:
            timeout_s: Most seconds.
            anew: Whether the server is asked again though it was asked before: another model may
                have been started in its place.

        Raises:
            LLMDownError: The endpoint cannot be reached, or names no single model.
            LLMTimeoutError: It does not say within `timeout_s`.
        """
        async with _deadline(time.monotonic() + timeout_s, timeout_s, self._item):
            await self._recognised(anew=anew)
        return self.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply.

        Raises:
            LLMDownError: The endpoint could not be reached, refused, or broke.
            LLMTimeoutError: No complete reply within `ChatRequest.timeout_s`.
            LLMBudgetError: The prompt is longer than the model's context.
            LLMIncoherentError: Empty, endless, not a chat answer, or not valid under the schema.
        """
        start = time.monotonic()
        async with _deadline(start + request.timeout_s, request.timeout_s, self._item):
            dialect = await self._recognised()
            asked = request if dialect.takes_tools or not request.tools else as_schema(request)
            answer = await self._answer(asked, dialect)
        seconds = time.monotonic() - start
        reply = _read(answer, asked).model_copy(
            update={"seconds": seconds, "model": self._answered_by(answer, dialect)}
        )
        if request.tools and not asked.tools:
            return reply.model_copy(update={"calls": calls_in(reply.data), "data": None})
        return reply

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the text of the reply as it comes, without thoughts; errors as in `chat`.

        With a schema the whole is checked after its last piece.

        Raises:
            InvalidValueError: Tools are offered: calls are not streamed.
        """
        if request.tools:
            raise InvalidValueError("a streamed request", "offers tools", "use `chat`")
        until = time.monotonic() + request.timeout_s
        most = _most_bytes(request) + request.max_tokens * _STREAM_OVERHEAD
        speech, pieces, finish = Speech(), list[str](), None
        async with AsyncExitStack() as opened:
            async with _deadline(until, request.timeout_s, self._item):
                dialect = await self._recognised()
                events = await self._events(opened, request, dialect, most)
            while True:
                async with _deadline(until, request.timeout_s, self._item):
                    event = await anext(events, None)
                if event is None:
                    break
                self._answered_by(event, dialect)
                piece, reason = piece_of(event)
                finish = reason or finish
                if said := speech.heard(piece):
                    pieces.append(said)
                    yield said
        _require_whole("".join(pieces), finish, request, self._item)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text as the server counts them, else `upper_estimate`."""
        try:
            async with asyncio.timeout(_COUNT_S):
                dialect = await self._recognised()
                if not dialect.counts_tokens or self._where.root is None:
                    return upper_estimate(text)
                most = _LEAST_BYTES + 64 * len(text.encode("utf-8", "replace"))
                url, body = f"{self._where.root}/tokenize", tokenize_body(text, dialect)
                counted = tokens_counted(await self._wire.post(url, body, most_bytes=most))
        except (TimeoutError, LLMError):
            return upper_estimate(text)
        return upper_estimate(text) if counted is None else counted

    async def close(self) -> None:
        """Release the connections."""
        await self._wire.close()

    @property
    def _item(self) -> str:
        return f"language model at {self._where.host}"

    async def _answer(self, request: ChatRequest, dialect: Dialect) -> Any:
        url, most = f"{self._where.api}/chat/completions", _most_bytes(request)
        try:
            return await self._wire.post(
                url, chat_body(request, dialect, stream=False), most_bytes=most
            )
        except RefusedRequestError:
            changed = _plainer(request, dialect)
            if changed is None:
                raise
        answer = await self._wire.post(
            url, chat_body(request, changed, stream=False), most_bytes=most
        )
        self._dialect = changed
        return answer

    async def _events(
        self, opened: AsyncExitStack, request: ChatRequest, dialect: Dialect, most: int
    ) -> AsyncIterator[Any]:
        """Return the events of a streamed answer, which ends with `opened`."""
        url = f"{self._where.api}/chat/completions"
        try:
            body = chat_body(request, dialect, stream=True)
            return await opened.enter_async_context(self._wire.events(url, body, most_bytes=most))
        except RefusedRequestError:
            changed = _plainer(request, dialect)
            if changed is None:
                raise
        body = chat_body(request, changed, stream=True)
        events = await opened.enter_async_context(self._wire.events(url, body, most_bytes=most))
        self._dialect = changed
        return events

    def _answered_by(self, answer: Any, dialect: Dialect) -> ModelIdentity | None:
        """Return who answered where that is not who was asked.

        Raises:
            LLMDownError: It is not, and only the model that was asked for may answer.
        """
        said = model_named(answer)
        # llama.cpp answers to any name by its own, which is the one it lists.
        others = dialect.listed if dialect.kind == "llama.cpp" else ()
        if said is None or said in (dialect.model, *others):
            return None
        if self._exact:
            raise LLMDownError(
                self._item, f"answers as another model than {dialect.model}",
                "start the model that is configured",
            )  # fmt: skip
        return ModelIdentity(name=said, server=dialect.server) if is_word(said) else None

    async def _recognised(self, *, anew: bool = False) -> Dialect:
        """Return how the server speaks, asked once, or anew: what it refused before is kept.

        Raises:
            LLMDownError: It does not list the model that alone may answer; then it is asked anew
                before anything is sent to it.
        """
        async with self._finding_out:
            known = self._dialect
            if anew:
                self._dialect = None
            if self._dialect is None:
                root, api = self._where.root, self._where.api
                models = await self._wire.ask(f"{api}/models", needed=True)
                found = recognise(
                    version=await self._wire.ask(f"{root}/version") if root else None,
                    props=await self._wire.ask(f"{root}/props") if root else None,
                    models=models,
                    wanted=self._wanted,
                    host=self._where.host,
                )
                if self._exact and found.model not in found.listed:
                    raise LLMDownError(
                        self._item,
                        f"does not list {found.model} among its {len(found.listed)} models",
                        "correct the configuration, or the server",
                    )
                same = known is not None and known.server == found.server
                if known is not None and same:
                    kept = {"schema_in": known.schema_in, "order": known.order}
                    found = found.model_copy(update=kept)
                self._dialect = found
            return self._dialect


def _read(answer: Any, asked: ChatRequest) -> ChatReply:
    """Return the reply in an answer, checked against what was asked for."""
    text, finish, usage = reply_of(answer, calls=bool(asked.tools))
    cut = finish == "length"
    if asked.tools:
        calls = calls_of(answer, asked.tools, cut=cut)
        return ChatReply(text=text, calls=calls, usage=usage, finish=finish)
    schema = asked.json_schema
    data = None if schema is None else structured(text, schema, cut=cut)
    return ChatReply(text=text, data=data, usage=usage, finish=finish)


@asynccontextmanager
async def _deadline(until: float, allowed_s: float, item: str) -> AsyncIterator[None]:
    """Turn the end of a deadline into `LLMTimeoutError`; a cancellation from outside stays one."""
    try:
        async with asyncio.timeout(max(until - time.monotonic(), 0)):
            yield
    except TimeoutError as error:
        raise LLMTimeoutError(item, f"did not answer within {allowed_s:g} s") from error


def _most_bytes(request: ChatRequest) -> int:
    return _LEAST_BYTES + request.max_tokens * _BYTES_PER_TOKEN


def _plainer(request: ChatRequest, dialect: Dialect) -> Dialect | None:
    """Return how else a request that was refused may be put; None where nothing can be left out.

    vLLM documents that without priority scheduling a priority is refused (version 0.32 ignores it):
    an emergency must not fail by its urgency.
    """
    if request.json_schema is not None and _may_refuse_schemas(dialect):
        return dialect.model_copy(update={"schema_in": "prompt"})
    if dialect.order == "urgency" and request.urgency != "routine":
        return dialect.model_copy(update={"order": "arrival"})
    return None


def _may_refuse_schemas(dialect: Dialect) -> bool:
    return dialect.kind == "other" and dialect.schema_in == "response_format"


def _require_whole(said: str, finish: str | None, request: ChatRequest, item: str) -> None:
    if finish is None:
        raise LLMDownError(item, "ended its reply in the middle")
    if not said.strip():
        raise LLMSilentError(item, finish)
    if request.json_schema is not None:
        structured(said, request.json_schema, cut=finish == "length")
