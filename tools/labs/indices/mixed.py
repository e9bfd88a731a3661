"""Whether the results of one index were measured by two methods or in two kinds of specimen."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from knowledge.finding import Finding
from knowledge.laboratory_indices import IndexInputRow
from knowledge.result_sources import result_sources
from tools.labs.indices.supplied import Supplied
from tools.labs.result_source import method_of, specimen_of

_SERUM = frozenset({"serum", "plasma", "serum or plasma"})


def mixed_methods(
    inputs: Mapping[str, IndexInputRow], supplied: Mapping[str, Supplied]
) -> tuple[str, ...]:
    """Return a warning for each way in which the inputs are known to differ; empty for none.

    A gap of a few mmol/L between two analysers, or between arterial and venous blood, is the size
    of what the index is read for. What is not stated is not known to differ.

    Args:
        inputs: Of the index.
        supplied: By the name of the input.
    """
    return tuple(_said(inputs, supplied))


def _said(inputs: Mapping[str, IndexInputRow], supplied: Mapping[str, Supplied]) -> Iterator[str]:
    found = {
        spec.label: one
        for name, spec in inputs.items()
        if isinstance(one := supplied.get(name), Finding)
    }
    for what, stated in (
        ("by two kinds of method", {label: method_of(one) for label, one in found.items()}),
        ("in two kinds of specimen", {label: specimen_of(one) for label, one in found.items()}),
    ):
        known = {label: kind for label, kind in stated.items() if isinstance(kind, str)}
        if any(_differ(a, b) for a, b in combinations(known.values(), 2)):
            told = ", ".join(f"{label} {kind}" for label, kind in known.items())
            yield f"Measured {what} ({told}): read it with care, the difference may be theirs."


def _differ(one: str, other: str) -> bool:
    """Return whether two kinds are known to differ; serum and plasma do not for electrolytes."""
    if one == other or {one, other} <= _SERUM:
        return False
    held = result_sources()
    if not {one, other} <= held.specimens.keys():
        return True
    return not (held.is_within(one, other) or held.is_within(other, one))
