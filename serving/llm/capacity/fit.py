"""What a machine gives, fitted on one run of one model, and what that predicts for another.

The fit finds three numbers: bytes per second, FLOPs per second and the fixed time of a step. All
else of a prediction (bytes read, arithmetic done) is counted from the model.

Every step of one dense model reads the same weights, so its run alone cannot tell the time of
reading them from the fixed time: bytes per second are better measured apart, and given.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.roofline import decode_step, prompt_seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_TIMINGS = 4
_STARTS_BYTES = (5e9, 2e10, 8e10)
_STARTS_FLOPS = (5e10, 2e11, 8e11)
_STARTS_OVERHEAD = (1e-4, 3e-3)


class Timing(Frozen):
    """One measured time.

    Args:
        kind: ``prompt``: `tokens` new tokens, one request. ``reply``: one step of `batch` replies.
        batch: Requests at once.
        tokens: New tokens of the prompt; of a reply, the tokens that each has, on average.
        seconds: Of the prompt, or of the step, by the clock on the wall.
        busy_s: Processor time of the server in it, over its threads; None where it was not taken.
            Other work of the machine adds to the one and little to the other.
    """

    kind: Literal["prompt", "reply"]
    batch: PositiveInt = 1
    tokens: PositiveFloat
    seconds: PositiveFloat
    busy_s: PositiveFloat | None = None


class Run(Frozen):
    """What was measured of one model on one machine.

    Args:
        model: Its numbers.
        timings: All of them.
        engine: Server and version.
        threads: Of the server.
        load: Of the machine before and after (runnable processes, mean of a minute).
        clock: Which time `Timing.seconds` is.
    """

    model: ModelNumbers
    timings: tuple[Timing, ...]
    engine: str
    threads: PositiveInt
    load: tuple[NonNegativeFloat, ...] = ()
    clock: Literal["wall", "processor"] = "wall"

    def on_processor(self) -> "Run":
        """Return the run with the processor time of the server in place of the wall clock's.

        Raises:
            InvalidValueError: It was not taken of every timing.
        """
        timings = []
        for one in self.timings:
            if one.busy_s is None:
                raise InvalidValueError(f"run of {self.model.id}", "has no processor times")
            timings.append(one.model_copy(update={"seconds": one.busy_s}))
        return self.model_copy(update={"timings": tuple(timings), "clock": "processor"})


class Compared(Frozen):
    """One timing and its prediction."""

    timing: Timing
    predicted_s: PositiveFloat

    @property
    def error(self) -> float:
        """Predicted less measured, over measured."""
        return self.predicted_s / self.timing.seconds - 1


class Prediction(Frozen):
    """The timings of a run and what was predicted for them.

    Args:
        rows: One for each timing.
        mean_absolute: Mean of the absolute relative errors.
        largest: The largest of them.
    """

    rows: tuple[Compared, ...]
    mean_absolute: NonNegativeFloat
    largest: NonNegativeFloat

    def mean_of(self, kind: Literal["prompt", "reply"]) -> float | None:
        """Return the mean absolute relative error of one kind; None where none was measured."""
        errors = [abs(row.error) for row in self.rows if row.timing.kind == kind]
        return sum(errors) / len(errors) if errors else None


def predicted_s(model: ModelNumbers, machine: Effective, timing: Timing) -> float:
    """Return the seconds that are predicted for what a timing measured."""
    if timing.kind == "prompt":
        return prompt_seconds(model, Layout(), machine, new=timing.tokens, cached=0)
    return decode_step(model, Layout(), machine, batch=timing.batch, context=timing.tokens).seconds


def predict(run: Run, machine: Effective) -> Prediction:
    """Return what a machine predicts for a run, beside what was measured."""
    rows = tuple(
        Compared(timing=timing, predicted_s=predicted_s(run.model, machine, timing))
        for timing in run.timings
    )
    errors = [abs(row.error) for row in rows]
    return Prediction(rows=rows, mean_absolute=sum(errors) / len(errors), largest=max(errors))


def fit(
    run: Run, *, usable_bytes: float, chunk_tokens: int, bytes_per_s: float | None = None
) -> Effective:
    """Return the machine that explains a run best: least squares of the logarithms of time.

    Args:
        run: At least four timings, of prompts and of replies.
        usable_bytes: Memory for weights, keys and values; not fitted.
        chunk_tokens: Most prompt tokens of one step of the server; not fitted.
        bytes_per_s: Of the memory, as measured apart; None to fit it too.

    Raises:
        InvalidValueError: Too few timings, or only of one kind.
    """
    if len(run.timings) < _LEAST_TIMINGS or len({one.kind for one in run.timings}) < 2:
        raise InvalidValueError(
            f"run of {run.model.id}",
            f"has {len(run.timings)} timings of {len({one.kind for one in run.timings})} kind(s)",
            "measure prompts and replies, at least four in all",
        )
    best: tuple[float, Effective] | None = None
    for start in _starts(bytes_per_s):
        cost, machine = _descend(run, start, usable_bytes, chunk_tokens, bytes_per_s)
        if best is None or cost < best[0]:
            best = (cost, machine)
    if best is None:
        raise AssertionError("there is a start")
    return best[1]


def _starts(bytes_per_s: float | None) -> list[tuple[float, ...]]:
    rates = _STARTS_BYTES if bytes_per_s is None else (None,)
    return [
        tuple(math.log(number) for number in (a, b, c) if number is not None)
        for a in rates
        for b in _STARTS_FLOPS
        for c in _STARTS_OVERHEAD
    ]


def _descend(
    run: Run,
    start: Sequence[float],
    usable_bytes: float,
    chunk_tokens: int,
    bytes_per_s: float | None,
) -> tuple[float, Effective]:
    import numpy as np
    from scipy.optimize import minimize

    def machine(point: "NDArray[np.float64]") -> Effective:
        found = [math.exp(min(max(float(value), -40.0), 60.0)) for value in point]
        *rate, flops, fixed = found
        return Effective(
            bytes_per_s=rate[0] if bytes_per_s is None else bytes_per_s,
            flops_per_s=flops,
            overhead_s=fixed,
            usable_bytes=usable_bytes,
            chunk_tokens=chunk_tokens,
        )

    def cost(point: "NDArray[np.float64]") -> float:
        found = machine(point)
        return sum(
            math.log(predicted_s(run.model, found, one) / one.seconds) ** 2 for one in run.timings
        )

    done = minimize(cost, np.array(start), method="Nelder-Mead", options={"maxiter": 800})
    return float(done.fun), machine(done.x)
