"""Run a case through the graph, resume it after a crash, never end with less than the pathway."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphRecursionError
from langgraph.types import Command

from agent.assess import Outcome
from agent.graph.build import build
from agent.graph.checkpoints import Checkpoints
from agent.graph.events import Event, EventType
from agent.graph.finish import finished
from agent.graph.gather import inputs_hash
from agent.graph.journal import Journal
from agent.graph.request import RunRequest, Session
from agent.graph.state import Context
from agent.llm.budget import Spent
from agent.llm.seam import Exchange
from knowledge.errors import EpicrisisError, InvalidValueError

logger = logging.getLogger(__name__)

_GOING: set[str] = set()
"""Ids of the runs of this process that are going on."""

OnEvent = Callable[[Event], None]

BROKE = "the agent broke"
"""Begins the reason of a run that ended by a mistake or by its database, not by the model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentOutcome:
    """What a run ended with.

    Args:
        run: Its id.
        outcome: The assessment with the agent's record, and what its pictures are drawn from.
        exchanges: Every call to the model, for the audit and for replay.
        waiting: What a clinician is asked, where the run waits.
    """

    run: str
    outcome: Outcome
    exchanges: tuple[Exchange, ...] = ()
    waiting: dict[str, Any] | None = None


def new_run_id() -> str:
    """Return an id for a new run."""
    return f"run-{uuid.uuid4().hex[:16]}"


async def start_run(
    session: Session,
    checkpoints: Checkpoints,
    *,
    run: str | None = None,
    on_event: OnEvent | None = None,
) -> AgentOutcome:
    """Return the outcome of a new run.

    Args:
        session: The request, the model and the index.
        checkpoints: Where the run is kept.
        run: Its id; a new one is made where None.
        on_event: Told every event.

    Raises:
        InvalidValueError: There is a run of this id already, also one that has just begun.
        InputError: The case cannot be read.
    """
    name = run or new_run_id()
    if await checkpoints.saver.aget_tuple(_config(name, session)) is not None:
        raise InvalidValueError(f"run {name}", "exists already", "resume it, or choose another id")
    begin = {"run": name, "request": session.request.model_dump(mode="json")}
    return await _drive(session, checkpoints, name, begin, on_event)


async def resume_run(
    session: Session,
    checkpoints: Checkpoints,
    *,
    run: str,
    answer: dict[str, Any] | None = None,
    on_event: OnEvent | None = None,
) -> AgentOutcome:
    """Return the outcome of a run that was cut off, or that waited for a person.

    No finished tool call is made again, and the model is not asked again what it has answered.

    Args:
        session: The model and the index; its request is replaced by the run's own.
        checkpoints: Where the run is kept.
        run: Its id.
        answer: What the person says, where the run waits: ``{"signed_by": ..., "decision": ...}``.
        on_event: Told every event.

    Raises:
        InvalidValueError: There is no such run, it is going on already, its files have changed, or
            it is answered and waits for nobody.
    """
    values = await _values(checkpoints, run)
    session = replace(session, request=RunRequest.model_validate(values["request"]))
    await asyncio.to_thread(_same_case, session, values.get("inputs_sha256"))
    if answer is not None:
        await _waits(session, checkpoints, run)
    step: Any = None if answer is None else Command(resume=answer)
    return await _drive(session, checkpoints, run, step, on_event)


async def forget_run(checkpoints: Checkpoints, run: str) -> None:
    """Delete everything kept of a run: its steps, its tool calls, what the model was told.

    Args:
        checkpoints: Where the run is kept.
        run: Its id; one that is not known is no error.
    """
    await checkpoints.saver.adelete_thread(run)
    await Journal(checkpoints.store, run).forget()


async def _values(checkpoints: Checkpoints, run: str) -> dict[str, Any]:
    """Return the state of a run as it was kept.

    Raises:
        InvalidValueError: There is no such run.
    """
    found = await checkpoints.saver.aget_tuple(RunnableConfig(configurable={"thread_id": run}))
    values: dict[str, Any] = {} if found is None else found.checkpoint["channel_values"]
    values = {**values.get("__start__", {}), **values}
    if "request" not in values:
        raise InvalidValueError(f"run {run}", "is not known here", "start a new run")
    return values


def _same_case(session: Session, expected: str | None) -> None:
    """Refuse to go on where the files are not those that the run has read.

    Raises:
        InvalidValueError: They have changed.
    """
    if expected is not None and inputs_hash(session.case().inputs) != expected:
        raise InvalidValueError(
            "case", "its files are not those of the run that is resumed", "start a new run"
        )


async def _waits(session: Session, checkpoints: Checkpoints, run: str) -> None:
    """Refuse an answer that nobody waits for: a decision is never taken without being kept.

    Raises:
        InvalidValueError: The run has not come to its question, or was answered before.
    """
    state = await build(checkpoints).aget_state(_config(run, session))
    if not any(task.interrupts for task in state.tasks):
        raise InvalidValueError(
            f"run {run}", "waits for no decision", "look at its result: it may be decided already"
        )


@contextmanager
def _alone(run: str) -> Iterator[None]:
    """Hold the id of a run: two at once would write into one another's state.

    Raises:
        InvalidValueError: It is held.
    """
    if run in _GOING:
        raise InvalidValueError(f"run {run}", "is going on", "wait for it, or choose another id")
    _GOING.add(run)
    try:
        yield
    finally:
        _GOING.discard(run)


async def _drive(
    session: Session,
    checkpoints: Checkpoints,
    run: str,
    step: Any,
    on_event: OnEvent | None,
) -> AgentOutcome:
    """Run the graph to its end or its next wait, alone under its id.

    Raises:
        InvalidValueError: The id is in use, here or by another process for another request.
    """
    with _alone(run):
        return await _driven(session, checkpoints, run, step, on_event)


async def _driven(
    session: Session,
    checkpoints: Checkpoints,
    run: str,
    step: Any,
    on_event: OnEvent | None,
) -> AgentOutcome:
    graph = build(checkpoints)
    journal = Journal(checkpoints.store, run)
    session = replace(session, spent=_spent(await journal.exchanges()))
    context = Context(session=session, journal=journal)
    tell = _teller(run, on_event)
    tell(EventType.RUN_STARTED, {"resumed": step is None or isinstance(step, Command)})
    waiting: dict[str, Any] | None = None
    problem = ""
    try:
        async for mode, piece in graph.astream(
            step,
            _config(run, session),
            context=context,
            stream_mode=["custom", "updates"],
            durability="sync",
        ):
            if mode == "custom":
                tell(EventType(piece["type"]), piece["data"])
            elif "__interrupt__" in piece:
                waiting = dict(piece["__interrupt__"][0].value)
    except asyncio.CancelledError:
        tell(EventType.CANCELLED, {})
        raise
    except EpicrisisError:
        raise
    except GraphRecursionError:
        problem = f"more than {session.request.budget.steps} steps"
    except Exception as error:
        # The outermost handler of a run: logged, and answered by the pathway alone.
        logger.exception("run %s broke", run)
        problem = f"{BROKE} ({type(error).__name__})"
    values = (await graph.aget_state(_config(run, session))).values
    if "request" in values and RunRequest.model_validate(values["request"]) != session.request:
        raise InvalidValueError(
            f"run {run}", "its id is used for another request", "start a new run"
        )
    outcome = await finished(context, values, run=run, problem=problem)
    if waiting is not None:
        tell(EventType.WAITING, waiting)
    else:
        tell(EventType.FINISHED, {"status": outcome.assessment.status.value, "problem": problem})
    return AgentOutcome(
        run=run, outcome=outcome, exchanges=await journal.exchanges(), waiting=waiting
    )


async def events_of(
    session: Session, checkpoints: Checkpoints, *, run: str | None = None
) -> AsyncIterator[Event | AgentOutcome]:
    """Yield the events of a new run as they come, and its outcome last."""
    queue: asyncio.Queue[Event | AgentOutcome | BaseException] = asyncio.Queue()

    async def work() -> None:
        try:
            await queue.put(
                await start_run(session, checkpoints, run=run, on_event=queue.put_nowait)
            )
        except BaseException as error:
            await queue.put(error)
            raise

    task = asyncio.create_task(work())
    try:
        while True:
            item = await queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, AgentOutcome):
                return
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _spent(exchanges: tuple[Exchange, ...]) -> Spent:
    """Return what the run has used of its budget before this process."""
    replies = [e.reply for e in exchanges if e.reply is not None]
    return Spent(
        calls=len(exchanges),
        tokens=sum(r.usage.prompt_tokens + r.usage.completion_tokens for r in replies),
        seconds=sum(r.seconds for r in replies),
    )


def _config(run: str, session: Session) -> RunnableConfig:
    return RunnableConfig(
        configurable={"thread_id": run}, recursion_limit=session.request.budget.steps
    )


def _teller(run: str, on_event: OnEvent | None) -> Callable[[EventType, dict[str, Any]], None]:
    count = 0

    def tell(kind: EventType, data: dict[str, Any]) -> None:
        nonlocal count
        if on_event is not None:
            on_event(Event(run=run, sequence=count, type=kind, data=data))
        count += 1

    return tell
