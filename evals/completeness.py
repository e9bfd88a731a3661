"""Whether a result holds all trials of its task, and whether they count what the task's code owes.

Nothing that a file of results says of itself is taken: cases, systems, metrics, what must hold and
what a trial owes are the task's own. A trial keeps its counts and not what was answered, so that
its hits are believed as they are written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from math import isfinite

from evals.case import Case, read_cases
from evals.results import TaskResult
from evals.scoring import Metric, System, Trial, failed
from evals.task import Task
from knowledge.plain_text import visible

_SHOWN = 3
_LONGEST = 60


def all_cases(task: Task) -> tuple[Case, ...]:
    """Return every case of a task, also those whose data is not here.

    A task leaves out cases whose data does not come with the product; see `left_out`.
    """
    file = task.folder / "cases.jsonl"
    return read_cases(file) if file.is_file() else task.cases()


def left_out(task: Task) -> tuple[str, ...]:
    """Return the cases that cannot be run here, for want of recordings that are fetched apart."""
    here = {case.id for case in task.cases()}
    return tuple(case.id for case in all_cases(task) if case.id not in here)


def unassessed(result: TaskResult, task: Task, systems: Iterable[System]) -> tuple[str, ...]:
    """Return the cases that a result says nothing of, since they cannot be run here.

    Args:
        result: Of the task, in which every case was run that can be run here, see `not_whole`.
        task: Whose cases can be read here.
        systems: Which must have tried a case, in each repeat.
    """
    tried = {(trial.case, trial.system, trial.repeat) for trial in result.trials}
    wanted = tuple(product(systems, range(max(1, result.repeats))))
    return tuple(
        case for case in left_out(task) if any((case, *one) not in tried for one in wanted)
    )


def judged(result: TaskResult, task: Task) -> TaskResult:
    """Return a result with what the task's code counts, and failed trials as it counts them."""
    cases = {case.id: case for case in all_cases(task)} if not task.missing() else {}
    return result.model_copy(
        update={
            "metrics": task.metrics,
            "quantities": task.quantities,
            "systems": tuple(s for s in task.systems if result.of(s)),
            "trials": tuple(
                _recounted(trial, task, cases.get(trial.case)) for trial in result.trials
            ),
        }
    )


def not_whole(result: TaskResult, task: Task, systems: Iterable[System]) -> Iterator[str]:
    """Yield why trials are not each case of the task by each system, once in each repeat.

    Each case that can be run here, that is; others may have been run elsewhere.

    Args:
        result: Of the task.
        task: Whose cases can be read here.
        systems: Which must have been tested.
    """
    ids = [case.id for case in task.cases()]
    strange = {trial.case for trial in result.trials} - {case.id for case in all_cases(task)}
    if strange:
        yield f"{result.task}: has trials of cases that the task has not: {_some(strange)}"
    others = {trial.system for trial in result.trials} - set(task.systems)
    if others:
        yield f"{result.task}: has trials of systems that the task has not: {_some(others)}"
    tried = Counter((trial.case, trial.system, trial.repeat) for trial in result.trials)
    twice = {case for (case, _, _), times in tried.items() if times > 1}
    if twice:
        yield f"{result.task}: has trials twice: {_some(twice)}"
    repeats = range(max(1, result.repeats))
    if any(trial.repeat not in repeats for trial in result.trials):
        yield f"{result.task}: has trials beyond its {len(repeats)} repeats"
    for system in systems:
        if not result.of(system):
            yield f"{result.task}: the {system} was not tested"
            continue
        done = sum(all((one, system, n) in tried for n in repeats) for one in ids)
        if done < len(ids):
            yield f"{result.task}: {system}: {done} of {len(ids)} cases were run"


def uncounted(
    result: TaskResult, task: Task, systems: Iterable[System], floors: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yield what was not counted although it must hold, or although a floor is set for it.

    Args:
        result: Of the task.
        task: Whose cases can be read here.
        systems: Which must have been tested.
        floors: System and metric of each floor of this task.
    """
    cases = {case.id: case for case in all_cases(task)}
    floored = set(floors)
    for system, metric in product(systems, task.metrics):
        must = metric.must is not None and system in metric.must_for
        if not must and (system, metric.id) not in floored:
            continue
        trials = [trial for trial in result.of(system) if trial.case in cases]
        item = f"{result.task}: {system}: {metric.title}"
        if must and trials and result.share(system, metric.id).share is None:
            yield f"{item}: was not counted, so that it is not shown to hold"
        short = sum(_short(trial, task, cases[trial.case], metric) for trial in trials)
        if short:
            yield f"{item}: {short} of {len(trials)} trials count less than their case owes"


def impossible(results: Iterable[TaskResult]) -> Iterator[str]:
    """Yield the counts of which no share can be made: more hits than there were, no number."""
    for result in results:
        wrong = {trial.case for trial in result.trials if not _possible(trial)}
        if wrong:
            yield f"{result.task}: has counts that cannot be: {_some(wrong)}"


def _recounted(trial: Trial, task: Task, case: Case | None) -> Trial:
    if not trial.failure or case is None or trial.system not in task.systems:
        return trial
    counts = failed(task.owed(case, trial.system), task.metrics)
    return trial.model_copy(
        update={"measured": trial.measured.model_copy(update={"counts": counts})}
    )


def _short(trial: Trial, task: Task, case: Case, metric: Metric) -> bool:
    owed = task.owed(case, trial.system).get(metric.id, 0.0)
    count = trial.measured.counts.get(metric.id)
    return owed > (0.0 if count is None else count.of)


def _possible(trial: Trial) -> bool:
    counts = trial.measured.counts.values()
    return all(isfinite(one.of) and one.hits <= one.of for one in counts)


def _some(names: Iterable[str]) -> str:
    found = sorted(visible(name)[:_LONGEST] for name in names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
