"""The end of a run: the assessment with the agent's record, whatever happened on the way."""

import asyncio
from typing import Any

from agent.assess import Outcome
from agent.assessment import Assessment, Narrative
from agent.graph.state import Context
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
    identity = session.llm.identity if session.llm is not None else None
    model = ""
    if identity is not None:
        model = f"{identity.name} ({identity.server})" if identity.server else identity.name
    return AgentRecord(
        run=run,
        mode=mode,
        reason=reason,
        language=session.request.language,
        model=model,
        model_sha256=identity.sha256 if identity is not None else None,
        prompts=tuple(sorted({e.prompt for e in exchanges if e.prompt})),
        index_sha256=session.searcher.sha256 if session.searcher is not None else "",
        use=_use(exchanges),
        exchanges_sha256=transcript_hash(exchanges) if exchanges else "",
        signed=values.get("signed", ""),
        **parts,
    )


def _mode(context: Context, values: dict[str, Any], problem: str) -> tuple[Mode, str]:
    if context.session.llm is None:
        return "without language model", context.session.no_llm
    reasons = [*values.get("degraded", ()), *([problem] if problem else [])]
    return ("degraded", "; ".join(reasons)) if reasons else ("with language model", "")


def _use(exchanges: tuple[Exchange, ...]) -> ModelUse:
    replies = [e.reply for e in exchanges if e.reply is not None]
    return ModelUse(
        calls=len(exchanges),
        prompt_tokens=sum(r.usage.prompt_tokens for r in replies),
        completion_tokens=sum(r.usage.completion_tokens for r in replies),
        seconds=round(sum(r.seconds for r in replies), 3),
    )
