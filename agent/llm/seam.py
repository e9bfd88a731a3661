"""The interface every language model is used through.

Ours is the portable part of the OpenAI chat API: messages in, text or JSON of a schema out. What
differs between servers is handled in the client, not by its users. Prompts and replies are values
that can be recorded, hashed and replayed.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, Protocol

import orjson
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from knowledge.model import Frozen

Role = Literal["system", "user", "assistant"]
Urgency = Literal["emergency", "routine", "batch"]
"""Who is answered first where a server can order: a case with red flags, anybody, work that nobody
waits for."""


class Message(Frozen):
    """One turn of a conversation."""

    role: Role
    content: str


class ToolSpec(Frozen):
    """A tool that the model is offered.

    Args:
        name: Of the tool.
        description: What it is for.
        parameters: JSON Schema of its arguments, an object.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str
    parameters: Mapping[str, Any]


class ToolCall(Frozen):
    """A call that the model asks for; its arguments are valid under the tool's schema.

    Args:
        name: Of a tool that was offered.
        arguments: Of the call.
    """

    name: str
    arguments: Mapping[str, Any]


class ChatRequest(Frozen):
    """What is asked of the model.

    Args:
        purpose: What for, for example ``plan`` or ``write``: a key of the record and the budget.
        prompt: Id and hash of the prompt file, ``plan.en@1f2e...``; empty outside the product.
        messages: System first.
        json_schema: The reply must be JSON of this schema; None for free text.
        tools: The reply must be calls of these, at least one; then `json_schema` is not used.
        max_tokens: Most tokens of the reply.
        temperature: 0 is greedy.
        seed: For servers that sample.
        timeout_s: Most seconds until the reply is complete.
        urgency: Told to servers that can order their requests; it never changes the reply.
    """

    purpose: str
    prompt: str = ""
    messages: tuple[Message, ...]
    json_schema: Mapping[str, Any] | None = None
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: PositiveInt = 512
    temperature: NonNegativeFloat = 0.0
    seed: NonNegativeInt = 0
    timeout_s: PositiveFloat = 60.0
    urgency: Urgency = "routine"

    @property
    def key(self) -> str:
        """SHA-256 of what decides the reply: equal requests have equal keys.

        Not the timeout and not the urgency.
        """
        left_out = {"timeout_s", "urgency"} | (set() if self.tools else {"tools"})
        body = self.model_dump(mode="json", exclude=left_out)
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Usage(Frozen):
    """Tokens of one call."""

    prompt_tokens: NonNegativeInt = 0
    completion_tokens: NonNegativeInt = 0
    cached_tokens: NonNegativeInt = 0


class ModelIdentity(Frozen):
    """Which model answers, as far as it can be told: part of the provenance.

    Args:
        name: As the server names it.
        server: Kind and version of the server, where it says so.
        sha256: Of the weights, where we started the server ourselves.
    """

    name: str
    server: str = ""
    sha256: str | None = None


class ChatReply(Frozen):
    """What the model answered.

    Args:
        text: The reply as sent.
        data: The parsed reply, where a schema was asked for; it is valid under that schema.
        calls: Where tools were offered; at least one.
        usage: Tokens.
        seconds: Wall time of the call.
        finish: Why it ended: ``stop``, or ``length`` when it was cut.
        model: Which model really answered, where several could have; None for `LLM.identity`.
        backend: Name of the server that answered, where there are several.
        notice: What a reader must know of the model that answered, for example that another one
            had answered before in the same conversation.
    """

    text: str
    data: Any = None
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    seconds: NonNegativeFloat = 0.0
    finish: str = "stop"
    model: ModelIdentity | None = Field(default=None, exclude_if=lambda found: found is None)
    backend: str = Field(default="", exclude_if=lambda found: not found)
    notice: str = Field(default="", exclude_if=lambda found: not found)


class Exchange(Frozen):
    """One recorded call, which replays the case without the model.

    Args:
        key: `ChatRequest.key`.
        purpose: As in the request.
        prompt: As in the request.
        reply: What came back; None where the call failed.
        error: Class and message of the failure, where it failed.
        model: Which model was asked; None where the recorder does not say.
    """

    key: str
    purpose: str
    prompt: str = ""
    reply: ChatReply | None = None
    error: str = ""
    model: ModelIdentity | None = None


class LLM(Protocol):
    """A language model behind any server."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        ...

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply.

        Raises:
            LLMDownError: The endpoint could not be reached or broke.
            LLMTimeoutError: No complete reply within `ChatRequest.timeout_s`.
            LLMIncoherentError: A schema was asked for, and the reply is not valid under it.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the text of the reply as it comes; errors as in `chat`."""
        ...

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text: by the server where it can, else a stated upper estimate."""
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...


__all__ = [
    "LLM",
    "ChatReply",
    "ChatRequest",
    "Exchange",
    "Message",
    "ModelIdentity",
    "ToolCall",
    "ToolSpec",
    "Urgency",
    "Usage",
]
