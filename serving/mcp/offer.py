"""What is offered to an MCP client: a name, a contract, and a function from JSON to JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from agent.assessment import RESEARCH_USE
from knowledge.errors import InvalidValueError
from knowledge.plain_text import visible

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One tool as an MCP client sees it; it reads and computes, and changes nothing.

    Args:
        name: Unique.
        title: To show.
        description: What it returns, needs and refuses.
        input_schema: JSON schema of the arguments.
        output_schema: JSON schema of `result`; what a client gets is `wrapped` around it.
        run: From arguments to `result`; raises `EpicrisisError` where there is none.
    """

    name: str
    title: str
    description: str
    input_schema: Json
    output_schema: Json
    run: Callable[[Mapping[str, Any]], Json]


def wrapped(result: Json) -> Json:
    """Return a result as a client gets it: beside the notice of research use."""
    return {"result": result, "notice": RESEARCH_USE}


def wrapped_schema(schema: Json) -> Json:
    """Return the JSON schema of a wrapped result."""
    body = {key: value for key, value in schema.items() if key != "$defs"}
    found: Json = {
        "type": "object",
        "properties": {"result": body, "notice": {"type": "string"}},
        "required": ["result", "notice"],
        "additionalProperties": False,
    }
    if "$defs" in schema:
        found["$defs"] = schema["$defs"]
    return found


def parsed(model: type[M], arguments: Mapping[str, Any], *, tool: str) -> M:
    """Return the arguments of a call by their types.

    Raises:
        InvalidValueError: An argument is unknown, missing or of another type.
    """
    unknown = sorted(set(arguments) - set(model.model_fields))
    if unknown:
        raise InvalidValueError(
            f"{tool}: {visible(unknown[0])[:80]}",
            "there is no such argument",
            f"known are {', '.join(model.model_fields)}",
        )
    try:
        return model.model_validate_json(orjson.dumps(dict(arguments)))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValueError(
            f"{tool}: {visible(where)}", visible(first["msg"]), "see the input schema of the tool"
        ) from error


def closed(schema: Json) -> Json:
    """Return the JSON schema of arguments with unknown ones refused."""
    return {**schema, "additionalProperties": False}
