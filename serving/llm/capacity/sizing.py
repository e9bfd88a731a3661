"""The most that some accelerators can do, and the fewest that do what is asked."""

import math
from collections.abc import Iterator

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.capacity.bounds import MOST_ACCELERATORS
from serving.llm.capacity.layout import Layout, groups
from serving.llm.capacity.load import Limit, Operating, operate
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.memory import most_sequences
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.workload import Slo, Workload

_NEAR = 1e-3
_MOST_CASES_PER_HOUR = 1e15
"""Of one copy; nothing of the table of accelerators comes near, a file of a machine might."""


class Best(Frozen):
    """The layout that can do most.

    Args:
        layout: It.
        cases_per_hour: Most that all its copies can do within the objectives; the least that they
            can do where `limit` is None.
        limit: What stops more; None where the search ended before anything did.
    """

    layout: Layout
    cases_per_hour: NonNegativeFloat
    limit: Limit | None


def layouts(model: ModelNumbers, machine: Effective, count: int) -> Iterator[Layout]:
    """Yield every layout over at most `count` accelerators; spare ones stay idle."""
    for one in groups(model, machine.per_node, count):
        yield one.model_copy(update={"replicas": count // one.group})


def best(
    model: ModelNumbers, machine: Effective, count: int, work: Workload, slo: Slo
) -> Best | None:
    """Return the layout of at most `count` accelerators that can do most.

    Of several that can do the same the first is taken: the one with the smallest copies. None where
    there is no accelerator.

    Args:
        model: What is served.
        machine: One accelerator.
        count: Accelerators there are.
        work: `cases_per_hour` does not matter, `users` do.
        slo: What must hold.
    """
    found: Best | None = None
    for layout in layouts(model, machine, count):
        cases, limit = most_cases(model, layout, machine, work, slo)
        if found is None or cases > found.cases_per_hour * (1 + _NEAR):
            found = Best(layout=layout, cases_per_hour=cases, limit=limit)
    return found


def most_cases(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload, slo: Slo
) -> tuple[float, Limit | None]:
    """Return the most cases an hour of a layout within the objectives, and what stops more.

    The users ask all the while. 0 where the objectives cannot be met for one request. The work is
    divided evenly among the copies, as in `whole_work`. Without a limit the search has ended first:
    the layout does at least so many.
    """
    copies = layout.replicas

    def at(cases: float) -> Operating:  # of one copy
        return operate(model, layout, machine, _of_one(work, copies, cases), slo)

    if not at(_NEAR).holds:
        return 0.0, at(_NEAR).limits[0]
    low, high = _NEAR, 1.0
    while at(high).holds:
        low, high = high, high * 4
        if high > _MOST_CASES_PER_HOUR:
            return low * copies, None
    while high - low > _NEAR * high:
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).holds else (low, middle)
    return low * copies, at(high).limits[0]


def fewest(model: ModelNumbers, machine: Effective, work: Workload, slo: Slo) -> Layout | None:
    """Return the layout with the fewest accelerators that does the work.

    None where `MOST_ACCELERATORS` do not.
    """
    found: Layout | None = None
    for shape in groups(model, machine.per_node, MOST_ACCELERATORS):
        most = (found.accelerators - 1 if found else MOST_ACCELERATORS) // shape.group
        copies = _fewest_copies(model, shape, machine, work, slo, most)
        if copies is not None:
            found = shape.model_copy(update={"replicas": copies})
    return found


def whole_work(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload, slo: Slo
) -> Operating:
    """Return how each copy of a layout does when the work is divided evenly."""
    part = _of_one(work, layout.replicas, work.cases_per_hour / layout.replicas)
    return operate(model, layout, machine, part, slo)


def most_held(model: ModelNumbers, machine: Effective, count: int, *, tokens: float) -> int:
    """Return how many sequences of a length the best layout for it holds."""
    return max(
        (
            most_sequences(model, one, machine, tokens=tokens)
            for one in layouts(model, machine, count)
        ),
        default=0,
    )


def _fewest_copies(
    model: ModelNumbers,
    shape: Layout,
    machine: Effective,
    work: Workload,
    slo: Slo,
    most: int,
) -> int | None:
    """Return the fewest copies, at most `most`: more copies never do worse."""

    def enough(copies: int) -> bool:
        layout = shape.model_copy(update={"replicas": copies})
        return whole_work(model, layout, machine, work, slo).holds

    if most < 1 or not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _of_one(work: Workload, copies: int, cases: float) -> Workload:
    """Return the work of one copy: its cases, and its users rounded up to whole people."""
    users = math.ceil(work.users / copies - 1e-9)
    return work.model_copy(update={"cases_per_hour": cases, "users": users})
