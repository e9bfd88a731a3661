"""Accelerators of one kind: from the table of data sheets, or a machine fitted on a run."""

from pydantic import NonNegativeFloat, PositiveInt

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.llm.capacity.accelerator import Accelerator
from serving.llm.capacity.bounds import MOST_ACCELERATORS, require_within
from serving.llm.capacity.machine import Effective


class Pool(Frozen):
    """Accelerators of one kind.

    Args:
        name: Of the kind.
        label: As its maker calls it.
        count: How many there are; None where the fewest are asked for.
        worse, better: One of them at both ends of the assumptions.
        figures: Its figures with their sources, in words.
        price_per_hour: Of one accelerator, in the currency of the user; None where not given.
        measured: Whether its ends are a measurement with its error, and no assumption.
    """

    name: str
    label: str
    count: PositiveInt | None
    worse: Effective
    better: Effective
    figures: tuple[str, ...]
    price_per_hour: NonNegativeFloat | None = None
    measured: bool = False


def pool_of(
    kind: Accelerator, *, weights: str, count: int | None, price_per_hour: float | None = None
) -> Pool:
    """Return a pool of accelerators of the table.

    Args:
        kind: Of the table.
        weights: Precision of the weights, which decides the arithmetic.
        count: How many; None where the fewest are asked for.
        price_per_hour: Of one.

    Raises:
        InvalidValueError: A count below 1 or above `MOST_ACCELERATORS`.
    """
    if count is not None:
        require_within("--gpus", count, MOST_ACCELERATORS)
    if count is not None and count < 1:
        raise InvalidValueError(f"--gpus {count}", "is no number of accelerators", "give 1 or more")
    worse, better = kind.ends(weights)
    rate = kind.arithmetic(weights)
    unpacked = "" if weights in kind.tflops else f" ({weights} is unpacked to bfloat16)"
    memory, bandwidth = kind.memory_gb, kind.bandwidth_gb_s
    figures = (
        f"memory {memory.value:g} GB: {memory.source}, {memory.words}",
        f"bandwidth {bandwidth.value:g} GB/s: {bandwidth.source}, {bandwidth.words}",
        f"arithmetic {rate.value:g} TFLOP/s{unpacked}: {rate.source}, {rate.words}",
    )
    return Pool(
        name=kind.name,
        label=kind.label,
        count=count,
        worse=worse,
        better=better,
        figures=(*figures, kind.note) if kind.note else figures,
        price_per_hour=price_per_hour,
    )
