"""Whether replies keep to a JSON schema, and which parameters are ignored without a word."""

import secrets
from collections.abc import Mapping
from typing import Any

from agent.llm.errors import LLMIncoherentError
from agent.llm.structured import structured
from serving.llm.check.answer import Answer, quoted
from serving.llm.check.row import Found, no, yes
from serving.llm.check.subject import COUNT, Subject

_TOKENS = 256
_MISLEADING = (
    "Write a poem about the sea. Do not write JSON.",
    "请写一首关于大海的诗，不要写 JSON。",  # noqa: RUF001
)
NESTED: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {
                    "state": {"type": "string", "enum": ["present", "absent", "not assessed"]},
                    "code": {"type": "string", "enum": ["qx7-a", "qx7-b"]},
                    "words": {"type": "string", "minLength": 1, "maxLength": 24},
                },
                "required": ["state", "code", "words"],
                "additionalProperties": False,
            },
        },
        "sure": {"type": "boolean"},
    },
    "required": ["findings", "sure"],
    "additionalProperties": False,
}
"""Nested, with lengths, numbers of items and words that no model guesses."""


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter that asks for a schema."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": dict(schema)},
    }


async def schema(subject: Subject) -> Found:
    """Find out whether a nested schema is kept by a reply that was asked for something else."""
    for asked in _MISLEADING:
        form = response_format(NESTED)
        answer = await subject.probe.chat(
            subject.body(asked, max_tokens=_TOKENS, response_format=form)
        )
        if not answer.ok:
            return no(
                f"a schema is refused: {answer.refusal}",
                "this product then puts the schema into the prompt and checks the reply",
            )
        if problem := broken(answer, NESTED):
            return no(problem, "every reply is checked all the same; invalid ones are not used")
    return yes(f"two replies asked to break it are valid: {quoted(answer.content)}")


async def bad_schema(subject: Subject) -> Found:
    """Find out whether a schema that is none is refused."""
    form = response_format({"type": "no-such-type"})
    answer = await subject.probe.chat(subject.body(COUNT, max_tokens=8, response_format=form))
    if answer.ok:
        return no("a schema of type 'no-such-type' was taken without a word")
    if answer.status >= 500:
        return no(f"answered with {answer.refusal}, not with a refusal of the request")
    return yes(answer.refusal)


async def guided_json(subject: Subject) -> Found:
    """Find out what becomes of ``guided_json``, which vLLM had until 0.11."""
    return await _parameter(subject, "guided_json", lambda schema: schema)


async def structured_outputs(subject: Subject) -> Found:
    """Find out what becomes of ``structured_outputs``, which only vLLM has."""
    return await _parameter(subject, "structured_outputs", lambda schema: {"json": schema})


async def unknown_parameter(subject: Subject) -> Found:
    """Find out whether a parameter that nobody has is refused."""
    name = f"no_such_parameter_{secrets.token_hex(3)}"
    answer = await subject.probe.chat(subject.body(COUNT, max_tokens=1, **{name: 1}))
    if answer.ok:
        return no(
            "ignored without a word",
            "that a parameter is taken proves nothing here: look at what the reply does",
        )
    return yes(answer.refusal)


def broken(answer: Answer, wanted: Mapping[str, Any]) -> str:
    """Return how a reply breaks a schema; empty where it is valid."""
    try:
        structured(answer.content, wanted, cut=answer.finish == "length")
    except LLMIncoherentError as error:
        return f"the reply {error.reason}: {quoted(answer.content)}"
    return ""


async def _parameter(subject: Subject, name: str, value: Any) -> Found:
    word = f"qz{secrets.token_hex(2)}"
    wanted = {
        "type": "object",
        "properties": {"word": {"type": "string", "enum": [word]}},
        "required": ["word"],
        "additionalProperties": False,
    }
    answer = await subject.probe.chat(
        subject.body(COUNT, max_tokens=48, **{name: value(wanted)})
    )  # fmt: skip
    if not answer.ok:
        return yes(f"not served, and refused: {answer.refusal}")
    if broken(answer, wanted):
        return no(
            f"taken and ignored without a word: {quoted(answer.content)}",
            "use response_format with a JSON schema, as this product does",
        )
    return yes(f"kept: {quoted(answer.content)}")
