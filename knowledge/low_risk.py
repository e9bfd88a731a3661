"""What forbids the conclusion "low risk" in acute chest pain, whatever a score or troponin says.

The rows are data (``chest_pain_low_risk_blocks.yaml``). A pathway asks `low_risk_blocks` before it
calls a case low: a condition that is present forbids it, one that is not assessed does not forbid
it but is named, because the conclusion then rests on something nobody looked at.
"""

from collections.abc import Mapping
from functools import cache

from knowledge.errors import ReferenceDataError
from knowledge.finding import Finding
from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.rule_check import condition_faults
from knowledge.rules import Condition, answer_of, holds

_FILE = "chest_pain_low_risk_blocks"

NEVER_LOW = "Never low risk overall"
"""How the caveat begins that a score carries while such a condition is present."""


class Block(Frozen):
    """One condition under which no case is low.

    Args:
        when: The condition.
        label: What it is, to show.
        because: Why it forbids a low conclusion.
    """

    when: Condition
    label: str
    because: str
    source: str
    review: str


class ScoredOnly(Frozen):
    """Inputs about which a disagreement changes points only, which a score gives as a range."""

    inputs: tuple[str, ...]
    source: str
    review: str


class BlockTable(Table):
    """All conditions, and what a disagreement does not touch."""

    blocks: Mapping[str, Block]
    scored_only: ScoredOnly


class LowRiskBlocks(Frozen):
    """What stands against "low" for one patient.

    Args:
        present: Conditions that are present, with the reason: the case is not low.
        unknown: Conditions that are not assessed, to be named beside a low conclusion.
    """

    present: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@cache
def block_table() -> BlockTable:
    """Return the packaged rows."""
    table = load(_FILE, BlockTable)
    for block in table.blocks.values():
        for fault in condition_faults(block.when):
            raise ReferenceDataError(f"{_FILE}.yaml", fault)
    return table


def low_risk_blocks(findings: Mapping[str, Finding]) -> LowRiskBlocks:
    """Return which conditions forbid "low" and which of them are not assessed.

    Args:
        findings: By clinical-input id; an id that is not there counts as not assessed.
    """
    answers = {key: answer_of(finding) for key, finding in findings.items()}
    present, unknown = [], []
    for block in block_table().blocks.values():
        truth = holds(block.when, answers)
        if truth is True:
            present.append(f"{block.label}: {block.because}")
        elif truth is None:
            unknown.append(block.label)
    return LowRiskBlocks(present=tuple(present), unknown=tuple(unknown))


def blocks_low(findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return the conditions present that forbid "low"; empty where none is known to be present."""
    return low_risk_blocks(findings).present


def conflict_forbids_low(input_id: str | None) -> bool:
    """Return whether a disagreement about an input is to be settled before a case is called low.

    A disagreement about something that is no input (an interval the device measured otherwise)
    changes nothing that a rule reads.
    """
    return input_id is not None and input_id not in block_table().scored_only.inputs


def block_inputs() -> tuple[str, ...]:
    """Return the ids of the inputs the rows read."""
    rows = block_table().blocks.values()
    return tuple(dict.fromkeys(i for block in rows for i in block.when.inputs()))
