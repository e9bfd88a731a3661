"""Where servers differ: what is sent to each, and what its answers look like.

Everything else of the client is the same for vLLM, the llama.cpp server and other gateways.

================  ==========================  ===========================  =====================
                  vLLM                        llama.cpp                    any other
================  ==========================  ===========================  =====================
told by           ``/version``                ``/props``                   neither
JSON schema       ``response_format``         ``response_format``          ``response_format``,
                                                                           in the prompt where
                                                                           that is refused
token counts      ``/tokenize`` of ``prompt`` ``/tokenize`` of ``content`` upper estimate
context           ``max_model_len``           ``n_ctx``                    unknown
cached tokens     with a flag of the server   always                       where it says so
calls of tools    ``tools``, strict           by a JSON schema             by a JSON schema
urgency           ``priority``, with a flag   not known: by arrival        not known: by arrival
                  of the server
================  ==========================  ===========================  =====================
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import orjson
from pydantic import PositiveInt

from agent.llm.errors import LLMDownError, LLMIncoherentError, LLMMalformedError, LLMSilentError
from agent.llm.seam import ChatRequest, Message, Urgency, Usage
from agent.llm.tool_calls import tools_body
from knowledge.model import Frozen

Order = Literal["urgency", "arrival"]

_PRIORITY: dict[Urgency, int] = {"emergency": -10, "routine": 0, "batch": 10}
"""vLLM answers lower numbers first, and takes 0 where none is sent: as other clients of it do."""
_ITEM = "language model"
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_NAME = re.compile(r"[\w.~/\\:@+=-]{1,200}")
"""What a server may call a model or a version: a word, since it stands in reports."""
_OPEN_THOUGHT = re.compile(r"\A\s*<think>")


class Dialect(Frozen):
    """How one server speaks.

    Args:
        kind: Which family.
        version: As the server says it; empty where it does not.
        model: Name of the model in requests.
        context_tokens: Most tokens of prompt and reply together, where the server says it.
        schema_in: Where a JSON schema goes.
        order: What its waiting requests are told apart by, as far as a request can ask for it:
            vLLM keeps to the urgency only if it was started with priority scheduling.
        listed: Every name the server lists; empty where it lists none.
    """

    kind: Literal["vllm", "llama.cpp", "other"] = "other"
    version: str = ""
    model: str
    context_tokens: PositiveInt | None = None
    schema_in: Literal["response_format", "prompt"] = "response_format"
    order: Order = "arrival"
    listed: tuple[str, ...] = ()

    @property
    def takes_tools(self) -> bool:
        """Whether tools are offered by the server's own API: only where it enforces the call."""
        return self.kind == "vllm"

    @property
    def server(self) -> str:
        """Kind and version, for the provenance."""
        kind = "OpenAI-compatible" if self.kind == "other" else self.kind
        return f"{kind} {self.version}".strip()

    @property
    def counts_tokens(self) -> bool:
        """Whether the server counts tokens."""
        return self.kind != "other"


def recognise(
    *, version: Any, props: Any, models: Any, wanted: str | None, host: str
) -> Dialect:  # fmt: skip
    """Return the dialect of a server from its answers; None stands for no answer.

    Args:
        version: Answer of ``/version``.
        props: Answer of ``/props``.
        models: Answer of ``/v1/models``.
        wanted: The configured model.
        host: For messages.

    Raises:
        LLMDownError: No model is configured, and the server does not name exactly one.
    """
    listed = _listed(models, wanted)
    if wanted is None and len(listed) != 1:
        raise LLMDownError(
            f"language model at {host}",
            f"names {len(listed)} models, and none is configured",
            "set EPICRISIS_LLM_MODEL",
        )
    name = wanted or next(iter(listed))
    entry = listed.get(name, {})
    if isinstance(props, dict) and "default_generation_settings" in props:
        settings = props["default_generation_settings"]
        context = settings.get("n_ctx") if isinstance(settings, dict) else None
        build = props.get("build_info")
        return Dialect(
            kind="llama.cpp",
            version=_word(build) or "",
            model=name,
            context_tokens=_positive(context),
            listed=tuple(listed),
        )
    if isinstance(version, dict) and isinstance(version.get("version"), str):
        return Dialect(
            kind="vllm",
            version=_word(version["version"]) or "",
            model=name,
            context_tokens=_positive(entry.get("max_model_len")),
            order="urgency",
            listed=tuple(listed),
        )
    return Dialect(
        model=name,
        context_tokens=_positive(entry.get("max_model_len")),
        listed=tuple(listed),
    )


def chat_body(request: ChatRequest, dialect: Dialect, *, stream: bool) -> dict[str, Any]:
    """Return the body of a chat request."""
    messages = request.messages
    if request.json_schema is not None and dialect.schema_in == "prompt":
        messages = _with_schema(messages, request.json_schema)
    body: dict[str, Any] = {
        "model": dialect.model,
        "messages": [message.model_dump() for message in messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stream": stream,
    }
    if request.json_schema is not None and dialect.schema_in == "response_format":
        named: dict[str, Any] = {"name": request.purpose, "schema": dict(request.json_schema)}
        if dialect.kind != "other":
            named["strict"] = True
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if request.tools:
        body |= tools_body(request.tools)
    if dialect.order == "urgency" and request.urgency != "routine":
        body["priority"] = _PRIORITY[request.urgency]
    return body


def tokenize_body(text: str, dialect: Dialect) -> dict[str, Any]:
    """Return the body of a request to count the tokens of a text."""
    if dialect.kind == "vllm":
        return {"model": dialect.model, "prompt": text, "add_special_tokens": False}
    return {"content": text, "add_special": False}


def tokens_counted(answer: Any) -> int | None:
    """Return the count in an answer to `tokenize_body`, or None if there is none."""
    if not isinstance(answer, dict):
        return None
    count, tokens = answer.get("count"), answer.get("tokens")
    if isinstance(count, int) and count >= 0:
        return count
    return len(tokens) if isinstance(tokens, list) else None


def reply_of(answer: Any, *, calls: bool = False) -> tuple[str, str, Usage]:
    """Return text, finish reason and usage of a whole chat answer.

    Args:
        answer: Of the server.
        calls: Whether calls of tools were asked for, so that there need be no text.

    Raises:
        LLMMalformedError: It has not the form of a chat answer.
        LLMIncoherentError: It was withheld.
        LLMSilentError: It says nothing.
    """
    match answer:
        case {"choices": [{"message": dict(message), **choice}, *_]}:
            text = spoken(_content(message))
        case _:
            raise LLMMalformedError(_ITEM, "answered in another form than a chat completion")
    finish = _finish(choice.get("finish_reason"))
    if not text.strip() and not calls:
        raise LLMSilentError(_ITEM, finish)
    return text, finish, usage_of(answer)


def model_named(answer: Any) -> str | None:
    """Return the model that an answer or an event of a stream says it is of, where it says it."""
    said = answer.get("model") if isinstance(answer, dict) else None
    return said if isinstance(said, str) and said else None


def piece_of(event: Any) -> tuple[str, str | None]:
    """Return text and finish reason (None: goes on) of one event of a streamed answer.

    Raises:
        LLMDownError: The event reports a failure of the server.
        LLMMalformedError: It has not the form of a chat chunk.
    """
    match event:
        case {"error": _}:
            raise LLMDownError(_ITEM, "reported a failure in the middle of its reply")
        case {"choices": [{"delta": dict(delta), **choice}, *_]}:
            reason = choice.get("finish_reason")
            return _content(delta), None if reason is None else _finish(reason)
        case {"choices": []}:
            return "", None
        case _:
            raise LLMMalformedError(_ITEM, "streamed something other than chat chunks")


def spoken(text: str) -> str:
    """Return a reply without the thoughts some models put before it.

    Examples:
        >>> spoken("<think>let me see</think>Rise of troponin.")
        'Rise of troponin.'
    """
    if not _OPEN_THOUGHT.match(text):
        return text
    closed = _THOUGHT.match(text)
    return text[closed.end() :].lstrip() if closed else ""


class Speech:
    """What of a streamed reply is spoken: everything but a thought at its beginning."""

    def __init__(self) -> None:
        self._held = ""
        self._speaking = False

    def heard(self, piece: str) -> str:
        """Return what can be passed on after this piece.

        Examples:
            >>> speech = Speech()
            >>> [speech.heard(piece) for piece in ("<th", "ink>hm</think>", "Rise", ".")]
            ['', '', 'Rise', '.']
        """
        if self._speaking:
            return piece
        self._held += piece
        begun = self._held.lstrip()
        if "<think>".startswith(begun[: len("<think>")]) and not _THOUGHT.match(begun):
            return ""  # a thought that goes on, or what may become one
        said = spoken(self._held)
        self._speaking = bool(said)
        return said


def usage_of(answer: Mapping[str, Any]) -> Usage:
    """Return the tokens of an answer; what the server does not say is 0."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        prompt_tokens=_positive(usage.get("prompt_tokens")) or 0,
        completion_tokens=_positive(usage.get("completion_tokens")) or 0,
        cached_tokens=_positive(cached) or 0,
    )


def too_long(answer: Any) -> bool:
    """Return whether a refusal says that the prompt does not fit into the context.

    vLLM says so in words only; its message is looked at, and never shown.
    """
    error = answer.get("error", answer) if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return False
    marks = f"{error.get('type')} {error.get('code')} {error.get('message')}"
    return any(
        mark in marks
        for mark in ("exceed_context_size", "context_length_exceeded", "maximum context length")
    )


def _listed(models: Any, wanted: str | None) -> dict[str, dict[str, Any]]:
    match models:
        case {"data": list(entries)}:
            return {
                entry["id"]: entry
                for entry in entries
                if isinstance(entry, dict)
                and (_word(entry.get("id")) or (wanted and entry.get("id") == wanted))
            }
        case _:
            return {}


def is_word(value: str) -> bool:
    """Return whether a server may call something so in a report."""
    return _NAME.fullmatch(value) is not None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and is_word(value) else None


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _finish(reason: Any) -> str:
    if reason in ("stop", "length", "tool_calls", None):
        return "length" if reason == "length" else "stop"
    if reason == "content_filter":
        raise LLMIncoherentError(_ITEM, "withheld its reply (content filter)")
    return "other"


def _with_schema(
    messages: tuple[Message, ...], schema: Mapping[str, Any]
) -> tuple[Message, ...]:  # fmt: skip
    rule = f"Answer with JSON only, valid under this schema: {orjson.dumps(schema).decode()}"
    if messages and messages[0].role == "system":
        first = Message(role="system", content=f"{messages[0].content}\n\n{rule}")
        return (first, *messages[1:])
    return (Message(role="system", content=rule), *messages)


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
