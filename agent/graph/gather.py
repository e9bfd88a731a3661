"""The nodes that need no language model: intake, triage, and the tools of the pathway.

``act`` asks the pathway what it needs next, every wanted call is a task of its own, and ``act``
asks again: the policy floor is the pathway itself, not a list beside it.
"""

import asyncio
import hashlib
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Send

from agent.assess import refused_case
from agent.graph.events import EventType, facts_of
from agent.graph.request import Session
from agent.graph.state import CallState, Context, RunState, emit
from agent.ledger import Entry, Ledger, Wanted
from agent.triage import triage
from knowledge.errors import IdentityConflictError
from knowledge.finding import NotAssessed, Why
from knowledge.imaging_measures import imaging_measures
from tools.intake.result import InputFile


async def intake(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Read the case; two patients end the run here."""
    session = runtime.context.session
    session.observe("node", "intake")
    try:
        case = await asyncio.to_thread(session.case)
    except IdentityConflictError as error:
        assessment = refused_case(error, session.request.at or session.request.now)
        emit(runtime, EventType.CASE_REFUSED, reason=assessment.reason)
        return {"assessment": assessment.to_json()}
    emit(
        runtime,
        EventType.CASE_READ,
        case=case.case,
        files=[{"file": i.file, "status": i.status, "kind": i.kind} for i in case.inputs],
    )
    return {"inputs_sha256": inputs_hash(session.case().inputs)}


async def find_red_flags(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Look for what must be acted on at once, before any call to a model."""
    context = runtime.context
    context.session.observe("node", "triage")
    before = await context.journal.tool_calls()
    ledger = Ledger(before)
    found = await asyncio.to_thread(
        triage,
        context.session.case(),
        at=context.session.at,
        settings=context.session.settings,
        ledger=ledger,
    )
    known = {entry.key for entry in before}
    for key, entry in ledger.entries.items():
        if key not in known:
            context.session.observe("tool", entry.tool)
            await context.journal.add_tool_call(entry)
            emit(runtime, EventType.TOOL_FINISHED, **facts_of(entry))
    flags = [flag.text for flag in found.red_flags]
    emit(runtime, EventType.TRIAGE, red_flags=flags, not_assessed=list(found.not_assessed))
    return {"record": {"red_flags": flags}}


async def act(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Ask the pathway, and then the plan, which calls are to be made now."""
    context = runtime.context
    context.session.observe("node", "act")
    entries = await context.journal.tool_calls()
    wanted: tuple[Wanted, ...] = ()
    if not state.get("looked"):  # afterwards the pathway has all it needs
        wanted = await asyncio.to_thread(context.session.next_calls, entries)
    if not wanted:
        wanted = await asyncio.to_thread(
            context.session.extra_calls, state.get("extra", []), entries
        )
    return {"wanted": [{"key": w.key, "tool": w.tool.name} for w in wanted]}


def after_act(state: RunState) -> list[Send] | str:
    """Return a task for each wanted call; without any, go on."""
    if state["wanted"]:
        return [Send("tool", {"run": state["run"], **wanted}) for wanted in state["wanted"]]
    return "retrieve" if state.get("looked") else "coverage"


async def run_tool(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Make one call and keep what came of it, before anything else is done."""
    context = runtime.context
    entries = await context.journal.tool_calls()
    if any(entry.key == state["key"] for entry in entries):
        return {}
    wanted = await asyncio.to_thread(context.session.wanted, state["key"], entries)
    if wanted is None:
        return {}
    context.session.observe("tool", wanted.tool.name)
    emit(runtime, EventType.TOOL_STARTED, tool=wanted.tool.name)
    entry = await _made(wanted, _seconds(wanted, context.session))
    await context.journal.add_tool_call(entry)
    context.session.observe("tool done", wanted.tool.name)
    emit(runtime, EventType.TOOL_FINISHED, **facts_of(entry))
    return {}


def _seconds(wanted: Wanted, session: Session) -> float:
    """Return the time of one call: images have a limit of their own, and end before it."""
    seconds = session.request.budget.tool_seconds
    if wanted.tool.name in imaging_measures().tools:
        return max(seconds, 1.1 * session.settings.imaging_seconds)
    return seconds


async def _made(wanted: Wanted, seconds: float) -> Entry:
    """Return the call's entry; a tool over its time is "not assessed", never waited for."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(wanted.make)
    except TimeoutError:
        detail = f"the tool did not finish within {seconds:g} s"
        return Entry(
            key=wanted.key,
            tool=wanted.tool.name,
            version=wanted.tool.version,
            problem=NotAssessed(why=Why.FAILED, detail=detail),
            seconds=seconds,
        )


def inputs_hash(inputs: tuple[InputFile, ...]) -> str:
    """Return the hash of a case as it was read: names, what became of them, and contents."""
    lines = sorted(f"{item.file}\0{item.status}\0{item.sha256}" for item in inputs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
