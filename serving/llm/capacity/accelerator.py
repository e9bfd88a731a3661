"""Accelerators by name: figures of their data sheets, each with its source."""

import difflib
import re
from collections.abc import Mapping
from functools import cache

from pydantic import Field, field_validator, model_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.llm.capacity.assumed import Assumptions, assumptions
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.tables import packaged, read

_GIB = float(1 << 30)
_REVIEW = re.compile(r"V:\S.*|R\d{2,3}|A")


class UnknownAcceleratorError(InvalidValueError):
    """There is no accelerator of that name."""


class Figure(Frozen):
    """One number of a data sheet.

    Args:
        value: In the unit of its field.
        source: Key of the file's `sources`.
        review: ``V:<where>`` seen there, ``R95`` recalled, ``A`` assumed.
    """

    value: float = Field(gt=0)
    source: str
    review: str

    @field_validator("review")
    @classmethod
    def _known_form(cls, tag: str) -> str:
        if _REVIEW.fullmatch(tag) is None:
            raise ValueError(f"{tag!r} is no review tag such as V:page, R95 or A")
        return tag

    @property
    def words(self) -> str:
        """How sure it is."""
        if self.review == "A":
            return "assumed"
        if self.review.startswith("V:"):
            return f"seen at {self.review[2:]}"
        return f"recalled with {self.review[1:]} % confidence"


class DataSheet(Frozen):
    """Where figures are from."""

    title: str
    seen: str
    seen_on: str


class Accelerator(Frozen):
    """One kind of accelerator.

    Args:
        name: Stable key.
        label: As its maker calls it.
        aliases: Other names.
        note: What to know of its figures.
        memory_gb: 10^9 bytes.
        bandwidth_gb_s: 10^9 bytes per second.
        tflops: 10^12 operations per second without sparsity, by precision of the weights.
        per_node: Accelerators that share a node.
    """

    name: str
    label: str
    aliases: tuple[str, ...] = ()
    note: str = ""
    memory_gb: Figure
    bandwidth_gb_s: Figure
    tflops: Mapping[str, Figure]
    per_node: Figure

    @field_validator("tflops")
    @classmethod
    def _with_bfloat16(cls, tflops: Mapping[str, Figure]) -> Mapping[str, Figure]:
        if "bfloat16" not in tflops:
            raise ValueError("bfloat16 is what other precisions are unpacked to")
        return tflops

    def arithmetic(self, weights: str) -> Figure:
        """Return the arithmetic rate for weights of a precision, unpacked where need be."""
        return self.tflops.get(weights, self.tflops["bfloat16"])

    @property
    def assumed(self) -> bool:
        """Whether a figure that decides a plan is assumed."""
        figures = (self.memory_gb, self.bandwidth_gb_s, *self.tflops.values())
        return any(figure.review == "A" for figure in figures)

    def ends(self, weights: str, known: Assumptions | None = None) -> tuple[Effective, Effective]:
        """Return the worse and the better end of what one of them gives.

        Args:
            weights: Precision of the weights.
            known: Assumptions; None for the packaged ones.
        """
        known = known or assumptions()
        flops = self.arithmetic(weights).value * 1e12

        def end(*, worse: bool) -> Effective:
            rate = "low" if worse else "high"
            cost = "high" if worse else "low"
            return Effective(
                bytes_per_s=self.bandwidth_gb_s.value
                * 1e9
                * getattr(known.of("bandwidth_efficiency"), rate),
                flops_per_s=flops * getattr(known.of("compute_efficiency"), rate),
                overhead_s=getattr(known.of("step_overhead_ms"), cost) / 1e3,
                link_s=getattr(known.of("link_ms"), cost) / 1e3,
                node_link_s=getattr(known.of("node_link_ms"), cost) / 1e3,
                usable_bytes=self.memory_gb.value * 1e9 * getattr(known.of("memory_share"), rate)
                - getattr(known.of("reserve_gib"), cost) * _GIB,
                imbalance=getattr(known.of("imbalance"), cost),
                per_node=int(self.per_node.value),
            )

        return end(worse=True), end(worse=False)


class Accelerators(Frozen):
    """The packaged table."""

    title: str
    version: str
    licence: str
    sources: Mapping[str, DataSheet]
    accelerators: tuple[Accelerator, ...]

    @model_validator(mode="after")
    def _sources_known(self) -> "Accelerators":
        for one in self.accelerators:
            figures = (one.memory_gb, one.bandwidth_gb_s, *one.tflops.values(), one.per_node)
            for figure in figures:
                if figure.source not in self.sources:
                    raise ValueError(f"{one.name}: no source {figure.source!r}")
        return self


@cache
def accelerators() -> Accelerators:
    """Return the packaged table.

    Raises:
        ReferenceDataError: The file is not valid.
    """
    return read("accelerators.yaml", packaged("accelerators.yaml"), Accelerators)


def accelerator(name: str) -> Accelerator:
    """Return an accelerator by name or alias; case and blanks do not matter.

    Raises:
        UnknownAcceleratorError: There is none; the message names near ones.

    Examples:
        >>> accelerator("H100").label
        'NVIDIA H100 80 GB SXM5'
    """
    wanted = "-".join(name.strip().casefold().split())
    known = {key: one for one in accelerators().accelerators for key in (one.name, *one.aliases)}
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}" if near else f"one of {', '.join(known)}"
    raise UnknownAcceleratorError(
        f"--gpu {name}", "is not in the table", f"{hint}, or a file of a fitted machine"
    )
