"""The nodes in which the model may think: notes, plan, look back. Each has a way on without it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from langgraph.runtime import Runtime

from agent.coverage import coverage_facts, look_again
from agent.graph.events import EventType
from agent.graph.journal import JournaledLLM
from agent.graph.state import Context, RunState, emit
from agent.graph.view import View
from agent.llm.errors import LLMError
from agent.llm.seam import LLM
from agent.notes import read_notes as read_free_text
from agent.plan import Plan, floor, plan
from agent.record import AskedCall, CoverageRecord, PlanRecord, RefusedAsk, Unlock
from agent.router_planner.planner import Router, router_plan
from knowledge.clinical_inputs import catalogue

logger = logging.getLogger(__name__)
T = TypeVar("T")


async def with_model(
    state: RunState,
    runtime: Runtime[Context],
    purpose: str,
    use: Callable[[LLM], Awaitable[T]],
) -> tuple[T | None, list[str]]:
    """Return what the model gave, or None with the reason to degrade.

    One failure ends the use of the model in this run: it is down, slow, over its budget or
    incoherent, and the pathway's answer does not wait for it.
    """
    llm = runtime.context.llm(state)
    if llm is None or state.get("degraded"):
        return None, []
    try:
        return await use(llm), []
    except LLMError as error:
        reason = f"{purpose}: {error}"
    except Exception as error:
        # The outermost handler of what the model's words are put through.
        logger.exception("%s broke on the model's reply", purpose)
        reason = f"{purpose}: the reply could not be used ({type(error).__name__})"
    emit(runtime, EventType.DEGRADED, reason=reason)
    return None, [reason]


async def read_notes(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Read facts from free text; they are shown beside the record and fill no score."""
    context = runtime.context
    context.session.observe("node", "notes")
    texts = context.session.case().notes
    if not texts:
        return {}
    session = context.session
    reading, degraded = await with_model(
        state,
        runtime,
        "notes",
        lambda llm: read_free_text(
            llm,
            texts,
            at=session.at,
            language=session.request.language,
            timeout_s=session.settings.llm_timeout_s,
        ),
    )
    if reading is None:
        return {"degraded": degraded}
    emit(runtime, EventType.NOTES_READ, facts=len(reading.facts), dropped=len(reading.dropped))
    return {"record": {"reading": reading.model_dump(mode="json")}, "degraded": degraded}


async def plan_calls(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Let a model ask for tools; whatever it asks, the pathway's floor runs."""
    context = runtime.context
    context.session.observe("node", "plan")
    view = context.view()
    if context.session.router is not None:
        made, degraded = await _plan_by_router(runtime, view, context.session.router)
    else:
        made, degraded = await with_model(
            state,
            runtime,
            "plan",
            lambda llm: plan(
                llm,
                view.summary,
                view.fitting,
                language=view.language,
                unfit=view.unfit,
                timeout_s=context.session.settings.llm_timeout_s,
            ),
        )
    record, extra = _plan_record(made, view)
    emit(
        runtime,
        EventType.PLAN,
        by_model=made is not None,
        asked=[call.tool for call in record.asked],
        refused=[{"tool": r.tool, "reason": r.reason} for r in record.refused],
        added_by_floor=list(record.added_by_floor),
    )
    return {
        "record": {"plan": record.model_dump(mode="json")},
        "extra": extra,
        "degraded": degraded,
        "looked": False,
    }


async def _plan_by_router(
    runtime: Runtime[Context], view: View, router: Router
) -> tuple[Plan | None, list[str]]:
    """Return the plan of the router; where it fails, None, and the pathway plans alone.

    The language model is another one and may still write: its use goes on.
    """
    try:
        made = await router_plan(
            router,
            JournaledLLM(router.llm, runtime.context.journal),
            view.summary,
            view.fitting,
            language=view.language,
            unfit=view.unfit,
            timeout_s=runtime.context.session.settings.llm_timeout_s,
        )
    except LLMError as error:
        emit(runtime, EventType.DEGRADED, reason=f"router: {error}")
        return None, []
    return made, []


def _plan_record(made: Plan | None, view: View) -> tuple[PlanRecord, list[str]]:
    fit = {tool.name for tool in view.fitting}
    required = tuple(s.tool for s in view.path.steps if s.required and s.tool in fit)
    difference = floor(made, required, tuple(step.tool for step in view.path.steps))
    record = PlanRecord(
        asked=tuple(
            AskedCall(tool=c.tool, evidence=c.evidence) for c in (made.asked if made else ())
        ),
        refused=tuple(
            RefusedAsk(tool=r.tool, reason=r.reason) for r in (made.refused if made else ())
        ),
        required=difference.required,
        added_by_floor=difference.added_by_floor,
        beyond=difference.beyond_the_pathway,
    )
    return record, list(difference.beyond_the_pathway)


async def look_back(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Look once, forced, for fitting tools that are unused and for the datum that unlocks them."""
    context = runtime.context
    context.session.observe("node", "coverage")
    view = context.view()
    entries = await context.journal.tool_calls()
    done = tuple(sorted({entry.tool for entry in entries if entry.problem is None}))
    unused = tuple(tool for tool in view.fitting if tool.name not in done)
    facts = coverage_facts(view.fitting, view.unfit, done)
    unlock = [_unlock(tool, key, by="pathway") for tool, key in facts.unlock]
    more: tuple[AskedCall, ...] = ()
    look, degraded = await with_model(
        state,
        runtime,
        "coverage",
        lambda llm: look_again(
            llm,
            view.summary,
            None,
            done,
            unused,
            view.unfit,
            language=view.language,
            timeout_s=context.session.settings.llm_timeout_s,
        ),
    )
    if look is not None:
        more = tuple(AskedCall(tool=c.tool, evidence=c.evidence) for c in look.more)
        known = {(u.tool, u.datum) for u in unlock}
        unlock += [
            _unlock(u.tool, u.input, by="language model")
            for u in look.unlock
            if (u.tool, u.input) not in known
        ]
    record = CoverageRecord(
        unused=tuple(tool.name for tool in unused), more=more, unlock=tuple(unlock)
    )
    emit(
        runtime,
        EventType.COVERAGE,
        unused=list(record.unused),
        unlock=[{"tool": u.tool, "datum": u.label} for u in unlock],
    )
    return {
        "record": {"coverage": record.model_dump(mode="json")},
        "extra": [*state.get("extra", []), *(call.tool for call in more)],
        "degraded": degraded,
        "looked": True,
    }


def _unlock(tool: str, key: str, *, by: Any) -> Unlock:
    return Unlock(tool=tool, datum=key, label=catalogue().get(key).label, by=by)
