"""The evaluation tasks, found by scanning ``evals/tasks``."""

import importlib
from functools import cache
from pathlib import Path

from evals.task import Task
from knowledge.errors import InvalidValueError

_TASKS = Path(__file__).parent / "tasks"


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks, sorted."""
    return tuple(sorted(file.parent.name for file in _TASKS.glob("*/task.py")))


@cache
def task(name: str) -> Task:
    """Return one task.

    Raises:
        InvalidValueError: There is none of that name.
    """
    if name not in task_names():
        raise InvalidValueError(
            f"task {name!r}", "there is none of that name", f"one of {', '.join(task_names())}"
        )
    found: Task = importlib.import_module(f"evals.tasks.{name}.task").TASK
    return found
