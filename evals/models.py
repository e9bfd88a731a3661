"""Which language model an evaluation uses: none, a fake that tells the truth, or the configured."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from agent.llm.choice import Choice, llm_from
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest, ModelIdentity
from knowledge.settings import Settings

WhichLLM = Literal["none", "fake", "configured"]

_LINE = re.compile(r"^s(\d+): (.+)$", re.MULTILINE)
_FACT = re.compile(r"^s(\d+) facts: (.+)$", re.MULTILINE)


@asynccontextmanager
async def evaluated_llm(
    which: WhichLLM, settings: Settings, *, model: str | None = None
) -> AsyncIterator[Choice]:
    """Give the model under test while the block lasts, or the reason why there is none.

    Args:
        which: None, the fake one, or the configured one.
        settings: Which is configured.
        model: One model of the configured pool, approved or not, and no other.

    Raises:
        InvalidValueError: The pool has no such model, or there is no pool.
    """
    if model is not None:
        from agent.llm.pool.caller import Caller
        from agent.llm.pool.opening import pool_of_candidate
        from agent.llm.pool.pooled import PooledLLM

        pool = pool_of_candidate(settings, model)
        try:
            yield Choice(llm=PooledLLM(pool, Caller(patient_data=False)))
        finally:
            await pool.close()
    elif which == "none":
        yield Choice(llm=None, reason="not asked for (--llm none)")
    elif which == "fake":
        yield Choice(llm=honest_fake())
    else:
        async with llm_from(settings) as choice:
            yield choice


def honest_fake() -> FakeLLM:
    """Return a model that asks for everything it is offered and repeats the facts as they are.

    It shows that an evaluation runs and what a perfect scribe would score; it is no model.
    """
    return FakeLLM(_honest, identity=ModelIdentity(name="honest fake", server="fake"))


def _honest(request: ChatRequest) -> dict[str, Any] | str:
    schema = request.json_schema
    if schema is None:
        return "Not in the record."
    if request.purpose in ("write", "revise"):
        pattern = _LINE if request.purpose == "write" else _FACT
        # The facts of the case come last, after the example of the prompt.
        told = {f"s{n}": text for n, text in pattern.findall(request.messages[-1].content)}
        return {key: told.get(key, "-") for key in schema["properties"]}
    answer: dict[str, Any] = _least(schema, request.purpose)
    return answer


def _least(part: Mapping[str, Any], key: str) -> Any:
    """Return the plainest value: every offered tool on its first id, nothing else.

    Of several shapes it is the last: an answer that gives up rather than a call of a function.
    """
    if key == "calls" and part.get("type") == "object":
        return {name: _first(ids) for name, ids in part["properties"].items()}
    match part:
        case {"anyOf": [*_, last]} | {"oneOf": [*_, last]}:
            return _least(last, key)
        case {"const": only}:
            return only
        case {"enum": [*choices]}:
            return choices[-1]
        case {"type": "array"}:
            return [_least(part.get("items", {}), key)] * part.get("minItems", 0)
        case {"type": "integer" | "number"}:
            return part.get("minimum", 0)
        case {"type": "boolean"}:
            return False
        case {"type": "object"}:
            return {name: _least(one, name) for name, one in part.get("properties", {}).items()}
        case _:
            return "-"


def _first(part: dict[str, Any]) -> list[str]:
    return list(part.get("items", {}).get("enum", ()))[:1]
