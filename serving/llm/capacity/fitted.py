"""A machine that was measured, as a file: what ``--gpu FILE`` reads and the benchmark writes."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from knowledge.errors import InvalidValueError, ReferenceDataError
from knowledge.model import Frozen
from serving.llm.capacity.bounds import MOST_ACCELERATORS, is_finite, numbers_in, shown
from serving.llm.capacity.fit import Prediction, Run
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.pool import Pool
from serving.llm.capacity.tables import packaged, read

_SUFFIX = ".json"
_RANGES: Mapping[str, tuple[float, float]] = {
    "bytes_per_s": (1, 1e30),  # a fit whose steps never wait for memory finds up to 1e26
    "flops_per_s": (1, 1e30),
    "overhead_s": (0, 1e6),
    "link_s": (0, 1e6),
    "node_link_s": (0, 1e6),
    "usable_bytes": (0, 1e18),
    "imbalance": (1, 1e6),
    "per_node": (1, MOST_ACCELERATORS),
    "chunk_tokens": (1, 1e9),
    "margin": (0, 100),
}
"""Least and most of each number of a machine that is planned with."""


class Fitted(Frozen):
    """A machine fitted on one run and checked on another.

    Args:
        label: The machine in words.
        measured_on: Date, ISO 8601.
        fitted_on: The run that the numbers are fitted on.
        machine: The numbers.
        fitted_error: Mean absolute relative error on that run.
        checked_on: The other run; None where there was none.
        check: What was predicted for it.
    """

    label: str
    measured_on: str
    fitted_on: Run
    machine: Effective
    fitted_error: NonNegativeFloat
    checked_on: Run | None = None
    check: Prediction | None = None

    @property
    def margin(self) -> float:
        """Relative error that a plan allows for: of the check, else of the fit."""
        return self.check.mean_absolute if self.check else self.fitted_error


class Recorded(Frozen):
    """The fits of one machine.

    Args:
        title: Of the record.
        goal: Mean relative error that was aimed at.
        fits: One for each direction: fitted on one model, checked on the other.
    """

    title: str
    goal: float = Field(gt=0)
    fits: tuple[Fitted, ...] = Field(min_length=1)


@cache
def recorded_cpu(engine: Literal["vllm", "llama.cpp"] = "vllm") -> Recorded:
    """Return the packaged record of the benchmark of an engine on a CPU.

    Raises:
        ReferenceDataError: The file is not valid.
    """
    name = {"vllm": "cpu_fit.json", "llama.cpp": "cpu_fit_llama_cpp.json"}[engine]
    return read(name, packaged(name), Recorded)


def is_fitted(name: str) -> bool:
    """Return whether ``--gpu`` names a file of a fitted machine and no accelerator."""
    return name.endswith(_SUFFIX)


def fitted_pool(
    path: Path, *, count: PositiveInt | None, price: float | None = None, experts: bool = False
) -> Pool:
    """Return the machine of a file as a pool.

    Its two ends are the fitted rates less and more the error that the check showed, of the fit that
    was checked on a model of the same kind; where none was, of the one with the largest error.

    Args:
        path: Of the record.
        count: How many there are.
        price: Of one for an hour.
        experts: Whether it is for a mixture of experts, for which a dense model says little.

    Raises:
        InvalidValueError: There is no such file.
        ReferenceDataError: It is no record of a fit, or a number of it is none of a machine.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidValueError(
            f"--gpu {path.name}",
            f"cannot be read: {error.strerror}",
            "measure this machine by `python bench/llm_capacity.py --out FILE`",
        ) from error
    fits = read(path.name, content, Recorded).fits
    for place, one in enumerate(fits):
        _require_figures(f"{path.name}: fits.{place}", one)
    alike = [f for f in fits if f.checked_on and bool(f.checked_on.model.experts) is experts]
    found = alike[0] if alike else max(fits, key=lambda one: one.margin)
    other = "" if alike else f", which is no {'mixture of experts' if experts else 'dense model'}"
    checked = f"checked on {found.checked_on.model.id}" if found.checked_on else "not checked"
    checked += other
    return Pool(
        name=path.stem,
        label=found.label,
        count=count or 1,
        worse=_scaled(found.machine, 1 + found.margin),
        better=_scaled(found.machine, 1 / (1 + found.margin)),
        figures=(
            f"measured on {found.measured_on} with {found.fitted_on.model.id}, {checked}",
            f"both ends allow for the error of {found.margin:.0%}",
        ),
        price_per_hour=price,
        measured=True,
    )


def _require_figures(name: str, found: Fitted) -> None:
    """Refuse a record with a number that is none, or that no machine has."""
    way_out = "correct it, or measure again by `python bench/llm_capacity.py --out FILE`"
    for where, number in numbers_in(found.model_dump()):
        if not is_finite(number):
            raise ReferenceDataError(f"{name}.{where}", f"{shown(number)} is no figure", way_out)
    given = {**found.machine.model_dump(), "margin": found.margin}
    for where, (least, most) in _RANGES.items():
        if not least <= given[where] <= most:
            raise ReferenceDataError(
                f"{name} {where} {shown(given[where])}",
                f"is not {least:g} to {most:g}",
                way_out,
            )


def _scaled(machine: Effective, slower: float) -> Effective:
    return machine.model_copy(
        update={
            "bytes_per_s": machine.bytes_per_s / slower,
            "flops_per_s": machine.flops_per_s / slower,
            "overhead_s": machine.overhead_s * slower,
        }
    )
