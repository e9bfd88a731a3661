"""One line of the capability table."""

from typing import Literal, Self

from pydantic import NonNegativeFloat, model_validator

from knowledge.model import Frozen

Verdict = Literal["yes", "no", "not assessed"]
Need = Literal["must", "product", "useful"]
Group = Literal["server", "replies", "schema", "tools", "scheduling", "product"]


class Found(Frozen):
    """What one check found.

    Args:
        verdict: Whether the server does it.
        evidence: What was seen; for ``not assessed`` why.
        way_out: What mends it; empty where nothing needs to be mended.
    """

    verdict: Verdict
    evidence: str
    way_out: str = ""

    @model_validator(mode="after")
    def _with_evidence(self) -> Self:
        if not self.evidence.strip():
            raise ValueError("a verdict needs its evidence, an open one its reason")
        return self


class Row(Found):
    """One line of the table.

    Args:
        id: Stable key.
        title: What is asked of the server.
        group: Heading it stands under.
        need: ``must``: without it nothing works; ``product``: a function of this product rests on
            it; ``useful``: the rest.
        ms: Milliseconds of all calls of this check; None where none was made.
    """

    id: str
    title: str
    group: Group
    need: Need
    ms: NonNegativeFloat | None = None


def yes(evidence: str, way_out: str = "") -> Found:
    """Return that the server does it."""
    return Found(verdict="yes", evidence=evidence, way_out=way_out)


def no(evidence: str, way_out: str = "") -> Found:
    """Return that the server does not."""
    return Found(verdict="no", evidence=evidence, way_out=way_out)


def open_(reason: str, way_out: str = "") -> Found:
    """Return that it could not be found out."""
    return Found(verdict="not assessed", evidence=reason, way_out=way_out)
