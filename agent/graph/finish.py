"""The end of a run: the assessment with the agent's record, whatever happened on the way."""

import asyncio
from typing import Any, cast

from agent.assess import Outcome
from agent.assessment import Assessment, Narrative
from agent.graph.conclude import shown_hash
from agent.graph.request import RunRequest
from agent.graph.state import Context, RunState
from agent.graph.transcript import transcript_hash
from agent.llm.seam import Exchange
from agent.record import AgentRecord, Mode, ModelUse
from knowledge.errors import IdentityConflictError


async def finished(context: Context, values: dict[str, Any], *, run: str, problem: str) -> Outcome:
    """Return the outcome of a run.

    The assessment is put together from the recorded calls; where the graph did not get that far,
    the pathway runs what is missing here. The model's sentences are used only if they were verified
    and nothing broke afterwards.

    Args:
        context: The session and the journal.
        values: The state of the graph.
        run: Id of the run.
        problem: What broke, where something did.
    """
    session = context.session
    exchanges = await context.journal.exchanges()
    record = _record(context, values, exchanges, run=run, problem=problem)
    try:
        session.case()
    except IdentityConflictError:
        refused = Assessment.model_validate(values["assessment"])
        return Outcome(assessment=refused.model_copy(update={"agent": record}))
    entries = await context.journal.tool_calls()
    outcome = await asyncio.to_thread(session.outcome, entries)
    update: dict[str, Any] = {"agent": record}
    words = values.get("checked", {}).get("narrative")
    if words is not None and record.mode == "with language model":
        update["narrative"] = Narrative.model_validate(words)
    return Outcome(
        assessment=outcome.assessment.model_copy(update=update),
        case=outcome.case,
        ecgs=outcome.ecgs,
        samples=outcome.samples,
    )


def _record(
    context: Context,
    values: dict[str, Any],
    exchanges: tuple[Exchange, ...],
    *,
    run: str,
    problem: str,
) -> AgentRecord:
    session = context.session
    mode, reason = _mode(context, values, problem)
    parts = {k: v for k, v in values.get("record", {}).items() if k != "reading"}
    asked = [e.model for e in exchanges if e.model is not None]
    if not asked and session.llm is not None:
        asked = [session.llm.identity]
    named = dict.fromkeys(f"{m.name} ({m.server})" if m.server else m.name for m in asked)
    weights = {m.sha256 for m in asked if m.sha256 is not None}
    return AgentRecord(
        run=run,
        mode=mode,
        reason=reason,
        language=session.request.language,
        model=", ".join(named),
        model_sha256=", ".join(sorted(weights)) or None,
        model_notices=_notices(exchanges),
        prompts=tuple(sorted({e.prompt for e in exchanges if e.prompt})),
        index_sha256=session.searcher.sha256 if session.searcher is not None else "",
        use=_use(exchanges),
        exchanges_sha256=transcript_hash(exchanges) if exchanges else "",
        answers=_answers(session.request),
        shown_sha256=shown_hash(cast(RunState, values)) if "assessment" in values else "",
        signed=values.get("signed", ""),
        **parts,
    )


def _mode(context: Context, values: dict[str, Any], problem: str) -> tuple[Mode, str]:
    worded = values.get("checked", {}).get("narrative") is not None
    if context.session.llm is None and not worded:
        return "without language model", context.session.no_llm
    reasons = [*values.get("degraded", ()), *([problem] if problem else [])]
    return ("degraded", "; ".join(reasons)) if reasons else ("with language model", "")


def _notices(exchanges: tuple[Exchange, ...]) -> tuple[str, ...]:
    said = [e.reply.notice for e in exchanges if e.reply is not None and e.reply.notice]
    return tuple(sorted(set(said)))


def _use(exchanges: tuple[Exchange, ...]) -> ModelUse:
    replies = [e.reply for e in exchanges if e.reply is not None]
    return ModelUse(
        calls=len(exchanges),
        prompt_tokens=sum(r.usage.prompt_tokens for r in replies),
        completion_tokens=sum(r.usage.completion_tokens for r in replies),
        seconds=round(sum(r.seconds for r in replies), 3),
    )


def _answers(request: RunRequest) -> tuple[str, ...]:
    used = tuple(f"{one.input}: {one.record}" for one in request.given)
    return (*used, request.given_notice) if request.given_notice else used
