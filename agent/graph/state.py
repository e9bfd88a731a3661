"""The state of a run as a checkpoint keeps it: plain JSON values, small.

Tool results and replies of the model are not here but in the journal; here is how far the run got.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langgraph.runtime import Runtime

from agent.graph.events import EventType
from agent.graph.journal import Journal, JournaledLLM
from agent.graph.request import Session
from agent.graph.view import View
from agent.llm.seam import LLM, Urgency
from agent.llm.urgent import Urgent


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, the newer value where both have one."""
    return {**old, **new}


class RunState(TypedDict, total=False):
    """How far a run got.

    Keys:
        run: Id of the run.
        request: The `RunRequest` as JSON.
        inputs_sha256: Hash of the case as it was read: a resumed run must find the same.
        degraded: Why the model is not used any more, first reason first.
        record: Parts of the `AgentRecord` as JSON, by field.
        wanted: Calls to make now: ``[{"key": ..., "tool": ...}]``.
        extra: Names of tools beyond the pathway that passed the guards.
        looked: Whether the look back was made.
        draft: The model's sentences before verification, as JSON.
        checked: What came of verification, as JSON.
        assessment: The assessment as JSON.
        signed: Who signed and when.
    """

    run: str
    request: dict[str, Any]
    inputs_sha256: str
    degraded: Annotated[list[str], operator.add]
    record: Annotated[dict[str, Any], merged]
    wanted: list[dict[str, str]]
    extra: list[str]
    looked: bool
    draft: dict[str, Any]
    checked: dict[str, Any]
    assessment: dict[str, Any]
    signed: str


class CallState(TypedDict):
    """What one tool task is given."""

    run: str
    key: str
    tool: str


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the nodes of one run share: the session and the journal."""

    session: Session
    journal: Journal
    _views: list[View] = field(default_factory=list, repr=False)

    def view(self) -> View:
        """Return the case as the model may see it, made once in this process."""
        if not self._views:
            self._views.append(View(self.session))
        return self._views[0]

    def llm(self, state: RunState) -> LLM | None:
        """Return the model with its journal and the urgency of this case, or None."""
        inner = self.session.limited_llm()
        if inner is None:
            return None
        return JournaledLLM(Urgent(inner, self.urgency(state)), self.journal)

    def urgency(self, state: RunState) -> Urgency:
        """Return how urgent this case's calls to the model are."""
        asked = self.session.request.urgency
        if asked == "batch" or not state.get("record", {}).get("red_flags"):
            return asked
        return "emergency"


def emit(runtime: Runtime[Context], kind: EventType, **data: Any) -> None:
    """Tell the outside what happened."""
    runtime.stream_writer({"type": kind.value, "data": data})
