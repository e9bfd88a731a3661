"""The nodes of the words: write, verify, revise once, and the templates where the model fails."""

from typing import Any

from langgraph.runtime import Runtime

from agent.assessment import Assessment
from agent.fact_sheet.sheet import fact_sheet
from agent.facts import FactSheet
from agent.graph.events import EventType
from agent.graph.state import Context, RunState, emit
from agent.graph.think import with_model
from agent.record import WritingRecord
from agent.write import Draft, Written, check_draft, join, write, write_verified


def _sheet(state: RunState, context: Context) -> tuple[Assessment, FactSheet]:
    assessment = Assessment.model_validate(state["assessment"])
    return assessment, fact_sheet(assessment, language=context.session.request.language)


async def write_draft(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Let the model join and rephrase the facts; nothing of it is shown before it is verified."""
    context = runtime.context
    context.session.observe("node", "write")
    _, sheet = _sheet(state, context)
    language = context.session.request.language
    timeout_s = context.session.settings.llm_timeout_s
    draft, degraded = await with_model(
        state,
        runtime,
        "write",
        lambda llm: write(llm, sheet, language=language, timeout_s=timeout_s),
    )
    if draft is None or not draft.sentences:
        return {"degraded": degraded, "draft": {}}
    emit(runtime, EventType.WRITTEN, sentences=len(draft.sentences))
    return {"draft": draft.model_dump(mode="json"), "degraded": degraded}


async def verify_draft(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Check every sentence against the facts it cites; what fails is to be written once more."""
    context = runtime.context
    context.session.observe("node", "verify")
    assessment, sheet = _sheet(state, context)
    checked = state.get("checked", {})
    if "written" not in checked:
        draft = Draft.model_validate(state["draft"])
        passed = [result.ok for _, result in check_draft(draft.sentences, sheet)]
        if not all(passed):
            return {"checked": {"again": True, "failed": passed.count(False)}}
        return _concluded(runtime, assessment, sheet, await _written(state, runtime, sheet))
    return _concluded(runtime, assessment, sheet, Written.model_validate(checked["written"]))


async def revise_draft(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Let the model rewrite what failed, once, with the reasons."""
    context = runtime.context
    context.session.observe("node", "revise")
    _, sheet = _sheet(state, context)
    written = await _written(state, runtime, sheet)
    checked = {"again": False, "written": written.model_dump(mode="json")}
    if not written.revision_failed:
        return {"checked": checked}
    reason = f"revise: {written.revision_failed}"
    emit(runtime, EventType.DEGRADED, reason=reason)
    return {"checked": checked, "degraded": [reason]}


async def degrade(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Leave the templates' words as they are."""
    runtime.context.session.observe("node", "degrade")
    return {"checked": {}}


async def _written(state: RunState, runtime: Runtime[Context], sheet: FactSheet) -> Written:
    """Return what became of the sentences; the draft itself comes from the journal."""
    language = runtime.context.session.request.language
    timeout_s = runtime.context.session.settings.llm_timeout_s
    written, _ = await with_model(
        state,
        runtime,
        "revise",
        lambda llm: write_verified(llm, sheet, language=language, timeout_s=timeout_s),
    )
    return written or Written()


def _concluded(
    runtime: Runtime[Context], assessment: Assessment, sheet: FactSheet, written: Written
) -> RunState:
    narrative = join(assessment, sheet, written)
    record = WritingRecord(
        written=written.written,
        survived_first=written.survived_first,
        revised=written.revised,
        survived=written.survived,
        dropped=tuple(
            "; ".join(f"{failure.rule}: {failure.detail}" for failure in dropped.failures)
            for dropped in written.dropped
        ),
    )
    emit(
        runtime,
        EventType.VERIFIED,
        written=record.written,
        survived=record.survived,
        dropped=list(record.dropped),
    )
    checked: dict[str, Any] = {"again": False, "narrative": narrative.model_dump(mode="json")}
    return {"checked": checked, "record": {"writing": record.model_dump(mode="json")}}
