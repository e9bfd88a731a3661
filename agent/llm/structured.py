"""The JSON of a reply, valid under its schema, or nothing.

Servers differ in how far they keep to a schema: some enforce it, some ignore it without a word.
So every reply is checked here, whoever sent it. The text of a reply never enters an error message.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema
import orjson
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from agent.llm.errors import LLMIncoherentError

_FENCE = re.compile(r"\A\s*```(?:json|JSON)?[ \t]*\n(?P<inner>.*)\n[ \t]*```\s*\Z", re.DOTALL)
_ITEM = "reply of the language model"


def structured(text: str, schema: Mapping[str, Any], *, cut: bool = False) -> Any:
    r"""Return the JSON of a reply as plain data, valid under `schema`.

    One fence of Markdown around the whole reply is taken off; nothing else is repaired.

    Args:
        text: The reply.
        schema: JSON Schema of the reply.
        cut: Whether the server says that it stopped at the token limit.

    Raises:
        LLMIncoherentError: Not JSON, not valid, or a number that JSON does not have.

    Examples:
        >>> structured('```json\n{"a": 1}\n```', {"type": "object", "required": ["a"]})
        {'a': 1}
    """
    fenced = _FENCE.match(text)
    inner = fenced["inner"] if fenced else text
    try:
        data = json.loads(
            inner,
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_no_key_twice,
        )
        orjson.dumps(data)  # no half characters, no integers beyond 64 bits
    except (ValueError, TypeError, RecursionError) as error:
        ended = "ended at the token limit before its JSON was complete" if cut else "is not JSON"
        raise LLMIncoherentError(_ITEM, ended) from error
    problem = next(iter(_validator(json.dumps(schema, sort_keys=True)).iter_errors(data)), None)
    if problem is not None:
        where = "/".join(str(part) for part in problem.absolute_schema_path)
        raise LLMIncoherentError(_ITEM, f"is not valid under the schema at {where}")
    return data


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise if `schema` is no JSON Schema.

    Raises:
        jsonschema.SchemaError: A mistake of the caller.
    """
    validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(dict(schema))


@lru_cache(maxsize=64)
def _validator(schema_json: str) -> Validator:
    schema = json.loads(schema_json)
    check_schema(schema)
    made: Validator = validator_for(schema, default=jsonschema.Draft202012Validator)(schema)
    return made


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    return value


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key given twice")
    return made
