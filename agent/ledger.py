"""Every tool call of one case, once: what has been run is looked up, what has not is asked for.

The pathway is a plain function from calls to results. With a ledger its calls can be made somewhere
else (in parallel, in another process, before a crash) and the function is simply run again: a call
whose key is in the ledger costs nothing, and a complete ledger gives the assessment without running
any tool.
"""

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter

from agent.called import Called, guarded
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from tools.ecg.model import EcgRecording
from tools.imaging.in_case.model import StudyImages
from tools.toolbox import Tool, discover

_WAITS = NotAssessed(why=Why.DEPENDS, detail="waits for another tool")


class Entry(Frozen):
    """One call that was made.

    Args:
        key: Hash of tool, version and arguments.
        tool: Name.
        version: Of the tool.
        result: Its result as JSON; None where there is none.
        problem: Why there is no result.
        seconds: Wall time of the call.
    """

    key: str
    tool: str
    version: str
    result: Any = None
    problem: NotAssessed | None = None
    seconds: float = 0.0

    def called(self) -> Called:
        """Return the call's outcome with its result as a value of the tool's result type."""
        if self.problem is not None:
            return Called(problem=self.problem, seconds=self.seconds)
        annotation = inspect.signature(
            discover()[self.tool].function, eval_str=True
        ).return_annotation
        result = TypeAdapter(annotation).validate_json(orjson.dumps(self.result))
        return Called(result=result, seconds=self.seconds)


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """A call that is to be made."""

    key: str
    tool: Tool[..., Any]
    arguments: Mapping[str, Any]

    def make(self) -> Entry:
        """Make the call and return what came of it."""
        called = guarded(self.tool.name, lambda: self.tool(**self.arguments))
        return entry_of(self.key, self.tool, called)


class Waiting(Exception):
    """The pathway cannot go on before these calls are made."""

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        self.wanted = tuple(wanted)
        super().__init__(", ".join(w.tool.name for w in self.wanted))


class Ledger:
    """The calls of one case.

    Args:
        entries: Calls that were made before, for example before a crash.
        ask: Collect missing calls in `wanted` instead of making them.
    """

    def __init__(self, entries: Iterable[Entry] = (), *, ask: bool = False) -> None:
        self.entries = {entry.key: entry for entry in entries}
        self.ask = ask
        self.wanted: dict[str, Wanted] = {}

    def call(self, tool: Tool[..., Any], arguments: Mapping[str, Any]) -> Called:
        """Return the outcome of a call: recorded, made now, or noted as wanted."""
        key = call_key(tool, arguments)
        entry = self.entries.get(key)
        if entry is not None:
            return entry.called()
        wanted = Wanted(key=key, tool=tool, arguments=arguments)
        if self.ask:
            self.wanted[key] = wanted
            return Called(problem=_WAITS)
        self.entries[key] = made = wanted.make()
        return made.called()

    def settle(self) -> None:
        """Go on only where nothing is waited for.

        Raises:
            Waiting: Calls are to be made first.
        """
        if self.wanted:
            raise Waiting(self.wanted.values())


def entry_of(key: str, tool: Tool[..., Any], called: Called) -> Entry:
    """Return the record of a call."""
    result = None if called.result is None else called.result.model_dump(mode="json")
    return Entry(
        key=key,
        tool=tool.name,
        version=tool.version,
        result=result,
        problem=called.problem,
        seconds=round(called.seconds, 6),
    )


def call_key(tool: Tool[..., Any], arguments: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a tool, its version and its arguments: equal calls, equal keys."""
    body = [tool.name, tool.version, _canonical(arguments)]
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, EcgRecording):
        start = value.start.model_dump(mode="json") if value.start is not None else None
        return {"recording": value.id, "file": value.file, "start": start}
    if isinstance(value, StudyImages):
        return value.key()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
