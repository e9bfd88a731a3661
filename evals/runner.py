"""Runs tasks: every case, every system, every repeat; what breaks is a wrong answer, with why."""

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agent.llm.choice import Choice
from evals.case import Case, in_language
from evals.metering import Metered
from evals.results import TaskResult
from evals.scoring import WITHOUT_LLM, LLMUse, Measured, System, Trial, failed
from evals.task import Bench, Task
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import EpicrisisError
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.settings import Settings

logger = logging.getLogger(__name__)

NOW = "2026-11-21T12:00:00Z"
"""What every trial takes for now: after all bundled examples, so that a case reads the same."""

OnTrial = Callable[[str, Trial], None]


class Plan(Frozen):
    """What is to be run.

    Args:
        repeats: Times each case is tried.
        limit: Most cases of each task; None for all.
        language: Only cases of this language; None for all.
        systems: Only these systems; empty for those of the task.
        only: Only the cases of these ids; empty for all.
    """

    repeats: int = 1
    limit: int | None = None
    language: Language | None = None
    systems: tuple[System, ...] = ()
    only: tuple[str, ...] = ()


async def run_task(
    task: Task,
    choice: Choice,
    settings: Settings,
    plan: Plan,
    *,
    on_trial: OnTrial | None = None,
) -> TaskResult:
    """Return all trials of one task.

    Args:
        task: What to run.
        choice: The model under test, or why there is none.
        settings: Limits and switches.
        plan: How much of it.
        on_trial: Told every trial as it ends.
    """
    every = in_language(task.cases(), plan.language) if not task.missing() else ()
    chosen = spread([c for c in every if not plan.only or c.id in plan.only], plan.limit)
    llm = Metered(choice.llm) if choice.llm is not None else None
    systems = tuple(
        s
        for s in task.systems
        if (not plan.systems or s in plan.systems) and (llm is not None or _runs_without(task, s))
    )
    result = TaskResult(
        task=task.name,
        title=task.title,
        skipped=task.missing(),
        llm=llm.identity.name if llm is not None else "",
        llm_reason=choice.reason,
        repeats=plan.repeats,
        cases=len(chosen),
        of_cases=len(every),
        metrics=task.metrics,
        quantities=task.quantities,
        systems=systems,
        epicrisis=_version(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    trials: list[Trial] = []
    now = parse_fhir(NOW, clock="evaluation")
    async with task.around(settings):
        for repeat in range(plan.repeats):
            if llm is not None:
                llm.new_round()
            for case in chosen:
                for system in systems:
                    trial = await _tried(task, case, system, repeat, llm, choice, settings, now)
                    trials.append(trial)
                    if on_trial is not None:
                        on_trial(task.name, trial)
    return result.model_copy(update={"trials": tuple(trials)})


def spread(cases: Sequence[Case], limit: int | None) -> tuple[Case, ...]:
    """Return at most `limit` cases, taken evenly from the whole list, not its first ones."""
    if limit is None or limit >= len(cases):
        return tuple(cases)
    return tuple(cases[i * len(cases) // limit] for i in range(limit))


def _runs_without(task: Task, system: System) -> bool:
    """Return whether a system means something without a model: the agent has that mode too."""
    return system in WITHOUT_LLM or system == "agent"


async def _tried(
    task: Task,
    case: Case,
    system: System,
    repeat: int,
    llm: Metered | None,
    choice: Choice,
    settings: Settings,
    now: ClinicalTime,
) -> Trial:
    if llm is not None:
        llm.new_trial()
    failure = ""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="epicrisis-eval-") as folder:
        bench = Bench(
            settings=settings,
            llm=llm if system not in WITHOUT_LLM else None,
            no_llm=choice.reason or "not part of this system",
            now=now,
            folder=Path(folder),
            repeat=repeat,
        )
        try:
            measured = await task.attempt(case, system, bench)
        except EpicrisisError as error:
            failure = f"{type(error).__name__}: {error}"
        except Exception as error:
            # The outermost handler of a trial: logged, and counted as wrong.
            logger.exception("%s %s %s broke", task.name, case.id, system)
            failure = f"broke: {type(error).__name__}: {error}"
    if failure:
        measured = Measured(counts=failed(task.owed(case, system), task.metrics))
    return Trial(
        case=case.id,
        system=system,
        repeat=repeat,
        tags=case.tags,
        smoke=case.smoke,
        failure=failure,
        measured=measured,
        seconds=round(time.perf_counter() - begun, 3),
        llm=llm.use if llm is not None else LLMUse(),
    )


def _version() -> str:
    try:
        return version("epicrisis")
    except PackageNotFoundError:
        return "not installed"
