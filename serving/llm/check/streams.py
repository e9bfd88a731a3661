"""Whether replies come piece by piece, whole at the end, and in Chinese."""

from typing import Any

import orjson

from serving.llm.check.answer import Streamed, count_of, quoted
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import COUNT, Subject

_CHINESE = "急性胸痛患者肌钙蛋白升高，心电图未见抬高。"  # noqa: RUF001
_BROKEN = "\ufffd"


async def streaming(subject: Subject) -> Found:
    """Find out whether a reply is streamed, ended properly and counted."""
    body = subject.body(COUNT, stream_options={"include_usage": True})
    answer = await subject.probe.stream(body)
    if answer.error:
        return no(answer.error)
    if problem := _not_whole(answer):
        return no(problem)
    if len(answer.times_ms) < 2:
        return no(
            f"the whole reply came in one piece after {answer.ms:.0f} ms",
            "a proxy that buffers: switch its buffering off",
        )
    counted = count_of(answer.usage, "completion_tokens")
    told = f"{counted} tokens stated at the end" if counted else "no counts at the end"
    first = answer.first_ms or 0.0
    return yes(f"{len(answer.times_ms)} pieces, the first after {first:.0f} ms; {told}")


async def chinese(subject: Subject) -> Found:
    """Find out whether Chinese comes through whole, in and out, also when streamed."""
    if subject.verdicts.get("schema") == "yes":
        asked = "Return the sentence of the schema."
        body = subject.body(asked, max_tokens=160, response_format=_only(_CHINESE))
        answer = await subject.probe.stream(body)
        if answer.error:
            return no(answer.error)
        if problem := _not_whole(answer):
            return no(problem)
        if _CHINESE in _unescaped(answer.text):
            return yes(f"{_CHINESE} came back whole in {len(answer.pieces)} pieces")
        return no(f"asked for {_CHINESE}, it said {quoted(answer.text)}")
    whole = await subject.probe.chat(subject.body(f"请原样重复：{_CHINESE}", max_tokens=64))  # noqa: RUF001
    if not whole.ok:
        return no(whole.refusal)
    if _BROKEN in whole.content:
        return no(f"characters are broken: {quoted(whole.content)}")
    if _CHINESE in whole.content:
        return yes(f"{_CHINESE} came back whole")
    return open_(f"the model did not repeat a Chinese sentence: {quoted(whole.content)}")


def _unescaped(text: str) -> str:
    r"""Return JSON with its characters as they are: ``\u6025`` is a whole one too."""
    try:
        return orjson.dumps(orjson.loads(text)).decode()
    except orjson.JSONDecodeError:
        return text


def _not_whole(answer: Streamed) -> str:
    if not answer.times_ms:
        return "a stream without any piece of a reply"
    if not answer.finish and not answer.done:
        return f"the stream broke off after {len(answer.times_ms)} pieces, without an end"
    if not answer.finish:
        return "the stream ended without saying why"
    if _BROKEN in answer.text:
        return "characters are broken between pieces"
    return ""


def _only(sentence: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "enum": [sentence]}},
        "required": ["text"],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "sentence", "strict": True, "schema": schema},
    }
