"""The systems under test: the agent, and what it is compared with.

* ``agent``: the whole graph, with the policy floor.
* ``rules``: the pathway without any language model.
* ``llm-alone``: the model's plan, nothing else.
* ``tools-without-floor``: only the tools that the model asked for are run.
* ``llm-everything-in-one-prompt``: one call with the whole case; see `evals.one_prompt`.
"""

from collections.abc import Iterable
from pathlib import Path

from agent.assess import assess_case, assess_paths, next_calls
from agent.assessment import Assessment
from agent.graph.checkpoints import MEMORY, open_checkpoints
from agent.graph.request import Budget, RunRequest, Session
from agent.graph.run import AgentOutcome, start_run
from agent.graph.view import View
from agent.ledger import Entry, Ledger, Wanted
from agent.llm.errors import LLMError
from agent.plan import Plan, plan
from evals.task import Bench
from knowledge.finding import NotAssessed, Why
from knowledge.passages import Language, Searcher

_NOT_ASKED = NotAssessed(why=Why.MISSING, detail="the model did not ask for this tool")


class NoModelError(LLMError):
    """A system that needs a model has none: not run, never a result."""


async def run_agent(
    *paths: Path,
    bench: Bench,
    language: Language = "en",
    budget: Budget | None = None,
    searcher: Searcher | None = None,
) -> AgentOutcome:
    """Return what the agent makes of a case; without a model, its own mode without one.

    Args:
        paths: Folders and files of one patient.
        bench: Settings and model.
        language: Of prompts and words.
        budget: Other than the default.
        searcher: Over guideline passages; None for the cards of recommendations alone.
    """
    session = Session(
        request=request_for(paths, bench, language=language, budget=budget),
        settings=bench.settings,
        llm=bench.model(),
        no_llm=bench.no_llm,
        searcher=searcher,
    )
    async with open_checkpoints(MEMORY) as checkpoints:
        return await start_run(session, checkpoints)


def request_for(
    paths: Iterable[Path], bench: Bench, *, language: Language = "en", budget: Budget | None = None
) -> RunRequest:
    """Return the request of a run."""
    return RunRequest(
        paths=tuple(str(path) for path in paths),
        now=bench.now,
        language=language,
        budget=budget or Budget(),
        urgency="batch",
    )


def run_rules(paths: Iterable[Path], bench: Bench) -> Assessment:
    """Return the pathway's assessment, without a model."""
    found = assess_paths(list(paths), at=None, now=bench.now, settings=bench.settings)
    return found.assessment


def view_of(case: Path, bench: Bench, language: Language) -> tuple[View, Session]:
    """Return what the model is shown of a case, and the session that reads it."""
    session = Session(
        request=request_for([case], bench, language=language), settings=bench.settings
    )
    return View(session), session


async def ask_plan(case: Path, bench: Bench, language: Language) -> tuple[Plan, View, Session]:
    """Return the model's plan alone.

    Raises:
        LLMError: There is no model, or it gave nothing that can be used.
    """
    llm = bench.model()
    if llm is None:
        raise NoModelError("language model", bench.no_llm, "configure one")
    view, session = view_of(case, bench, language)
    made = await plan(
        llm,
        view.summary,
        view.fitting,
        language=language,
        unfit=view.unfit,
        timeout_s=session.settings.llm_timeout_s,
    )
    return made, view, session


async def run_asked(case: Path, bench: Bench, language: Language) -> tuple[Plan, Assessment]:
    """Return the plan, and the assessment where only the tools in it are run.

    Raises:
        LLMError: There is no model, or it gave nothing that can be used.
    """
    made, _, session = await ask_plan(case, bench, language)
    entries: list[Entry] = []
    while wanted := next_calls(
        session.case(), at=session.at, settings=bench.settings, entries=tuple(entries)
    ):
        entries += [_made_or_not(one, made.tools) for one in wanted]
    outcome = assess_case(
        session.case(), at=session.at, settings=bench.settings, ledger=Ledger(entries)
    )
    return made, outcome.assessment


def _made_or_not(wanted: Wanted, asked: Iterable[str]) -> Entry:
    if wanted.tool.name in asked:
        return wanted.make()
    return Entry(
        key=wanted.key, tool=wanted.tool.name, version=wanted.tool.version, problem=_NOT_ASKED
    )
