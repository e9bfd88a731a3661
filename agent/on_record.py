"""Statements about the record: what disagrees, what was not understood, what was left out."""

from collections.abc import Iterable, Mapping

from agent.episode import Episode
from knowledge.conflict import Conflict
from knowledge.finding import Finding
from knowledge.low_risk import conflict_forbids_low, low_risk_blocks
from knowledge.patient import Patient
from knowledge.rules import Answer
from tools.chart.answers import Answers


def conflict_answers(known: Answers, from_ecg: Iterable[Conflict]) -> dict[str, Answer]:
    """Return ``conflict.<input>`` for each disagreement, and whether one of them forbids "low".

    Args:
        known: Disagreements between the sources of the record.
        from_ecg: Disagreements between an ECG device and our analysis.
    """
    between = tuple(from_ecg)
    found: dict[str, Answer] = {c.input: True for c in between if c.input is not None}
    found.update({c.input: c.input in known.claimed for c in known.conflicts if c.input})
    forbidding = (c for c in (*known.conflicts, *between) if conflict_forbids_low(c.input))
    return {
        **{f"conflict.{key}": claimed for key, claimed in found.items()},
        "conflicts.open": any(True for _ in forbidding),
    }


def record_answers(seen: Episode, patient: Patient) -> dict[str, Answer]:
    """Return what of this presentation's data was not understood or not used, and a death."""
    return {
        "patient.deceased": patient.deceased is not None,
        "chart.not-understood": bool(seen.not_understood.critical),
        "chart.left-out": any(item.unexplained for item in seen.left_out),
    }


def block_answers(findings: Mapping[str, Finding]) -> dict[str, Answer]:
    """Return whether a condition forbids "low": unknown while one of them is not assessed."""
    blocks = low_risk_blocks(findings)
    return {"blocks_low": True if blocks.present else None if blocks.unknown else False}
