"""Thirty tasks of a clinician in a hospital's record, on a FHIR store of our own."""

from collections.abc import Mapping
from pathlib import Path

from evals.case import Case
from evals.fhir_store.server import serve
from evals.outside_data import missing
from evals.scoring import Count, Measured, Metric, System
from evals.systems import NoModelError
from evals.task import Bench, Task
from evals.tasks.medagentbench.agent import Run, solve
from evals.tasks.medagentbench.functions import FUNCTIONS, TASKS, functions, tasks
from evals.tasks.medagentbench.seed import store_for
from evals.tasks.medagentbench.truth import Done, wrong

_READS = frozenset({1, 2, 4, 6, 7})


def cases() -> tuple[Case, ...]:
    """Return a case for each task.

    Raises:
        UnavailableError: The tasks are not here.
    """
    return tuple(
        Case(
            id=task["id"],
            smoke=True,
            tags=("answer" if _kind(task["id"]) in _READS else "order",),
            source="MedAgentBench task; truth worked out from a store of our own (README)",
            given=task,
        )
        for task in tasks()
    )


async def attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Try one task; the store is fresh for each trial.

    Raises:
        LLMError: There is no model, or it gave nothing that can be used.
    """
    store = store_for([one.given for one in cases()])
    with serve(store) as served:
        base, session = served.open_session()
        if system == "rules":
            run = Run(answer=(), steps=())
        else:
            llm = bench.model()
            if llm is None:
                raise NoModelError("language model", bench.no_llm, "configure one")
            run = await solve(
                llm,
                case.given["instruction"],
                case.given["context"],
                functions(),
                base,
                timeout_s=bench.settings.llm_timeout_s,
            )
        done = Done(answer=run.answer, created=session.created, searched=session.searched)
    problem = wrong(case.given, store.resources, done)
    calls = [step for step in run.steps if step.function != "finish"]
    return Measured(
        counts={
            "right": Count.of_all([not problem]),
            "right_answer" if _kind(case.id) in _READS else "right_order": Count.of_all(
                [not problem]
            ),
            "refused": Count.of_all(step.result == "refused" for step in calls),
            "error": Count.of_all(step.result == "error" for step in calls),
        },
        notes=(problem,) if problem else (),
    )


def _kind(task_id: str) -> int:
    return int(task_id.removeprefix("task").partition("_")[0])


def _owed(case: Case, system: System) -> Mapping[str, float]:
    kind = "right_answer" if _kind(case.id) in _READS else "right_order"
    return {"right": 1.0, kind: 1.0}


TASK = Task(
    name="medagentbench",
    title="thirty tasks in an electronic record, by FHIR calls (own store, own values)",
    metrics=(
        Metric(id="right", title="tasks right"),
        Metric(id="right_answer", title="right, tasks that ask for a value"),
        Metric(id="right_order", title="right, tasks that record or order"),
        Metric(id="refused", title="calls that named a patient from nowhere", better="lower"),
        Metric(id="error", title="calls that the server refused", better="lower"),
    ),
    systems=("llm-alone", "rules"),
    attempt=attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    missing=lambda: missing(TASKS, FUNCTIONS),
    load=cases,
)
