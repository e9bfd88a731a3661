"""What an examination of a claim gives: arithmetic line by line, and a verdict."""

from collections.abc import Iterator
from typing import Literal

from knowledge.model import Frozen
from serving.llm.capacity.claim import Supposed
from serving.llm.capacity.words import table_lines

Verdict = Literal["holds", "holds in part", "holds under conditions", "does not hold"]


class Line(Frozen):
    """One line of arithmetic.

    Args:
        what: Is computed.
        how: Numbers and signs.
        result: With its unit.
    """

    what: str
    how: str
    result: str


class Block(Frozen):
    """Some lines under one heading."""

    heading: str
    lines: tuple[Line, ...]


class Examination(Frozen):
    """A claim, examined.

    Args:
        id, title, claim, source: Of the claim.
        blocks: Arithmetic.
        verdict: On the claim as it is made.
        reasons: For it.
        assumed: What was supposed.
    """

    id: str
    title: str
    claim: str
    source: str
    blocks: tuple[Block, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    assumed: tuple[Supposed, ...]


def examination_lines(found: Examination) -> Iterator[str]:
    """Yield an examination in lines."""
    yield found.title
    yield f"Claim: {found.claim}"
    yield f"From: {found.source}"
    for block in found.blocks:
        yield ""
        yield block.heading
        rows = [(line.what, line.how, line.result) for line in block.lines]
        yield from table_lines(("", "arithmetic", "result"), rows)
    yield ""
    yield f"Verdict: {found.verdict}"
    yield from (f"  {reason}" for reason in found.reasons)
    yield ""
    yield "Assumed"
    yield from (f"  {one.label}: {one.value} ({one.because})" for one in found.assumed)
