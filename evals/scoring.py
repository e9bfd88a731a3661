"""What is counted in a trial, and how trials add up; a failed trial is a wrong one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from evals.statistics import Share, share
from knowledge.model import Frozen

System = Literal[
    "agent",
    "llm-alone",
    "rules",
    "llm-everything-in-one-prompt",
    "tools-without-floor",
    "router",
    "nearest-card",
    "nearest-words",
    "nearest-both",
    "nearest-phrase",
]
"""What is under test, beside its baselines."""

WITHOUT_LLM: frozenset[System] = frozenset(
    {"rules", "router", "nearest-card", "nearest-words", "nearest-both", "nearest-phrase"}
)
"""Those that do not ask the configured model; the router brings its own."""


class Count(Frozen):
    """Hits of so many; a share once added up.

    Examples:
        >>> Count.of_all([True, False, True])
        Count(hits=2.0, of=3.0)
    """

    hits: NonNegativeFloat
    of: NonNegativeFloat

    @classmethod
    def of_all(cls, values: Iterable[bool]) -> "Count":
        """Return how many of the values are true."""
        found = list(values)
        return cls(hits=float(sum(found)), of=float(len(found)))


class Metric(Frozen):
    """One thing that is counted.

    Args:
        id: Key in `Measured.counts`.
        title: To show; says what a hit is.
        better: Whether more hits are better.
        must: The share that anything else than is a defect, where there is one.
        must_for: The systems that must reach it.
    """

    id: str
    title: str
    better: Literal["higher", "lower"] = "higher"
    must: float | None = None
    must_for: tuple[System, ...] = ("agent",)


class Measured(Frozen):
    """What one trial gave.

    Args:
        counts: By id of the metric.
        differences: By id of the quantity, measured less true, for each measurement.
        notes: What a person should see: each wrong fact, each refused call.
        digest: Hash of what must be equal over repeats; empty where nothing must.
    """

    counts: dict[str, Count] = Field(default_factory=dict)
    differences: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digest: str = ""


class LLMUse(Frozen):
    """What the model cost in one trial.

    Args:
        calls, failed_calls: Answered or not, and not.
        prompt_tokens, completion_tokens: As the server counts.
        cached_tokens: Of `prompt_tokens`, read from the server's cache, where it says so.
        seconds: Within calls.
    """

    calls: NonNegativeInt = 0
    failed_calls: NonNegativeInt = 0
    prompt_tokens: NonNegativeInt = 0
    cached_tokens: NonNegativeInt = 0
    completion_tokens: NonNegativeInt = 0
    seconds: NonNegativeFloat = 0.0


class Trial(Frozen):
    """One attempt of one system at one case.

    Args:
        case, system, repeat: Which.
        tags: Of the case.
        smoke: Of the case.
        failure: Why it gave nothing; its owed counts are then all wrong.
        measured: What it gave.
        seconds: Wall time.
        llm: What the model cost.
    """

    case: str
    system: System
    repeat: NonNegativeInt = 0
    tags: tuple[str, ...] = ()
    smoke: bool = False
    failure: str = ""
    measured: Measured = Measured()
    seconds: NonNegativeFloat = 0.0
    llm: LLMUse = LLMUse()


def failed(owed: Mapping[str, float], metrics: Sequence[Metric]) -> dict[str, Count]:
    """Return the counts of a trial that gave nothing: everything it owed is wrong.

    Args:
        owed: Denominators by metric, as a trial that works would count them.
        metrics: Of the task.
    """
    worse = {metric.id for metric in metrics if metric.better == "lower"}
    return {key: Count(hits=of if key in worse else 0.0, of=of) for key, of in owed.items()}


def added(trials: Iterable[Trial], metric: str) -> Share:
    """Return a metric over trials; repeats of one case are one cluster."""
    clusters: dict[str, tuple[float, float]] = {}
    for trial in trials:
        count = trial.measured.counts.get(metric)
        if count is not None:
            hits, of = clusters.get(trial.case, (0.0, 0.0))
            clusters[trial.case] = (hits + count.hits, of + count.of)
    return share(list(clusters.values()))
