"""The same tasks for ``inspect_ai``: its runs, its logs and its viewer, over our cases and scorers.

``inspect eval evals/inspect_tasks.py@epicrisis -T name=consistency -T llm=fake --model none``
needs the extra ``evals``. The model under test is ours, so inspect's own is ``none``.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from evals.discovery import task as our_task
from evals.models import WhichLLM, evaluated_llm
from evals.runner import Plan, run_task, spread
from evals.scoring import System, Trial
from knowledge.errors import InvalidValueError, MissingExtraError
from knowledge.settings import load_settings

if TYPE_CHECKING:
    from inspect_ai import Task

_HERE = find_spec("inspect_ai") is not None
F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING or _HERE:
    from inspect_ai import task
else:

    def task(made: F) -> F:
        """Return the function as it is: there is no inspect_ai to register it with."""
        return made


@task
def epicrisis(
    name: str = "consistency",
    llm: str = "none",
    system: str = "agent",
    limit: int | None = None,
) -> "Task":
    """Return one of our tasks.

    Args:
        name: Of the task.
        llm: none, fake or configured.
        system: Which system under test.
        limit: Most cases, evenly taken.

    Raises:
        MissingExtraError: inspect_ai is not installed.
        InvalidValueError: An argument is not known.
    """
    if not _HERE:
        raise MissingExtraError("inspect_ai", "is not installed", "pip install epicrisis[evals]")
    if llm not in get_args(WhichLLM) or system not in get_args(System):
        raise InvalidValueError(f"{llm}, {system}", "is not known", "see epicrisis eval run --help")
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample

    found = our_task(name)
    samples = [
        Sample(id=case.id, input=case.id, target="", metadata={"source": case.source})
        for case in spread(found.cases(), limit)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=name),
        solver=_solver(name, llm, system),
        scorer=_scorer(),
        metadata={"task": name, "title": found.title},
    )


async def one_trial(name: str, case: str, llm: Any, system: Any) -> Trial:
    """Return the trial of one system on one case."""
    settings = load_settings()
    async with evaluated_llm(llm, settings) as choice:
        plan = Plan(systems=(system,), only=(case,))
        result = await run_task(our_task(name), choice, settings, plan)
    return result.trials[0]


def _solver(name: str, llm: str, system: str) -> Any:
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import Generate, Solver, TaskState, solver

    @solver
    def our_system() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            trial = await one_trial(name, str(state.sample_id), llm, system)
            state.store.set("trial", trial.model_dump(mode="json"))
            told = trial.failure or "\n".join(trial.measured.notes) or "done"
            state.output = ModelOutput.from_content("none", told)
            state.completed = True
            return state

        return solve

    return our_system()


def _scorer() -> Any:
    from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
    from inspect_ai.solver import TaskState

    @scorer(metrics={"*": [mean(), stderr()]})
    def shares() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            counts = state.store.get("trial")["measured"]["counts"]
            found = {key: one["hits"] / one["of"] for key, one in counts.items() if one["of"]}
            return Score(value=found, explanation=state.output.completion)

        return score

    return shares()
