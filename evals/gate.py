"""Whether an evaluation lets a model answer: rules over its results, every failure named."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agent.llm.pool.approval import Figure, NotAssessed, Setup
from agent.llm.pool.config import ApprovalRow, Floor, ModelRow
from evals.completeness import impossible, judged, not_whole, unassessed, uncounted
from evals.report import shown
from evals.results import TaskResult, contents
from evals.scoring import System
from evals.statistics import Share
from evals.task import Task

_SHOWN = 12
_NO_TASK = "there is no task of that name"
_CORRECT = "see epicrisis eval list, and correct approval in the file of the pool"


def failing(
    results: Sequence[TaskResult],
    rules: ApprovalRow,
    *,
    model: str,
    row: ModelRow,
    prompts_sha256: str,
    tasks: Mapping[str, Task],
) -> tuple[str, ...]:
    """Return in words everything that keeps a model from answering; empty where nothing does.

    Args:
        results: Of one run.
        rules: What must have been run, and how well.
        model: Which model.
        row: Its weights, as the pool has them.
        prompts_sha256: Of the prompts that are used now.
        tasks: The tasks of this version, by name: what is counted is theirs, not the file's.
    """
    if broken := tuple(impossible(results)):
        return broken
    by_task = {result.task: result for result in by_own_code(results, tasks)}
    found = list(_twice(results))
    found += [f"{name}: {_NO_TASK}" for name in by_task if name not in tasks]
    for name in asked_for(rules):
        result = by_task.get(name)
        found += _incomplete(name, result, tasks.get(name), rules)
        if result is not None:
            found += _other_setup(result, model, row, prompts_sha256)
        if result is not None and name in rules.tasks:
            found += _failed_trials(result, rules.most_failed)
    for result in by_task.values():
        found += result.defects()
    for floor in rules.floors:
        found += _below(by_task.get(floor.task), floor)
    return tuple(dict.fromkeys(found))


def by_own_code(results: Sequence[TaskResult], tasks: Mapping[str, Task]) -> tuple[TaskResult, ...]:
    """Return results as the tasks' own code counts them; of another task, as they are."""
    return tuple(
        judged(result, tasks[result.task]) if result.task in tasks else result for result in results
    )


def setup_under_test(results: Sequence[TaskResult]) -> Setup | None:
    """Return what was under test; None where the tasks of a run do not agree on it."""
    setups = {result.setup for result in results if not result.skipped}
    return next(iter(setups)) if len(setups) == 1 else None


def not_assessed(
    results: Sequence[TaskResult], rules: ApprovalRow, tasks: Mapping[str, Task]
) -> tuple[NotAssessed, ...]:
    """Return the cases of which results that passed say nothing."""
    found = (
        (result.task, unassessed(result, task, _needed(task, rules)))
        for result in results
        if (task := tasks[result.task])
    )
    return tuple(NotAssessed(task=name, cases=cases) for name, cases in found if cases)


def asked_for(rules: ApprovalRow) -> tuple[str, ...]:
    """Return the tasks that decide: those that must be run, and those that a floor names."""
    return tuple(dict.fromkeys([*rules.tasks, *(floor.task for floor in rules.floors)]))


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
    return contents_hash(contents(folder))


def contents_hash(files: Mapping[str, bytes]) -> str:
    """Return the same over results that were read: their names with their bytes, in order."""
    lines = (f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in files.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _twice(results: Sequence[TaskResult]) -> Iterator[str]:
    for name, times in Counter(result.task for result in results).items():
        if times > 1:
            yield f"{name}: {times} files are results of it, and it is not clear which counts"


def _incomplete(
    name: str, result: TaskResult | None, task: Task | None, rules: ApprovalRow
) -> Iterator[str]:
    if task is None:
        yield f"{name}: cannot be counted here: {_NO_TASK} ({_CORRECT})"
    elif why := task.missing():
        yield f"{name}: cannot be counted here: {why}"
    elif result is None:
        # Of a task that only a floor names, the floor says that it was not counted.
        yield from [f"{name}: was not run"] if name in rules.tasks else []
    elif result.skipped:
        yield f"{name}: not run: {result.skipped}"
    else:
        systems = _needed(task, rules)
        floors = {(floor.system, floor.metric) for floor in rules.floors if floor.task == name}
        yield from not_whole(result, task, systems)
        yield from uncounted(result, task, systems, floors)


def _needed(task: Task, rules: ApprovalRow) -> tuple[System, ...]:
    """Return the systems whose trials must be whole: those that something is asked of.

    For a task that must be run the agent, and those that must hold; for a floor its system.
    """
    needed = {floor.system for floor in rules.floors if floor.task == task.name}
    if task.name not in rules.tasks:
        return tuple(system for system in task.systems if system in needed)
    needed |= {system for one in task.metrics if one.must is not None for system in one.must_for}
    return ("agent", *(s for s in task.systems if s in needed and s != "agent"))


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
