"""What came back of one request: whole, or streamed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from knowledge.plain_text import visible

OK = 200
_QUOTED = 60
_MESSAGE = 160


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer.

    Args:
        status: HTTP status.
        data: Its JSON; None where a status other than 200 had none.
        text: Its body where it is no JSON, the beginning only.
        ms: From sending to the last byte.
    """

    status: int
    data: Any = None
    text: str = ""
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the status is 200."""
        return self.status == OK

    @property
    def message(self) -> Mapping[str, Any]:
        """The message of the first choice; empty where there is none."""
        match self.data:
            case {"choices": [{"message": dict(message)}, *_]}:
                return message
        return {}

    @property
    def content(self) -> str:
        """The text of the reply."""
        content = self.message.get("content")
        return content if isinstance(content, str) else ""

    @property
    def finish(self) -> str:
        """Why it ended, as the server says it."""
        match self.data:
            case {"choices": [{"finish_reason": str(reason)}, *_]}:
                return reason
        return ""

    @property
    def usage(self) -> Mapping[str, Any]:
        """The token counts as the server states them; empty where it does not."""
        usage = self.data.get("usage") if isinstance(self.data, dict) else None
        return usage if isinstance(usage, dict) else {}

    @property
    def refusal(self) -> str:
        """Status and message of an error answer, safe to show."""
        return f"status {self.status}{_error_message(self.data, self.text)}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a tool as the server handed it over.

    Args:
        name: Of the tool.
        arguments: JSON text.
    """

    name: str
    arguments: str


@dataclass(kw_only=True)
class Streamed:
    """A streamed answer, filled while it comes.

    Args:
        status: HTTP status.
        error: Status and message where it is not 200, or an error within the stream.
        pieces: Text, piece by piece.
        thoughts: The reasoning field, piece by piece.
        calls: Name and arguments of every tool call by its index.
        finish: Why it ended; empty where it did not say.
        usage: Token counts of the last event that had them.
        times_ms: When each event with text, thought or call came, from sending.
        ms: From sending to the end.
        done: Whether the closing ``[DONE]`` came.
    """

    status: int = OK
    error: str = ""
    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    times_ms: list[float] = field(default_factory=list)
    ms: float = 0.0
    done: bool = False

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def first_ms(self) -> float | None:
        """When the first of the reply came; None where nothing came."""
        return self.times_ms[0] if self.times_ms else None

    @property
    def tool_calls(self) -> tuple[Call, ...]:
        """The calls put together."""
        return tuple(
            Call(name=parts[0], arguments="".join(parts[1:]))
            for _, parts in sorted(self.calls.items())
        )


def calls_of(answer: Answer) -> tuple[Call, ...]:
    """Return the tool calls of a whole answer; what has not their form is left out."""
    listed = answer.message.get("tool_calls")
    found = []
    for entry in listed if isinstance(listed, list) else ():
        match entry:
            case {"function": {"name": str(name), "arguments": str(arguments)}}:
                found.append(Call(name=name, arguments=arguments))
    return tuple(found)


def thoughts_of(answer: Answer) -> str:
    """Return the reasoning field: vLLM's ``reasoning``, others' ``reasoning_content``."""
    for name in ("reasoning", "reasoning_content"):
        value = answer.message.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def quoted(text: str, most: int = _QUOTED) -> str:
    """Return the beginning of a text as a quotation, safe to show in one line.

    Examples:
        >>> quoted("one  two")
        '"one two"'
    """
    line = " ".join(visible(text).split())
    return f'"{line[:most]}..."' if len(line) > most else f'"{line}"'


def count_of(usage: Mapping[str, Any], name: str) -> int | None:
    """Return one token count, or None where it is not stated."""
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def cached_of(usage: Mapping[str, Any]) -> int | None:
    """Return the prompt tokens that came from the prefix cache, or None where not stated."""
    details = usage.get("prompt_tokens_details")
    return count_of(details, "cached_tokens") if isinstance(details, dict) else None


def _error_message(data: Any, text: str) -> str:
    message: Any = data
    for name in ("error", "message", "detail"):
        if isinstance(message, dict) and name in message:
            message = message[name]
    words = message if isinstance(message, str) else text
    return f", {quoted(words, _MESSAGE)}" if words else ", without a message"
