"""Servers that answer strangely, seen by one client: a typed reason, never a crash."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr

from agent.llm.address import address
from agent.llm.client import OpenAIChat
from agent.llm.errors import (
    LLMBusyError,
    LLMDownError,
    LLMError,
    LLMKeyError,
    LLMMalformedError,
    LLMSilentError,
)
from agent.llm.seam import ChatReply
from agent.llm.wire import RefusedRequestError
from knowledge.errors import InvalidValueError
from tests.agent.llm.asking import asking

URL = "http://127.0.0.1:8000/v1"
MARKUP = "</p><script>alert(1)</script>"


class Body(httpx.AsyncByteStream):
    """Bytes as they come from a connection: a response that was made whole cannot be streamed."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def answer(model: str = "m1", text: str | None = "fine", finish: str = "stop") -> httpx.Response:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return httpx.Response(200, json={"model": model, "choices": [choice]})


def server(
    chat: Callable[[httpx.Request], httpx.Response] = lambda _: answer(),
    **paths: httpx.Response,
) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        found = chosen(request)
        return httpx.Response(found.status_code, headers=found.headers, stream=Body(found.content))

    def chosen(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name in paths:
            return paths[name]
        if name == "models":
            return httpx.Response(200, json={"data": [{"id": "m1"}]})
        return chat(request) if name == "completions" else httpx.Response(404)

    return httpx.MockTransport(handle)


def replied(transport: httpx.MockTransport, **more: Any) -> ChatReply:
    async def main() -> ChatReply:
        client = OpenAIChat(URL, more.pop("model", "m1"), transport=transport, **more)
        try:
            return await client.chat(asking())
        finally:
            await client.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (503, {"Retry-After": "86400"}, LLMBusyError),
        (429, {"Retry-After": "86400"}, LLMBusyError),
        (401, {}, LLMKeyError),
        (500, {}, LLMDownError),
    ],
)
def test_a_list_of_models_that_is_refused_is_a_reason(
    status: int, headers: Mapping[str, str], error: type[LLMError]
) -> None:
    with pytest.raises(error):
        replied(server(models=httpx.Response(status, headers=headers)))


@pytest.mark.parametrize("status", [404, 403, 400, 302, 501])
def test_a_gateway_without_a_list_is_asked_all_the_same(status: int) -> None:
    assert replied(server(models=httpx.Response(status))).text == "fine"


def test_only_a_listed_model_answers_where_no_other_may() -> None:
    with pytest.raises(LLMDownError, match="does not list m1 among its 0 models"):
        replied(server(models=httpx.Response(404)), exact=True)
    both = httpx.Response(200, json={"data": [{"id": "m1"}, {"id": "tiny"}]})
    fallback = server(lambda _: answer(model="tiny"), models=both)
    with pytest.raises(LLMDownError, match="answers as another model than m1"):
        replied(fallback, exact=True)
    told = replied(fallback).model
    assert told is not None
    assert told.name == "tiny"


def test_what_a_server_refused_is_remembered_when_it_is_asked_anew() -> None:
    bodies: list[Any] = []

    def chat(request: httpx.Request) -> httpx.Response:
        bodies.append(orjson.loads(request.content))
        if "priority" in bodies[-1]:
            return httpx.Response(400, json={"error": {"message": "no priorities"}})
        return answer()

    async def main() -> None:
        told = httpx.Response(200, json={"version": "0.32.0"})
        client = OpenAIChat(URL, "m1", transport=server(chat, version=told))
        await client.chat(asking(urgency="emergency"))
        await client.connect(anew=True)
        await client.chat(asking(urgency="emergency"))
        await client.close()

    asyncio.run(main())
    assert ["priority" in body for body in bodies] == [True, False, False]


def test_a_key_that_no_header_may_have_is_refused_at_once() -> None:
    with pytest.raises(InvalidValueError, match="characters that no header may have"):
        OpenAIChat(URL, "m1", SecretStr("schlüssel"))


@pytest.mark.parametrize("url", ["http://llm..ö/v1", "http://xn--/v1", "http://a b/v1"])
def test_an_address_that_nothing_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidValueError, match="is not an"):
        address(url)


def test_half_a_character_is_the_requests_fault() -> None:
    async def main() -> None:
        client = OpenAIChat(URL, "m1", transport=server())
        with pytest.raises(RefusedRequestError, match="cannot be written as JSON"):
            await client.chat(asking(text="\ud83d"))
        await client.close()

    asyncio.run(main())


def test_cookies_are_not_kept() -> None:
    sent: list[str | None] = []

    def chat(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        reply = answer()
        reply.headers["Set-Cookie"] = "who=you; Path=/"
        return reply

    async def main() -> None:
        client = OpenAIChat(URL, "m1", transport=server(chat))
        for _ in range(2):
            await client.chat(asking())
        await client.close()

    asyncio.run(main())
    assert sent == [None, None]


def test_an_answer_of_another_model_names_it_or_is_refused() -> None:
    lies = server(lambda _: answer(model="tinyllama"))
    told = replied(lies).model
    assert told is not None
    assert told.name == "tinyllama"
    with pytest.raises(LLMDownError, match="answers as another model than m1"):
        replied(lies, exact=True)
    with pytest.raises(LLMDownError, match="answers as another model than m1"):
        replied(server(lambda _: answer(model=MARKUP)), exact=True)


def test_what_a_server_calls_itself_is_a_word_or_nothing() -> None:
    async def main() -> None:
        strange = server(
            models=httpx.Response(200, json={"data": [{"id": "m1"}, {"id": MARKUP}]}),
            version=httpx.Response(200, json={"version": "no infarction, discharge " * 99}),
        )
        client = OpenAIChat(URL, transport=strange)
        found = await client.connect()
        assert (found.name, found.server) == ("m1", "vllm")
        other = OpenAIChat(URL, "m2", exact=True, transport=strange)
        with pytest.raises(LLMDownError, match="does not list m2 among its 1 models"):
            await other.connect()
        await client.close()
        await other.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "found",
    [
        httpx.Response(200, text="<html>please log in</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, json={"error": {"message": "out of memory"}}),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(200, content=b"x" * (3 << 20)),
    ],
    ids=["portal", "empty", "error in a 200", "no choice", "endless"],
)
def test_what_is_no_chat_answer_is_the_servers_fault(found: httpx.Response) -> None:
    with pytest.raises(LLMMalformedError):
        replied(server(lambda _: found))


@pytest.mark.parametrize("text", [None, "", "<think>hm, the"])
def test_silence_says_why_it_ended(text: str | None) -> None:
    with pytest.raises(LLMSilentError) as raised:
        replied(server(lambda _: answer(text=text, finish="length")))
    assert raised.value.finish == "length"
