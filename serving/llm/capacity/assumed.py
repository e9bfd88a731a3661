"""What the planner assumes, as ranges with their reasons."""

from functools import cache
from typing import Literal

from pydantic import model_validator

from knowledge.model import Frozen
from serving.llm.capacity.span import Span
from serving.llm.capacity.tables import packaged, read

Key = Literal[
    "bandwidth_efficiency",
    "compute_efficiency",
    "step_overhead_ms",
    "link_ms",
    "node_link_ms",
    "memory_share",
    "reserve_gib",
    "imbalance",
]


class Assumption(Frozen):
    """One assumed figure.

    Args:
        key: What reads it.
        label: In words, with the unit.
        low, high: Its ends.
        because: Why these, or that nobody measured it.
    """

    key: Key
    label: str
    low: float
    high: float
    because: str

    @property
    def span(self) -> Span:
        """Both ends."""
        return Span(low=self.low, high=self.high)


class Assumptions(Frozen):
    """All of them."""

    title: str
    version: str
    assumptions: tuple[Assumption, ...]

    @model_validator(mode="after")
    def _each_once(self) -> "Assumptions":
        keys = [one.key for one in self.assumptions]
        if sorted(keys) != sorted(Key.__args__):  # type: ignore[attr-defined]
            raise ValueError(f"every assumption once, not {keys}")
        return self

    def of(self, key: Key) -> Assumption:
        """Return one of them."""
        return next(one for one in self.assumptions if one.key == key)


@cache
def assumptions() -> Assumptions:
    """Return the packaged assumptions.

    Raises:
        ReferenceDataError: The file is not valid.
    """
    return read("assumptions.yaml", packaged("assumptions.yaml"), Assumptions)
