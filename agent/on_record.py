"""Statements about the record: what disagrees, what was not understood, what was left out."""

from collections.abc import Iterable, Mapping, Sequence

from agent.episode import Episode
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.conflict import Conflict
from knowledge.finding import Finding, State
from knowledge.low_risk import conflict_forbids_low, low_risk_blocks
from knowledge.patient import Patient
from knowledge.rules import Answer
from knowledge.timeline import Category, Timeline
from tools.chart.answers import Answers
from tools.chart.from_chart import undated_diagnoses
from tools.chart.from_statements import is_settled
from tools.chart.not_understood import in_words

_NAMED = 3
_LONGEST = 120


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


def record_answers(
    seen: Episode, patient: Patient, *, time_zone: str | None = None
) -> dict[str, Answer]:
    """Return what of this presentation's data was not understood or not used, and a death.

    ``chart.unread`` names these items with their values, for the headline.
    """
    unread = [in_words(item, time_zone)[:_LONGEST] for item in seen.not_understood.critical]
    unread += [item.in_words(time_zone)[:_LONGEST] for item in seen.left_out if item.unexplained]
    return {
        "patient.deceased": patient.deceased is not None,
        "chart.not-understood": bool(seen.not_understood.critical),
        "chart.left-out": any(item.unexplained for item in seen.left_out),
        **({"chart.unread": _some(unread)} if unread else {}),
    }


def untimed_answers(timeline: Timeline, at: ClinicalTime) -> dict[str, Answer]:
    """Return ``untimed.<input>`` for each question that a signed reading answers without its time.

    It may be of this presentation: it answers nothing, and nothing is argued against beside it.
    """
    return {
        f"untimed.{coding.code}": True
        for fact in timeline.in_category(Category.READING)
        if fact.finding.state is State.PRESENT and elapsed(fact.finding.time, at).minutes is None
        for coding in fact.finding.concept.codings
    }


def undated_answers(
    timeline: Timeline, findings: Mapping[str, Finding], at: ClinicalTime
) -> dict[str, Answer]:
    """Return whether the chart holds an acute diagnosis of unknown date, and its names.

    An explicit later answer to the input says what it means, and settles it.
    """
    found = undated_diagnoses(timeline, at=at)
    names = [
        catalogue().inputs[key].label
        for key in found
        if not is_settled(findings[key]) and findings[key].state is not State.PRESENT
    ]
    return {
        "chart.undated-acute": bool(names),
        **({"chart.undated": _some(names)} if names else {}),
    }


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _NAMED
    return "; ".join(texts[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def block_answers(findings: Mapping[str, Finding]) -> dict[str, Answer]:
    """Return whether a condition forbids "low": unknown while one of them is not assessed."""
    blocks = low_risk_blocks(findings)
    return {"blocks_low": True if blocks.present else None if blocks.unknown else False}
