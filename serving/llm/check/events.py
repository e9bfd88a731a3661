"""One event of a streamed chat answer, put into what came so far."""

from collections.abc import Mapping
from typing import Any

import orjson

from serving.llm.check.answer import Streamed, quoted
from serving.llm.check.faults import FaultError

_LINE_BYTES = 1 << 20
_DONE = b"[DONE]"


def lines_of(pending: bytes, block: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines of what came, and the rest that is not yet a line.

    Raises:
        FaultError: A line that does not end.
    """
    *lines, rest = (pending + block).split(b"\n")
    if len(rest) > _LINE_BYTES:
        raise FaultError("endless", f"streamed a line of more than {_LINE_BYTES} bytes")
    return lines, rest


def taken(line: bytes, so_far: Streamed, at_ms: float) -> None:
    """Put one line of an event stream into `so_far`.

    Raises:
        FaultError: It is not JSON, or not a chat chunk.
    """
    if not line.startswith(b"data:"):
        return
    data = line[5:].strip()
    if data == _DONE:
        so_far.done = True
        return
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FaultError("not JSON", "streamed an event that is not JSON") from error
    if not isinstance(event, dict):
        raise FaultError("another form", "streamed something other than chat chunks")
    _event(event, so_far, at_ms)


def _event(event: Mapping[str, Any], so_far: Streamed, at_ms: float) -> None:
    if isinstance(event.get("usage"), dict):
        so_far.usage = event["usage"]
    match event:
        case {"error": error}:
            words = error.get("message") if isinstance(error, dict) else error
            so_far.error = f"an error within the stream, {quoted(str(words))}"
        case {"choices": [{"delta": dict(delta), **choice}, *_]}:
            if isinstance(reason := choice.get("finish_reason"), str):
                so_far.finish = reason
            if _delta(delta, so_far):
                so_far.times_ms.append(at_ms)
        case {"choices": []}:
            pass
        case _:
            raise FaultError("another form", "streamed something other than chat chunks")


def _delta(delta: Mapping[str, Any], so_far: Streamed) -> bool:
    """Put a delta into `so_far`; return whether it held anything of the reply."""
    held = False
    if isinstance(text := delta.get("content"), str) and text:
        so_far.pieces.append(text)
        held = True
    for name in ("reasoning", "reasoning_content"):
        if isinstance(thought := delta.get(name), str) and thought:
            so_far.thoughts.append(thought)
            held = True
            break  # some servers say it under both names
    calls = delta.get("tool_calls")
    for entry in calls if isinstance(calls, list) else ():
        held = _call(entry, so_far) or held
    return held


def _call(entry: Any, so_far: Streamed) -> bool:
    match entry:
        case {"function": dict(function)}:
            index = entry.get("index")
            place = index if isinstance(index, int) else len(so_far.calls)
            parts = so_far.calls.setdefault(place, [""])
            name, arguments = function.get("name"), function.get("arguments")
            if isinstance(name, str):
                parts[0] += name
            if isinstance(arguments, str):
                parts.append(arguments)
            return True
    return False
