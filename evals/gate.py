"""Whether an evaluation lets a model answer: pure rules over its results, every failure named."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agent.llm.pool.approval import Figure, Setup
from agent.llm.pool.config import ApprovalRow, Floor, ModelRow
from evals.report import shown
from evals.results import TaskResult
from evals.statistics import Share
from knowledge.errors import InvalidValueError

_SHOWN = 12


def failing(
    results: Sequence[TaskResult],
    rules: ApprovalRow,
    *,
    model: str,
    row: ModelRow,
    prompts_sha256: str,
    cases: Mapping[str, int],
) -> tuple[str, ...]:
    """Return in words everything that keeps a model from answering; empty where nothing does.

    Args:
        results: Of one run.
        rules: What must have been run, and how well.
        model: Which model.
        row: Its weights, as the pool has them.
        prompts_sha256: Of the prompts that are used now.
        cases: Task to the number of all its cases.
    """
    by_task = {result.task: result for result in results}
    found: list[str] = []
    for name in rules.tasks:
        result = by_task.get(name)
        if result is None:
            found.append(f"{name}: was not run")
            continue
        found += _incomplete(result, cases.get(name, 0))
        found += _other_setup(result, model, row, prompts_sha256)
        found += _failed_trials(result, rules.most_failed)
    for result in results:
        found += result.defects()
    for floor in rules.floors:
        found += _below(by_task.get(floor.task), floor)
    return tuple(dict.fromkeys(found))


def setup_under_test(results: Sequence[TaskResult]) -> Setup | None:
    """Return what was under test; None where the tasks of a run do not agree on it."""
    setups = {result.setup for result in results if not result.skipped}
    return next(iter(setups)) if len(setups) == 1 else None


def figures(results: Sequence[TaskResult]) -> tuple[Figure, ...]:
    """Return every share of every system that was tested."""
    return tuple(
        Figure(
            task=result.task,
            system=system,
            metric=metric.id,
            share=value.share,
            low=value.low,
            high=value.high,
            of=value.of,
        )
        for result in results
        for system in result.systems
        for metric in result.metrics
        if (value := result.share(system, metric.id)).of
    )


def report_hash(folder: Path) -> str:
    """Return the SHA-256 over the names and hashes of the results in a folder.

    Raises:
        InvalidValueError: There are none.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InvalidValueError(str(folder), "holds no results", "name the folder of a run")
    lines = (f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _incomplete(result: TaskResult, cases: int) -> Iterator[str]:
    if result.skipped:
        yield f"{result.task}: not run: {result.skipped}"
    elif "agent" not in result.systems:
        yield f"{result.task}: the agent was not tested"
    elif result.cases < cases:
        yield f"{result.task}: {result.cases} of {cases} cases were run"


def _other_setup(
    result: TaskResult, model: str, row: ModelRow, prompts_sha256: str
) -> Iterator[str]:
    setup = result.setup
    if setup is None or setup.model != model:
        tested = "no model" if setup is None else setup.model
        yield f"{result.task}: was run with {tested}, not with {model}"
        return
    if (setup.sha256, setup.revision) != (row.sha256, row.revision):
        tested = setup.revision or (setup.sha256 or "weights that are not named")[:_SHOWN]
        yield f"{result.task}: was run with other weights ({tested})"
    if setup.prompts_sha256 != prompts_sha256:
        yield f"{result.task}: was run with other prompts than those of this version"


def _failed_trials(result: TaskResult, most: float) -> Iterator[str]:
    """Yield what the agent did not get: trials, and calls of the model.

    The agent ends well without a model, so a model that never answered would else pass.
    """
    trials = result.of("agent")
    failed = sum(bool(trial.failure) for trial in trials)
    if trials and failed / len(trials) > most:
        yield f"{result.task}: agent: {failed} of {len(trials)} trials failed"
    calls = sum(trial.llm.calls for trial in trials)
    lost = sum(trial.llm.failed_calls for trial in trials)
    if not result.skipped and not calls:
        yield f"{result.task}: agent: the model was never asked"
    elif calls and lost / calls > most:
        yield f"{result.task}: agent: {lost} of {calls} calls of the model failed"


def _below(result: TaskResult | None, floor: Floor) -> Iterator[str]:
    item = f"{floor.task}: {floor.system}: {floor.metric}"
    system = next((s for s in result.systems if s == floor.system), None) if result else None
    value: Share | None = None
    if result is not None and system is not None:
        value = result.share(system, floor.metric)
    if value is None or value.share is None:
        yield f"{item}: was not counted"
    elif floor.least is not None and value.share < floor.least:
        yield f"{item}: {shown(value)} is below {100 * floor.least:g} %"
    elif floor.most is not None and value.share > floor.most:
        yield f"{item}: {shown(value)} is above {100 * floor.most:g} %"
