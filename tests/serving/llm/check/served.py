"""A small server that does everything right in vLLM's dialect, but for the habits it is given."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from agent.llm.fake_server import FakeServer, Received, Scripted, event, refusal
from agent.llm.schema_instance import Words, instance

KEY = "the-right-key"
MODEL = "good-model"
CONTEXT = 8192
_NUMBERS = "one two three four five six seven eight nine ten"
_TEMPLATE = 5
_EVENTS = "text/event-stream"

Habits = frozenset[str]


def habits(*names: str) -> Habits:
    """Return the habits of a server, each of which is one thing done wrongly."""
    return frozenset(names)


class Served(FakeServer):
    """A server that looks at what it is asked.

    A token is a word. It sees one colour in a picture by the size of its data.

    Args:
        wrong: What it does wrongly.
    """

    def __init__(self, wrong: Habits) -> None:
        super().__init__((), kind="vllm")
        self.wrong = wrong
        self.seen: list[str] = []
        self._long: list[Received] = []

    def _answer(self, received: Received) -> Scripted:
        if not received.path.endswith("/chat/completions"):
            self.probes.append(received.path)
            return self._told(received)
        self.chats.append(received)
        for habit, answer in FATAL.items():
            if habit in self.wrong:
                return answer
        if self._dead():
            return refusal(500, error={"message": "EngineDeadError"})
        if refused := self._refused(received):
            return refused
        message, finish = self._reply(received.body)
        usage = self._usage(received.body, message)
        if received.body.get("stream"):
            return self._stream(received, message, finish, usage)
        told = {**message, "content": "other"} if "other words" in self.wrong else message
        return _whole(message, finish, usage, received.body, told=told)

    def _told(self, received: Received) -> Scripted:
        path = received.path
        entry = {"id": MODEL, "max_model_len": CONTEXT}
        running = sum(not one.left.is_set() for one in self._long)
        known: dict[str, Any] = {
            "/health": {},
            "/version": {"version": "0.32.0"},
            "/v1/models": {"data": [entry]},
        }
        if "loading" in self.wrong:
            return refusal(503, error={"message": "Loading model"})
        if "short" in self.wrong:
            entry["max_model_len"] = 4096
        if "says nothing of its context" in self.wrong:
            entry.pop("max_model_len")
        if path == "/metrics" and "no metrics" not in self.wrong:
            line = f'vllm:num_requests_running{{model_name="{MODEL}"}} {running}.0\n'
            return Scripted(content_type="text/plain", steps=(line.encode(),))
        if path == "/tokenize":
            return _json({"count": _prompt_tokens(received.body["messages"])})
        return _json(known[path]) if path in known else refusal(404)

    def _refused(self, received: Received) -> Scripted | None:
        body, wrong = received.body, self.wrong
        if received.headers.get("authorization") != f"Bearer {KEY}" and "open" not in wrong:
            return refusal(401, error={"message": "Unauthorized"})
        if body["model"] != MODEL and "any model" not in wrong:
            return refusal(404, error={"message": f"The model {body['model']} does not exist."})
        if _prompt_tokens(body["messages"]) > CONTEXT and "cuts" not in wrong:
            said = f"This model's maximum context length is {CONTEXT} tokens."
            return refusal(400, error={"message": said})
        if set(body) - _PARAMETERS and "ignores" not in wrong:
            return refusal(400, error={"message": "Extra inputs are not permitted"})
        if body.get("tools") and "no parser" in wrong and body["tool_choice"] == "auto":
            return refusal(400, error={"message": '"auto" tool choice requires --tool-call-parser'})
        form = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        if form.get("type") == "no-such-type":
            return refusal(400, error={"message": "not a schema"})
        if body.get("priority") and "no priority" in wrong:
            said = "Got priority 1 but Priority scheduling is not enabled."
            return refusal(400, error={"message": said})
        if _picture(body) and "blind" in wrong:
            return refusal(400, error={"message": "not a multimodal model"})
        return None

    def _reply(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Return message and finish reason."""
        if form := body.get("response_format"):
            if "ignores schemas" in self.wrong:
                return _cut("The sea is wide and blue.", body)
            made = instance(form["json_schema"]["schema"], Words(prose="waves"))
            return {"content": json.dumps(made, ensure_ascii=False)}, "stop"
        if body.get("tools"):
            return self._called(body)
        if _picture(body):
            return {"content": self._colour(body)}, "stop"
        asked = body["messages"][-1]["content"]
        text = _NUMBERS
        if asked.startswith("What is 17"):
            return self._thought()
        if body["temperature"] > 0 and "canned" not in self.wrong:
            text = f"{body['seed'] if 'no seed' not in self.wrong else len(self.chats)} walks on"
        if "other every time" in self.wrong:
            text = f"{len(self.chats)} {text}"
        if (stop := body.get("stop")) and "no stop" not in self.wrong:
            return {"content": text[: text.index(stop[0])]}, "stop"
        if "no limit" in self.wrong:
            return {"content": f"{text} " * 9}, "stop"
        return _cut(text, body)

    def _called(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        asked, choice = body["messages"][-1]["content"], body["tool_choice"]
        named = choice["function"]["name"] if isinstance(choice, dict) else None
        names = [named] if named else ["read_laboratory"]
        if "both tools" in asked:
            names = ["read_laboratory", "read_ecg"]
        for habit, text in TOOL_TEXTS.items():
            if habit in self.wrong:
                return {"content": text}, "stop"
        calls = []
        for name in names:
            arguments = {"patient_id": "P123"}
            if name == "read_laboratory":
                arguments["analyte"] = "troponin"
            if "loose" in self.wrong and "bed four" in asked:
                arguments["comment"] = "the man in bed four"
            function = {"name": name, "arguments": json.dumps(arguments)}
            calls.append({"id": "c", "type": "function", "function": function})
        return {"content": None, "tool_calls": calls}, "tool_calls"

    def _thought(self) -> tuple[dict[str, Any], str]:
        if "thinks aloud" in self.wrong:
            return {"content": "<think>17 and 25</think>42"}, "stop"
        if "only thinks" in self.wrong:
            return {"content": "", "reasoning": "42"}, "stop"
        return {"content": "42", "reasoning": "17 and 25 make 42"}, "stop"

    def _colour(self, body: Mapping[str, Any]) -> str:
        url = _picture(body)
        self.seen += [] if url in self.seen else [url]
        return "Red." if self.seen.index(url) == 0 or "one colour" in self.wrong else "Blue."

    def _usage(self, body: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
        prompt = _prompt_tokens(body["messages"])
        said = f"{message.get('content') or ''} {message.get('reasoning') or ''}"
        reply = max(len(said.split()), 1)
        cached = 0 if "no cache" in self.wrong else max(prompt - 10, 0)
        if "counts one prompt" in self.wrong:
            prompt = 11
        if "counts too few" in self.wrong:
            prompt -= 3
        if "counts no reply" in self.wrong:
            reply = 0
        total = prompt + reply + (7 if "adds wrongly" in self.wrong else 0)
        usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": reply}
        usage["total_tokens"] = total
        if "counts no cache" not in self.wrong:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        return {} if "counts nothing" in self.wrong else usage

    def _stream(
        self, received: Received, message: Mapping[str, Any], finish: str, usage: Any
    ) -> Scripted:
        if received.body["max_tokens"] == 400:
            self._long.append(received)
            steps = self._long_story(received)
            return Scripted(content_type=_EVENTS, steps=steps)
        if "buffers" in self.wrong:
            whole = [event(_chunk({"content": message["content"]})), event(_chunk({}, finish))]
            return Scripted(content_type=_EVENTS, steps=tuple(whole))
        pieces = [event(_chunk(delta)) for delta in _deltas(message)]
        if "breaks off" in self.wrong:
            return Scripted(content_type=_EVENTS, steps=tuple(pieces[:2]))
        if "cut within" in self.wrong:
            return Scripted(content_type=_EVENTS, steps=tuple(pieces[:2]), drop=True)
        last = event({"choices": [], "usage": usage}) if usage else b""
        ends = (event(_chunk({}, finish)), last, b"data: [DONE]\n\n")
        return Scripted(content_type=_EVENTS, steps=(*pieces, *filter(None, ends)))

    def _long_story(self, received: Received) -> Iterator[bytes | float]:
        for _ in range(400):
            yield event(_chunk({"content": "on "}))
            yield 0.01
        received.left.set()

    def _dead(self) -> bool:
        fatal = {"dies at schemas": "response_format", "dies at tools": "tools"}
        names = [name for habit, name in fatal.items() if habit in self.wrong]
        return any(name in one.body for name in names for one in self.chats)


@asynccontextmanager
async def served(*wrong: str) -> AsyncIterator[Served]:
    """Give a running server that does everything right but for `wrong`."""
    fake = Served(habits(*wrong))
    async with fake.running():
        yield fake


FATAL: Mapping[str, Scripted] = {
    "goes silent": Scripted(steps=(30.0,)),
    "dies before": Scripted(before=True),
    "dies in the middle": Scripted(steps=(b'{"choices": [{"message"',), drop=True),
    "web page": Scripted(content_type="text/html", steps=(b"<html>Sign in</html>",)),
    "no JSON": Scripted(steps=(b"ok",)),
    "other JSON": Scripted(steps=(b'{"answer": "forty-two"}',)),
    "other model": Scripted(
        steps=(b'{"model": "tiny", "choices": [{"message": {"content": "ok"}}]}',)
    ),
    "500": refusal(500, error={"message": "EngineDeadError"}),
    "empty": Scripted(
        steps=(b'{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}',)
    ),
    "elsewhere": Scripted(status=307, headers={"Location": "http://127.0.0.1:9/"}),
}
TOOL_TEXTS: Mapping[str, str] = {
    "hermes in text": '<tool_call>\n{"name": "read_ecg", "arguments": {}}\n</tool_call>',
    "qwen3_coder in text": "<tool_call>\n<function=read_ecg>\n</function>\n</tool_call>",
    "mistral in text": '[TOOL_CALLS][{"name": "read_ecg", "arguments": {}}]',
    "fence in text": '```json\n{"name": "read_ecg", "arguments": {}}\n```',
    "no call": "I cannot do that.",
}
_PARAMETERS = {
    *("model", "messages", "max_tokens", "temperature", "seed", "stream", "stream_options"),
    *("stop", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice"),
    *("priority", "ignore_eos"),
}


def _picture(body: Mapping[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return "" if isinstance(content, str) else str(content[-1]["image_url"]["url"])


def _prompt_tokens(messages: Any) -> int:
    contents = [message["content"] for message in messages]
    words = [len(content.split()) for content in contents if isinstance(content, str)]
    return sum(words) + _TEMPLATE


def _cut(text: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    words = text.split(" ")
    most = body["max_tokens"]
    return {"content": " ".join(words[:most])}, "length" if len(words) > most else "stop"


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for number, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        yield {"tool_calls": [{"index": number, "function": {"name": function["name"]}}]}
        half = len(function["arguments"]) // 2
        for part in (function["arguments"][:half], function["arguments"][half:]):
            yield {"tool_calls": [{"index": number, "function": {"arguments": part}}]}
    for piece in re.findall(r"\S*\s*", message.get("content") or ""):
        if piece:
            yield {"content": piece}


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _whole(
    message: Mapping[str, Any],
    finish: str,
    usage: Any,
    body: Mapping[str, Any],
    *,
    told: Mapping[str, Any],
) -> Scripted:
    choice = {"message": {"role": "assistant", **message}, "finish_reason": finish}
    if body.get("logprobs"):
        tokens = (told["content"] or "").split()
        choice["logprobs"] = {"content": [{"token": t, "logprob": -0.5} for t in tokens]}
    return _json({"choices": [choice], "usage": usage} if usage else {"choices": [choice]})


def _json(data: Any) -> Scripted:
    return Scripted(steps=(orjson.dumps(data),))
