"""The result of an evaluation run as files: one JSON for each task, beside the report."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from agent.llm.pool.approval import Setup
from evals.agreement import Agreement, Quantity, agreement, exceeded
from evals.scoring import Metric, System, Trial, added
from evals.statistics import Share
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen


class TaskResult(Frozen):
    """All trials of one task in one run.

    Args:
        task: Its name.
        title: What it asks.
        skipped: Why it was not run; empty where it was.
        llm: Name of the model; empty where there was none.
        llm_reason: Why there was none.
        repeats: Times each case was tried.
        cases: How many cases were tried, of how many there are.
        of_cases: All of them.
        metrics: What was counted.
        quantities: What was measured against a known truth.
        systems: What was tested.
        trials: One for each case, system and repeat.
        epicrisis: Version of this product.
        started: When, ISO 8601.
        setup: Model, prompts and index under test; None where there was no model.
    """

    task: str
    title: str
    skipped: str = ""
    llm: str = ""
    llm_reason: str = ""
    repeats: int = 1
    cases: int = 0
    of_cases: int = 0
    metrics: tuple[Metric, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    systems: tuple[System, ...] = ()
    trials: tuple[Trial, ...] = ()
    epicrisis: str = ""
    started: str = ""
    setup: Setup | None = None

    def of(self, system: System) -> tuple[Trial, ...]:
        """Return the trials of one system."""
        return tuple(trial for trial in self.trials if trial.system == system)

    def share(self, system: System, metric: str) -> Share:
        """Return one metric of one system."""
        return added(self.of(system), metric)

    def agreement(self, system: System, quantity: str) -> Agreement | None:
        """Return how near one quantity is to the truth; None where nothing was measured."""
        found = [t.measured.differences.get(quantity, ()) for t in self.of(system)]
        return agreement([one for differences in found for one in differences])

    def defects(self) -> tuple[str, ...]:
        """Return in words each metric that must have one value and has another.

        So does each stated error of a measurement that is not met.

        A trial that failed of a system that must hold is a defect itself: what was not answered was
        not shown to hold.
        """
        held = {s for metric in self.metrics if metric.must is not None for s in metric.must_for}
        found: list[str] = []
        for system in sorted(held):
            failed = sum(bool(trial.failure) for trial in self.of(system))
            if failed:
                found.append(f"{self.task}: {system}: {failed} trials failed")
        for metric in self.metrics:
            for system in metric.must_for:
                got = self.share(system, metric.id).share
                if metric.must is not None and got is not None and got != metric.must:
                    found.append(f"{self.task}: {system}: {metric.title}: {got:.3f}")
        for quantity in self.quantities:
            for system in self.systems:
                said = exceeded(quantity, self.agreement(system, quantity.id))
                found += [f"{self.task}: {system}: {text}" for text in said]
        return tuple(found)


def save(result: TaskResult, folder: Path) -> Path:
    """Write one result and return its file.

    Raises:
        InvalidValueError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{result.task}.json"
        file.write_text(result.model_dump_json(indent=1, exclude_defaults=True) + "\n", "utf-8")
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another folder"
        ) from error
    return file


def load(folder: Path) -> tuple[TaskResult, ...]:
    """Return every result of a run folder, by name of the file.

    Raises:
        InvalidValueError: There is none, or a file is not one.
    """
    return parsed(contents(folder))


def contents(folder: Path) -> Mapping[str, bytes]:
    """Return the files of results of a run folder: name to bytes, by name.

    Raises:
        InvalidValueError: There is none, or one cannot be read.
    """
    try:
        found = {file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))}
    except OSError as error:
        raise InvalidValueError(
            str(folder), f"cannot be read: {error.strerror}", "name the folder of a run"
        ) from error
    if not found:
        raise InvalidValueError(str(folder), "holds no results", "name the folder of a run")
    return found


def parsed(files: Mapping[str, bytes]) -> tuple[TaskResult, ...]:
    """Return the results in files that were read, in their order.

    Raises:
        InvalidValueError: One is not a result.
    """
    found: list[TaskResult] = []
    for name, content in files.items():
        try:
            found.append(TaskResult.model_validate_json(content))
        except ValidationError as error:
            raise InvalidValueError(
                name, "is not a result of a task", "name a run folder"
            ) from error
    return tuple(found)
