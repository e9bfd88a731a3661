"""The inputs of an assessment as rows: value, unit, time, source, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.assessment import Assessment
from knowledge.evidence import Evidence, ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding, State, Why
from serving.web.values import clock, input_of, value_and_unit
from serving.web.words import WHY, Say, word


@dataclass(frozen=True, kw_only=True)
class InputRow:
    """One clinical input.

    Args:
        id: Clinical-input id.
        label: Its name.
        state: present, absent or not_assessed.
        value, unit: As shown; empty where it is not assessed.
        time: When it was observed or collected; empty where no time is given.
        evidence: Where it comes from.
        flags: What to know of it: stale, preliminary, from the ECG ...
        reason: Why it is not assessed.
        missing: Not there at all, in contrast to there and not usable.
    """

    id: str
    label: str
    state: str
    value: str
    unit: str
    time: str
    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...]
    reason: str
    missing: bool


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs in groups: numbers and choices, yes or no, there but not usable, and missing.

    What is missing is id and label alone: there is nothing to show of it.
    """

    measured: tuple[InputRow, ...]
    answered: tuple[InputRow, ...]
    unusable: tuple[InputRow, ...]
    missing: tuple[tuple[str, str], ...]


def inputs(assessment: Assessment, say: Say) -> Inputs:
    """Return every clinical input of an assessment."""
    found = dict.fromkeys(f for f in assessment.findings if input_of(f) is not None)
    rows = [(finding, _row(finding, assessment, say)) for finding in found]
    there = {r.id for _, r in rows if not r.missing}
    known = [(f, r) for f, r in rows if f.state is not State.NOT_ASSESSED]
    return Inputs(
        measured=tuple(r for f, r in known if f.value is not None or _is_moment(f)),
        answered=tuple(r for f, r in known if f.value is None and not _is_moment(f)),
        unusable=tuple(r for f, r in rows if f.state is State.NOT_ASSESSED and not r.missing),
        missing=tuple((m.input, m.label) for m in assessment.missing if m.input not in there),
    )


def _is_moment(finding: Finding) -> bool:
    return input_of(finding) == "onset"


def _row(finding: Finding, assessment: Assessment, say: Say) -> InputRow:
    value, unit = value_and_unit(finding, say, time_zone=assessment.time_zone)
    reason = finding.not_assessed
    at = assessment.provenance.at.at
    time = "" if finding.time is None else clock(finding.time, assessment.time_zone, beside=at)
    flags = [*finding.flags]
    if reason is not None and reason.why is not Why.MISSING:
        flags.insert(0, word(WHY, reason.why.value, say))
    if finding.reported and finding.quantity is not None:
        flags.append(say("printed as %s") % finding.reported)
    return InputRow(
        id=input_of(finding) or "",
        label=finding.concept.text,
        state=finding.state.value,
        value=value,
        unit=unit,
        time="" if _is_moment(finding) else time,
        evidence=finding.evidence,
        flags=tuple(flags),
        reason="" if reason is None else reason.detail,
        missing=reason is not None and reason.why is Why.MISSING and not finding.evidence,
    )


def places(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the places in the record that something rests on.

    Our tools and tables stand between these places and the statement; they are named only where
    there is nothing else.
    """
    found = tuple(dict.fromkeys(evidence))
    outside = tuple(e for e in found if not isinstance(e, ToolEvidence | ReferenceEvidence))
    return outside or found
