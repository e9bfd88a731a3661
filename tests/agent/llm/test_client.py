"""The real client against a server that misbehaves in every way we know."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from agent.llm.client import OpenAIChat
from agent.llm.errors import (
    LLMBudgetError,
    LLMDownError,
    LLMError,
    LLMIncoherentError,
    LLMTimeoutError,
)
from agent.llm.fake_server import (
    FakeServer,
    Kind,
    Scripted,
    completion,
    dropped,
    endless,
    fake_server,
    page,
    refusal,
    slow_drip,
    streamed,
)
from knowledge.errors import InvalidValueError
from tests.agent.llm.asking import SCHEMA, asking

KEY = SecretStr("sk-very-secret")


def with_server(
    *script: Scripted,
    use: Callable[[OpenAIChat, FakeServer], Awaitable[Any]],
    kind: Kind = "other",
) -> Any:
    async def main() -> Any:
        async with fake_server(*script, kind=kind) as server:
            client = OpenAIChat(server.url, api_key=KEY)
            try:
                return await use(client, server)
            finally:
                await client.close()

    return asyncio.run(main())


async def _chat(client: OpenAIChat, server: FakeServer) -> Any:
    return await client.chat(asking())


async def _chat_json(client: OpenAIChat, server: FakeServer) -> Any:
    return await client.chat(asking(json_schema=SCHEMA))


async def _stream(client: OpenAIChat, server: FakeServer) -> list[str]:
    return [piece async for piece in client.stream(asking())]


def test_a_reply_comes_with_its_tokens() -> None:
    reply = with_server(completion("Paris."), use=_chat)
    assert (reply.text, reply.finish) == ("Paris.", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 7)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(refusal(500), LLMDownError, id="500"),
        pytest.param(refusal(302), LLMDownError, id="redirect"),
        pytest.param(refusal(401), LLMDownError, id="wrong key"),
        pytest.param(refusal(404), LLMDownError, id="no such model"),
        pytest.param(refusal(400), LLMDownError, id="refused as such"),
        pytest.param(refusal(503, retry_after_s=3600), LLMDownError, id="busy for an hour"),
        pytest.param(
            refusal(400, error={"message": "This model's maximum context length is 4096 tokens"}),
            LLMBudgetError,
            id="too long for vLLM",
        ),
        pytest.param(
            refusal(400, error={"type": "exceed_context_size_error"}),
            LLMBudgetError,
            id="too long for llama.cpp",
        ),
        pytest.param(dropped(), LLMDownError, id="dropped in the body"),
        pytest.param(dropped(before=True), LLMDownError, id="dropped before the head"),
        pytest.param(slow_drip(), LLMTimeoutError, id="slow drip"),
        pytest.param(Scripted(steps=(30.0,)), LLMTimeoutError, id="hangs"),
        pytest.param(endless(), LLMIncoherentError, id="endless"),
        pytest.param(page(), LLMIncoherentError, id="sign-in page"),
        pytest.param(Scripted(steps=(b'"hello"',)), LLMIncoherentError, id="JSON of another form"),
        pytest.param(Scripted(steps=(b'{"choices": []}',)), LLMIncoherentError, id="no choice"),
        pytest.param(completion(""), LLMIncoherentError, id="empty"),
        pytest.param(completion(None, reasoning_content="hm"), LLMIncoherentError, id="thought"),
        pytest.param(completion("<think>hm"), LLMIncoherentError, id="thought that was cut"),
        pytest.param(completion("x", finish="content_filter"), LLMIncoherentError, id="withheld"),
    ],
)
@pytest.mark.parametrize("kind", ["vllm", "other"])
def test_a_failure_is_never_a_reply(
    script: Scripted, error: type[LLMError], kind: Kind
) -> None:  # fmt: skip
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        with pytest.raises(LLMError) as caught:
            await client.chat(asking(timeout_s=0.6 if error is LLMTimeoutError else 10.0))
        assert isinstance(caught.value, error)
        assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}"

    start = time.monotonic()
    with_server(script, use=use, kind=kind)
    assert time.monotonic() - start < 9


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(refusal(500), LLMDownError, id="500"),
        pytest.param(refusal(422), LLMDownError, id="422"),
        pytest.param(streamed(["Par"], finish=None, done=False), LLMDownError, id="ends early"),
        pytest.param(
            Scripted(content_type="text/event-stream", steps=(b"data: {}\n",), drop=True),
            LLMError,
            id="dropped",
        ),
        pytest.param(streamed(["a"] * 500, pause_s=0.05), LLMTimeoutError, id="slow"),
        pytest.param(endless(stream=True), LLMIncoherentError, id="endless"),
        pytest.param(page(), LLMIncoherentError, id="sign-in page"),
        pytest.param(completion("whole"), LLMIncoherentError, id="did not stream"),
        pytest.param(streamed([""]), LLMIncoherentError, id="empty"),
        pytest.param(
            Scripted(content_type="text/event-stream", steps=(b'data: {"error": {}}\n\n',)),
            LLMDownError,
            id="error event",
        ),
        pytest.param(
            Scripted(content_type="text/event-stream", steps=(b"data: hello\n\n",)),
            LLMIncoherentError,
            id="no JSON",
        ),
    ],
)
def test_a_stream_that_breaks_says_so(script: Scripted, error: type[LLMError]) -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        timeout_s = 0.6 if error is LLMTimeoutError else 10.0
        with pytest.raises(error):
            [piece async for piece in client.stream(asking(timeout_s=timeout_s))]

    with_server(script, use=use)


def test_a_stream_comes_in_pieces_without_its_thoughts() -> None:
    pieces = with_server(streamed(["<thi", "nk>hm</think>", "Par", "is", "."]), use=_stream)
    assert pieces == ["Par", "is", "."]


def test_a_streamed_reply_of_a_schema_is_checked_at_its_end() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        with pytest.raises(LLMIncoherentError):
            [piece async for piece in client.stream(asking(json_schema=SCHEMA))]

    with_server(streamed(['{"town": ', '"Paris"}']), use=use)


@pytest.mark.parametrize(
    "text",
    [
        '{"capital": "Paris"}',
        '```json\n{"capital": "Paris"}\n```',
        '<think>{"capital": "Rome"}</think>\n{"capital": "Paris"}',
    ],
)
def test_a_reply_of_a_schema_is_parsed(text: str) -> None:
    assert with_server(completion(text), use=_chat_json).data == {"capital": "Paris"}


@pytest.mark.parametrize(
    "text",
    [
        "The capital is Paris.",
        'Here it is: {"capital": "Paris"}',
        '{"capital": "Paris", "more": 1}',
        '{"capital": 1}',
        '{"capital": "Paris"',
        '{"capital": "Paris", "capital": "Rome"}',
        '{"capital": NaN}',
        '{"capital": "\\ud800"}',
        '```json\n{"town": "Paris"}\n```',
        "[" * 100_000,
    ],
)
def test_a_server_that_ignores_the_schema_is_incoherent_and_not_asked_again(text: str) -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> int:
        with pytest.raises(LLMIncoherentError) as caught:
            await client.chat(asking(json_schema=SCHEMA))
        assert "Paris" not in str(caught.value)
        return len(server.chats)

    assert with_server(completion(text), completion('{"capital": "Paris"}'), use=use) == 1


def test_a_busy_server_is_asked_again() -> None:
    assert with_server(refusal(503), refusal(429), completion("ok"), use=_chat).text == "ok"


def test_a_busy_server_is_not_asked_for_ever() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> int:
        with pytest.raises(LLMDownError, match="busy"):
            await client.chat(asking())
        return len(server.chats)

    assert with_server(*[refusal(503)] * 9, use=use) == 3


def test_a_broken_server_is_not_asked_again() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> int:
        with pytest.raises(LLMDownError):
            await client.chat(asking())
        return len(server.chats)

    assert with_server(refusal(500), completion("ok"), use=use) == 1


def test_nobody_there_is_down_within_the_deadline() -> None:
    async def main() -> None:
        async with fake_server() as server:
            url = server.url
        client = OpenAIChat(url, "m")
        with pytest.raises(LLMDownError, match="cannot be reached"):
            await client.chat(asking())
        with pytest.raises(LLMTimeoutError):
            await client.chat(asking(timeout_s=0.1))
        await client.close()

    asyncio.run(main())


def test_a_closed_client_says_so() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        assert (await client.chat(asking())).text == "ok"
        await client.close()
        for ask in (client.chat(asking()), anext(client.stream(asking()))):
            with pytest.raises(LLMDownError, match="its client was closed"):
                await ask
        assert len(server.chats) == 1

    with_server(completion("ok"), use=use)


def test_a_client_that_is_closed_while_it_waits_says_so() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        asked = asyncio.create_task(client.chat(asking()))
        while not server.chats:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # it waits to ask a busy server again
        await client.close()
        with pytest.raises(LLMDownError, match="its client was closed"):
            await asked

    with_server(refusal(503), completion("ok"), use=use)


def test_a_cancelled_call_closes_its_connection() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        task = asyncio.create_task(client.chat(asking()))
        while not server.chats:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await server.chats[0].left.wait()

    with_server(Scripted(steps=(30.0,)), use=use)


def test_a_stream_that_is_left_closes_its_connection() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> None:
        stream = client.stream(asking())
        assert await anext(stream) == "a"
        await stream.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(2):
            await server.chats[0].left.wait()

    with_server(streamed(["a"] * 1000, pause_s=0.02), use=use)


@pytest.mark.parametrize(
    ("kind", "server_name", "context", "tokens"),
    [
        ("vllm", "vllm 0.32.0", 4096, 3),
        ("llama.cpp", "llama.cpp b1", 2048, 4),
        ("other", "OpenAI-compatible", 4096, len("troponin")),
    ],
)
def test_servers_are_told_apart(kind: Kind, server_name: str, context: int, tokens: int) -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> int:
        identity = await client.connect()
        assert (identity.name, identity.server) == ("fake-model", server_name)
        assert client.context_tokens == context
        return await client.count_tokens("troponin")

    assert with_server(use=use, kind=kind) == tokens


def test_who_answers_is_asked_once() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> list[str]:
        await asyncio.gather(*(client.chat(asking()) for _ in range(3)))
        return server.probes

    probes = with_server(*[completion("ok")] * 3, use=use, kind="vllm")
    assert sorted(probes) == ["/props", "/v1/models", "/version"]


@pytest.mark.parametrize("kind", ["vllm", "llama.cpp", "other"])
def test_a_schema_goes_the_portable_way(kind: Kind) -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> Any:
        await client.chat(asking(json_schema=SCHEMA))
        return server.chats[0].body["response_format"]

    form = with_server(completion('{"capital": "Paris"}'), use=use, kind=kind)
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"] == SCHEMA


def test_a_gateway_that_refuses_schemas_gets_it_in_the_prompt() -> None:
    async def use(client: OpenAIChat, server: FakeServer) -> Any:
        for _ in range(2):
            reply = await client.chat(asking(json_schema=SCHEMA))
            assert reply.data == {"capital": "Paris"}
        return [chat.body for chat in server.chats]

    good = completion('{"capital": "Paris"}')
    refused, second, third = with_server(refusal(422), good, good, use=use)
    assert "response_format" in refused
    for body in (second, third):
        assert "response_format" not in body
        assert '"maxLength":20' in body["messages"][0]["content"]


def test_the_key_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def use(client: OpenAIChat, server: FakeServer) -> None:
        await client.chat(asking())
        assert server.chats[0].headers["authorization"] == "Bearer sk-very-secret"
        assert "very-secret" not in f"{client!r} {vars(client)!r}"

    with_server(completion("ok"), use=use)
    assert "very-secret" not in caplog.text
    assert "secret patient" not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["ftp://host/v1", "host:8000", "http://", "http://me:secret@host/v1", "http://h/v1?key=secret"],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        OpenAIChat(url)
    assert "secret" not in str(caught.value)


def test_several_models_and_none_configured_is_said() -> None:
    from agent.llm.dialect import recognise

    models = {"data": [{"id": "a"}, {"id": "b"}]}
    with pytest.raises(LLMDownError, match="names 2 models"):
        recognise(version=None, props=None, models=models, wanted=None, host="h")
    assert recognise(version=None, props=None, models=models, wanted="b", host="h").model == "b"
