"""What is written beside an upcycled checkpoint: what it was made of, and how it was checked."""

from pathlib import Path

import orjson
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError

from knowledge.model import Frozen
from serving.llm.upcycle.plan import Plan

FILE = "upcycle.json"


class Source(Frozen):
    """The dense model.

    Args:
        name: As people call it.
        sha256: Of its file of weights.
        licence: Of the weights, an SPDX id; None where nobody said.
    """

    name: str
    sha256: str
    licence: str | None = None


class Parameters(Frozen):
    """How many numbers the mixture has.

    Args:
        total: All; tied embeddings once.
        active: Those that work on one token.
        dense: Those of the dense model.
    """

    total: PositiveInt
    active: PositiveInt
    dense: PositiveInt

    @property
    def active_share(self) -> float:
        """Part of all that works on one token, 0 to 1."""
        return self.active / self.total


class Difference(Frozen):
    """How far the mixture's outputs are from the float32 dense model's, over the check's prompts.

    Args:
        dtype: In which the mixture computed.
        top_k: Experts that worked on each token.
        tokens: Positions compared.
        largest: Largest absolute difference of a logit.
        tolerance: Most that is allowed: in bfloat16 twice the rounding of the dense model itself.
        same_first: Positions at which both name the same next token first.
    """

    dtype: str
    top_k: PositiveInt
    tokens: PositiveInt
    largest: NonNegativeFloat
    tolerance: NonNegativeFloat
    same_first: NonNegativeInt

    @property
    def equal(self) -> bool:
        """Whether the outputs are equal within the tolerance."""
        return self.largest <= self.tolerance


class Record(Frozen):
    """The whole file.

    Args:
        plan: What was asked for.
        source: What it was made of.
        parameters: How large it is.
        differences: The checks against the dense model.
        tuned: Whether anything was trained since: false for a fresh upcycle.
        versions: Of torch and transformers.
    """

    plan: Plan
    source: Source
    parameters: Parameters
    differences: tuple[Difference, ...]
    tuned: bool = False
    versions: dict[str, str]


def write_record(record: Record, folder: Path) -> None:
    """Write the record of a checkpoint."""
    body = record.model_dump(mode="json")
    body["parameters"]["active_share"] = round(record.parameters.active_share, 4)
    (folder / FILE).write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))


def read_record(folder: Path) -> Record | None:
    """Return the record of a checkpoint, or None where there is none that can be read."""
    try:
        body = orjson.loads((folder / FILE).read_bytes())
        body["parameters"].pop("active_share", None)
        return Record.model_validate(body)
    except (OSError, orjson.JSONDecodeError, ValidationError, KeyError, AttributeError, TypeError):
        return None
