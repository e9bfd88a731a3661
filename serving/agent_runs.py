"""One agent run from a command: its model, its index and its database, opened and closed."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from agent.case_key import answers_of
from agent.given import AnswerStore
from agent.graph.checkpoints import Checkpoints, open_checkpoints
from agent.graph.events import Event, EventType
from agent.graph.journal import Journal
from agent.graph.request import Budget, RunRequest, Session
from agent.graph.run import AgentOutcome, new_run_id, resume_run, start_run
from agent.llm.choice import Choice, llm_from
from agent.llm.pool.caller import Caller, asked_by
from agent.router_planner.weights import open_router
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError, InputError, UnavailableError
from knowledge.passages import Language, Searcher
from knowledge.plain_text import visible
from knowledge.settings import Settings
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer

_FILE = "runs.sqlite"
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a command asks for.

    Args:
        paths: Folders and files of one patient.
        at: Moment of assessment.
        now: The current moment.
        same_patient: As for `assess`.
        language: Of prompts and words.
        use_llm: Whether a model may be used.
        by_router: Whether the small router asks for the tools in place of the model.
        llm_seconds: Most seconds of all calls to the model.
        resume: Id of a run to go on with.
    """

    paths: tuple[Path, ...]
    at: ClinicalTime | None
    now: ClinicalTime
    same_patient: tuple[str, ...] = ()
    language: Language = "en"
    use_llm: bool = True
    by_router: bool = False
    llm_seconds: float = 300.0
    resume: str | None = None


async def run_agent(ask: Ask, settings: Settings, console: Console | None) -> AgentOutcome:
    """Return the outcome of a new or a resumed run.

    Args:
        ask: What to do.
        settings: Where things are.
        console: Shows the steps; None for none.

    Raises:
        InputError: The case cannot be read.
        UnavailableError: The database of runs cannot be opened.
    """
    async with AsyncExitStack() as opened:
        choice = Choice(llm=None, reason="not asked for (--no-llm)")
        if ask.use_llm:
            choice = await opened.enter_async_context(llm_from(settings))
        router = await opened.enter_async_context(open_router(settings)) if ask.by_router else None
        searcher, no_search = open_index(settings)
        paths = tuple(path.resolve() for path in ask.paths)
        given, notice = given_answers(ask, settings)
        where = settings.checkpoints or settings.data_dir / _FILE
        checkpoints = await opened.enter_async_context(open_checkpoints(where))
        session = Session(
            request=RunRequest(
                paths=tuple(str(path) for path in paths),
                at=ask.at,
                now=ask.now,
                same_patient=ask.same_patient,
                given=given,
                given_notice=notice,
                language=ask.language,
                budget=Budget(llm_seconds=ask.llm_seconds),
            ),
            settings=settings,
            llm=choice.llm,
            no_llm=choice.reason,
            router=router,
            searcher=searcher,
            no_search=no_search,
        )
        tell = None if console is None else _teller(console)
        await _name_caller(session, checkpoints, ask.resume)
        if ask.resume is not None:
            return await resume_run(session, checkpoints, run=ask.resume, on_event=tell)
        return await start_run(session, checkpoints, on_event=tell)


async def _name_caller(session: Session, checkpoints: Checkpoints, resume: str | None) -> None:
    """Say whose run asks the model: one model answers all of it, also after it is resumed."""
    if session.llm is not None:
        run = resume or new_run_id()
        pinned = "" if resume is None else await Journal(checkpoints.store, resume).pinned_model()
        session.llm = asked_by(session.llm, Caller(conversation=run, case=run, pinned=pinned))


def given_answers(ask: Ask, settings: Settings) -> tuple[tuple[GivenAnswer, ...], str]:
    """Return what was answered to the questions of this case, and a word on what is not used.

    A case that is refused or cannot be read has none; the run itself says why.

    Raises:
        UnavailableError: The answers cannot be read.
    """
    store = AnswerStore(settings.data_dir)
    if not ask.paths or not store.exists:
        return (), ""
    try:
        case = read_case(
            ask.paths,
            at=ask.at,
            now=ask.now,
            settings=settings,
            same_patient=ask.same_patient,
        )
    except (IdentityConflictError, InputError):
        return (), ""
    return answers_of(store, case)


def open_index(settings: Settings) -> tuple[Searcher | None, str]:
    """Return the index of guideline knowledge, or the reason why there is none."""
    from knowledge.retrieval.opening import open_searcher

    try:
        return open_searcher(settings), ""
    except UnavailableError as error:
        return None, str(error)


def _teller(console: Console) -> Any:
    def tell(event: Event) -> None:
        text = words(event)
        if text:
            console.print(f"[dim]{escape(visible(text))}[/dim]", highlight=False, soft_wrap=True)

    return tell


def words(event: Event) -> str:
    """Return one line for an event; empty for those that a person need not see."""
    say = _WORDS.get(event.type)
    return say(event.data, event.run) if say else ""


def _started(data: dict[str, Any], run: str) -> str:
    return f"run {run} " + ("goes on" if data["resumed"] else "starts")


def _triage(data: dict[str, Any], run: str) -> str:
    return f"triage: {'; '.join(data['red_flags']) or 'no red flag that is certain'}"


def _plan(data: dict[str, Any], run: str) -> str:
    added = ", ".join(data["added_by_floor"]) or "nothing"
    if not data["by_model"]:
        return f"plan: no model; the pathway requires {added}"
    asked = ", ".join(data["asked"]) or "nothing"
    return f"plan: the model asks for {asked}; the pathway adds {added}"


def _tool(data: dict[str, Any], run: str) -> str:
    problem = f": not assessed, {data['problem']}" if data["problem"] else ""
    return f"tool {data['tool']} {data['seconds'] * 1000:.0f} ms{problem}"


def _coverage(data: dict[str, Any], run: str) -> str:
    wanted = sorted({item["datum"] for item in data["unlock"]})
    return f"coverage: would be unlocked by {', '.join(wanted[:_SHOWN]) or 'nothing'}"


def _passages(data: dict[str, Any], run: str) -> str:
    return f"guideline passages: {len(data['passages'])} ({data['search']})"


def _written(data: dict[str, Any], run: str) -> str:
    return f"the model wrote {data['sentences']} sentences; they are now verified"


def _verified(data: dict[str, Any], run: str) -> str:
    return f"verified: {data['survived']} of {data['written']} sentences are shown"


def _degraded(data: dict[str, Any], run: str) -> str:
    return f"without the model from here: {data['reason']}"


def _notes(data: dict[str, Any], run: str) -> str:
    return f"notes: {data['facts']} facts with their span, {data['dropped']} dropped"


_WORDS = {
    EventType.RUN_STARTED: _started,
    EventType.TRIAGE: _triage,
    EventType.PLAN: _plan,
    EventType.TOOL_FINISHED: _tool,
    EventType.COVERAGE: _coverage,
    EventType.PASSAGES: _passages,
    EventType.WRITTEN: _written,
    EventType.VERIFIED: _verified,
    EventType.DEGRADED: _degraded,
    EventType.NOTES_READ: _notes,
}
