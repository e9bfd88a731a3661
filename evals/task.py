"""What an evaluation task is: a folder with its source, its cases and a pure scorer."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from agent.llm.seam import LLM
from evals.agreement import Quantity
from evals.case import Case, read_cases
from evals.metering import Metered
from evals.scoring import Measured, Metric, System
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a trial may use.

    Args:
        settings: Limits and switches.
        llm: The model under test; None where there is none.
        no_llm: Why there is none.
        now: The moment that every trial takes for now.
        folder: An empty folder for this trial alone.
        repeat: From 0.
    """

    settings: Settings
    llm: Metered | None
    no_llm: str
    now: ClinicalTime
    folder: Path
    repeat: int = 0

    def model(self) -> LLM | None:
        """Return the model as the seam has it."""
        return self.llm


Attempt = Callable[[Case, System, Bench], Awaitable[Measured]]
Owed = Callable[[Case, System], Mapping[str, float]]


Around = Callable[[Settings], AbstractAsyncContextManager[None]]


def _available() -> str:
    return ""


def _nothing(settings: Settings) -> AbstractAsyncContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class Task:
    """An evaluation.

    Args:
        name: Of its folder.
        title: What it asks, in one line.
        metrics: What is counted.
        systems: What is tested, the one of interest first, then the baselines.
        attempt: Runs one trial.
        owed: What a trial that fails is counted as having got wrong.
        folder: Where its files are.
        quantities: What is measured against a known truth, beside what is counted.
        missing: Returns why it cannot be run here; empty where it can.
        load: Returns the cases, where they are not those of ``cases.jsonl``.
        around: Entered around all trials of a run, for what they share.
    """

    name: str
    title: str
    metrics: tuple[Metric, ...]
    systems: tuple[System, ...]
    attempt: Attempt
    owed: Owed
    folder: Path
    quantities: tuple[Quantity, ...] = ()
    missing: Callable[[], str] = _available
    load: Callable[[], tuple[Case, ...]] | None = None
    around: Around = _nothing

    def cases(self) -> tuple[Case, ...]:
        """Return its cases in order."""
        return self.load() if self.load is not None else read_cases(self.folder / "cases.jsonl")

    @property
    def about(self) -> str:
        """The text of its ``README.md``."""
        return (self.folder / "README.md").read_text("utf-8")
