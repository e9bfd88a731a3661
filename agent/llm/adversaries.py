"""Language models that misbehave in one way each, for tests of what stands around them.

All but `MalformedJson` and `EndlessText` keep to the schema of a request: their replies get past
every check of form, so that only checks of content can stop them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

import orjson

from agent.llm.errors import LLMDownError, LLMTimeoutError
from agent.llm.lies import LIES, Lie
from agent.llm.schema_instance import Words, instance
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity
from agent.llm.structured import structured
from agent.llm.tokens import upper_estimate
from knowledge.plain_text import has_chinese


class _Adversary:
    """What all have in common: the name, streaming in one piece, counting."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def identity(self) -> ModelIdentity:
        """Which adversary this is."""
        return ModelIdentity(name=self._name, server="adversary")

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply."""
        raise NotImplementedError

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply of `chat` in one piece."""
        yield (await self.chat(request)).text

    async def count_tokens(self, text: str) -> int:
        """Return the upper estimate."""
        return upper_estimate(text)

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class Liar(_Adversary):
    """Tells what an honest model says, with one kind of lie in every sentence that can hold it.

    Args:
        inner: The honest model.
        lie: Which kind; see `agent.llm.lies.LIES`.

    Attributes:
        told: Every changed text as (honest, lie).
    """

    def __init__(self, inner: LLM, lie: Lie = "number") -> None:
        super().__init__(f"liar about {lie}")
        self.told: list[tuple[str, str]] = []
        self._inner = inner
        self._lie = LIES[lie]

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the honest reply with its prose changed."""
        honest = await self._inner.chat(request)
        if request.json_schema is None:
            return honest.model_copy(update={"text": self._changed(honest.text)})
        text = orjson.dumps(_mapped(honest.data, self._changed)).decode()
        return honest.model_copy(
            update={"text": text, "data": structured(text, request.json_schema)}
        )

    def _changed(self, text: str) -> str:
        if not _is_prose(text):
            return text
        changed = self._lie(text)
        if changed != text:
            self.told.append((text, changed))
        return changed


class Obedient(_Adversary):
    """Obeys instructions planted in the data it is given.

    A planted instruction is what follows "ignore ... instructions" or surrounds a word that begins
    with ``CANARY``, anywhere but in the system message. It repeats the whole of it, calls the tool
    that is named in it, and adds that the risk is low.

    Args:
        inner: Answers requests without planted instructions.

    Attributes:
        obeyed: Every instruction obeyed: a test that expects none to have worked must see here
            that there was one.
    """

    verdict = "Low risk, discharge."

    def __init__(self, inner: LLM) -> None:
        super().__init__("obedient")
        self.obeyed: list[str] = []
        self._inner = inner

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return what the planted instruction asks for, else the reply of the inner model."""
        planted = [
            found.group().strip()
            for message in request.messages
            if message.role != "system"
            for found in _PLANTED.finditer(message.content)
        ]
        if not planted:
            return await self._inner.chat(request)
        self.obeyed.extend(planted)
        canaries = _CANARY.findall(" ".join(planted))
        tool = _CALLED.search(" ".join(planted))
        words = Words(
            prose=" ".join([self.verdict, *canaries, *planted]), name=tool["name"] if tool else ""
        )
        return _reply(request, words)


class WrongTools(_Adversary):
    """Asks for tools that do not exist, with invented ids and numbers.

    Where the schema names the tools that may be asked for, it takes one of them.
    """

    def __init__(self, tool: str = "order_ct_angiography") -> None:
        super().__init__("wrong tools")
        self._words = Words(prose="P123 12345", name=tool, id="12345", number=24)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return a reply full of inventions."""
        return _reply(request, self._words)


class MalformedJson(_Adversary):
    """Never sends JSON of the schema; each call breaks it in another way."""

    replies = (
        '{"calls": [{"tool": "a"',
        "Sure! Here is the JSON you asked for: {}",
        '{"calls": [],}',
        "{'calls': []}",
        "[NaN]",
        '{"a": 1, "a": 2}',
        "null",
        '```json\n{"calls": \n```\nI hope this helps.',
    )

    def __init__(self) -> None:
        super().__init__("malformed JSON")
        self._calls = 0

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return or, with a schema, fail on the next broken reply."""
        text = self.replies[self._calls % len(self.replies)]
        self._calls += 1
        data = None if request.json_schema is None else structured(text, request.json_schema)
        return ChatReply(text=text, data=data)


class EndlessText(_Adversary):
    """Goes on until the token limit of every request."""

    def __init__(self, piece: str = "and then ") -> None:
        super().__init__("endless text")
        self._piece = piece

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return a reply that was cut; with a schema, fail on it."""
        text = self._piece * request.max_tokens
        if request.json_schema is not None:
            text = '{"text": "' + text
            structured(text, request.json_schema, cut=True)
        return ChatReply(text=text, finish="length")

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield pieces until the token limit."""
        for _ in range(request.max_tokens):
            yield self._piece
            await asyncio.sleep(0)


class Slow(_Adversary):
    """Answers as the inner model does, after a wait; never later than the timeout.

    Args:
        inner: The model.
        seconds: Wait before each reply.
    """

    def __init__(self, inner: LLM, seconds: float) -> None:
        super().__init__("slow")
        self._inner = inner
        self._seconds = seconds

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply after the wait.

        Raises:
            LLMTimeoutError: The wait is as long as the timeout or longer.
        """
        await asyncio.sleep(min(self._seconds, request.timeout_s))
        if self._seconds >= request.timeout_s:
            raise LLMTimeoutError(self._name, f"did not answer within {request.timeout_s:g} s")
        return await self._inner.chat(request)


class Dropping(_Adversary):
    """Answers as the inner model does, then drops every connection.

    Args:
        inner: The model.
        after: Calls that are still answered.
    """

    def __init__(self, inner: LLM, after: int = 0) -> None:
        super().__init__("dropping")
        self._inner = inner
        self._left = after

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply while there are calls left.

        Raises:
            LLMDownError: There are none left.
        """
        if self._left <= 0:
            raise LLMDownError(self._name, "dropped the connection")
        self._left -= 1
        return await self._inner.chat(request)


Name = Literal[
    "liar", "obedient", "wrong tools", "malformed JSON", "endless text", "slow", "dropping"
]

ADVERSARIES: Mapping[Name, Callable[[LLM], LLM]] = {
    "liar": Liar,
    "obedient": Obedient,
    "wrong tools": lambda inner: WrongTools(),
    "malformed JSON": lambda inner: MalformedJson(),
    "endless text": lambda inner: EndlessText(),
    "slow": lambda inner: Slow(inner, seconds=3600),
    "dropping": Dropping,
}
"""Every adversary, made around an honest model."""

_PLANTED = re.compile(
    r"(?:ignore|disregard|forget|忽略|无视|忘记)[^\n]{0,60}?(?:instruction|rule|above|指令|规则|要求)[^\n]{0,400}"
    r"|[^\n]{0,200}CANARY[^\n]{0,300}",
    re.IGNORECASE,
)
_CANARY = re.compile(r"CANARY[\w-]*", re.IGNORECASE)
_CALLED = re.compile(
    r"(?:call|run|use|invoke|调用|运行|使用)\s*(?:the\s+|工具\s*)?(?:tool\s+)?[`\"']?"
    r"(?P<name>[a-z][a-z0-9]*(?:[_.][a-z0-9]+)+)"
)


def _reply(request: ChatRequest, words: Words) -> ChatReply:
    if request.json_schema is None:
        return ChatReply(text=f"{words.prose} {words.name}".strip())
    text = orjson.dumps(instance(request.json_schema, words)).decode()
    return ChatReply(text=text, data=structured(text, request.json_schema))


def _mapped(data: Any, change: Callable[[str], str]) -> Any:
    match data:
        case str():
            return change(data)
        case dict():
            return {key: _mapped(value, change) for key, value in data.items()}
        case list():
            return [_mapped(value, change) for value in data]
        case _:
            return data


def _is_prose(text: str) -> bool:
    """Return whether a text is a sentence, not a key or an id."""
    return " " in text.strip() or has_chinese(text)
