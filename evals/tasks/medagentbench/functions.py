"""The functions of the benchmark as an agent calls them, with a schema of each call."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from evals.outside_data import outside_file
from knowledge.model import Frozen

TASKS = "medagentbench/tasks-30.json"
FUNCTIONS = "medagentbench/funcs_v1.json"

FINISH = "finish"
_TITLE = re.compile(r"(?P<title>\w+\.\w+(?: \([^)]*\))?)")
_NOT_A_NAME = re.compile(r"\W+")
_PAGING: Mapping[str, str] = {
    "_count": "Entries of a page, at most 100; 10 if not given.",
    "_offset": "Entries to leave out, for the next page.",
    "_sort": 'Use "-date" for the newest first.',
}
"""Added to every search: the store pages its answers, as servers do."""


class Function(Frozen):
    """One function.

    Args:
        name: Unique, of letters and underscores.
        verb: Of HTTP.
        kind: Of the resource.
        about: First sentence of its description.
        arguments: JSON schema of its arguments.
    """

    name: str
    verb: Literal["GET", "POST"]
    kind: str
    about: str
    arguments: dict[str, Any]


def tasks() -> list[dict[str, Any]]:
    """Return the tasks of the benchmark.

    Raises:
        UnavailableError: They are not here.
    """
    found: list[dict[str, Any]] = orjson.loads(outside_file(TASKS).read_bytes())
    return found


def functions() -> tuple[Function, ...]:
    """Return the functions of the benchmark.

    Raises:
        UnavailableError: They are not here.
    """
    return tuple(_function(row) for row in orjson.loads(outside_file(FUNCTIONS).read_bytes()))


def turn_schema(offered: Sequence[Function]) -> dict[str, Any]:
    """Return the schema of one turn: one call, or the final answer."""
    calls = [_object({"function": {"enum": [f.name]}, "arguments": f.arguments}) for f in offered]
    answer = {
        "type": "array",
        "items": {"anyOf": [{"type": "number"}, {"type": "string", "maxLength": 200}]},
        "maxItems": 5,
    }
    return {"anyOf": [*calls, _object({"function": {"enum": [FINISH]}, "answer": answer})]}


def _function(row: Mapping[str, Any]) -> Function:
    verb, _, path = row["name"].partition(" ")
    title = _TITLE.match(row["description"])
    if title is None or verb not in ("GET", "POST"):
        raise ValueError(f"{row['name']} is no function of the benchmark")
    arguments = _closed(row["parameters"])
    if verb == "GET":
        more = {name: {"type": "string", "description": d} for name, d in _PAGING.items()}
        arguments["properties"] = {**arguments["properties"], **more}
    return Function(
        name=_NOT_A_NAME.sub("_", title["title"]).strip("_"),
        verb="GET" if verb == "GET" else "POST",
        kind=path.rpartition("/")[2],
        about=row["description"][title.end() :].strip().partition(". ")[0][:200],
        arguments=arguments,
    )


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema whose objects take no other keys, and whose lists are short."""
    closed = dict(schema)
    if closed.get("type") == "object":
        closed["properties"] = {k: _closed(v) for k, v in closed.get("properties", {}).items()}
        closed["additionalProperties"] = False
    elif closed.get("type") == "array":
        closed["items"] = _closed(closed["items"])
        closed["maxItems"] = 3
    elif closed.get("type") == "string":
        closed["maxLength"] = 400
    return closed


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
