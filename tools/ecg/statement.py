"""Turning verdicts and measurements into findings with their evidence."""

from collections.abc import Iterator

from knowledge.codes import LOINC, Coding, Concept
from knowledge.ecg_reliability import grade, reliability_words
from knowledge.evidence import (
    DicomEvidence,
    Evidence,
    RecordEvidence,
    ReferenceEvidence,
    ToolEvidence,
)
from knowledge.finding import Finding, NotAssessed, State
from knowledge.quantity import Choice, Quantity, Value
from tools.ecg.model import EcgRecording, LeadMeasurement
from tools.ecg.reading import Reading
from tools.ecg.report import ECG, statement_concept
from tools.ecg.verdict import Verdict

TOOL = "ecg_analysis"
VERSION = "1"

# code: label, LOINC code, unit, the kind of defect that blocks it
_MEASURED = {
    "heart-rate": ("Heart rate (ECG)", "8867-4", "/min", "rhythm"),
    "pr": ("PR interval", "8625-6", "ms", "timing"),
    "qrs": ("QRS duration", "8633-0", "ms", "timing"),
    "qt": ("QT interval", "8634-8", "ms", "timing"),
    "qtcf": ("QTc interval, Fridericia", None, "ms", "timing"),
    "qtcb": ("QTc interval, Bazett", None, "ms", "timing"),
    "axis": ("QRS axis", "8632-2", "deg", "amplitude"),
}
_ST = {"st-j": "ST level at J", "st-60": "ST level at J+60 ms", "st-80": "ST level at J+80 ms"}


def statement(
    reading: Reading, code: str, verdict: Verdict, *, choice: str | None = None
) -> Finding:
    """Return the finding of one statement.

    Args:
        reading: The ECG.
        code: Key of the criteria file's `statements`.
        verdict: The answer.
        choice: For a choice: the answer's id, where the verdict holds.
    """
    state = {True: State.PRESENT, False: State.ABSENT, None: State.NOT_ASSESSED}[verdict.holds]
    return Finding(
        concept=statement_concept(code),
        state=state,
        not_assessed=verdict.why,
        value=None if choice is None else Choice(choice=choice),
        time=reading.recording.start,
        body_site=", ".join(verdict.leads) or None,
        method=_method(reading, code, verdict),
        reported=_reported(reading, code, verdict),
        flags=verdict.flags,
        evidence=_statement_evidence(reading, code, verdict),
    )


def measurements(reading: Reading) -> Iterator[Finding]:
    """Yield every measurement: present with its number, or not assessed with the reason."""
    m = reading.m
    values = {
        "heart-rate": m.heart_rate_per_min,
        "pr": m.pr_ms,
        "qrs": m.qrs_ms,
        "qt": m.qt_ms,
        "qtcf": m.qtcf_ms,
        "qtcb": m.qtcb_ms,
        "axis": m.axis_deg,
    }
    for code, (label, loinc, unit, kind) in _MEASURED.items():
        codings = [Coding(system=ECG, code=code)]
        codings += [Coding(system=LOINC, code=loinc)] if loinc else []
        concept = Concept(text=label, codings=tuple(codings))
        number = values[code]
        reason = reading.blocked(kind)
        if number is None and reason is None:
            reason = reading.not_measured(f"{code}_ms", f"{code}_deg", "qt_ms")
        value = None if number is None else Quantity(value=float(round(number)), unit=unit)
        yield _measurement(reading, concept, value, reason)
    for lead in m.lead:
        yield from _st_levels(reading, lead)


def evidence_of(recording: EcgRecording, lead: str | None = None) -> Evidence:
    """Return where in the case a recording, or one lead of it, is."""
    if recording.sop_instance_uid is not None:
        return DicomEvidence(
            file=recording.file, sop_instance_uid=recording.sop_instance_uid, lead=lead
        )
    return RecordEvidence(file=recording.file, record="signal" if lead is None else f"lead {lead}")


def _st_levels(reading: Reading, lead: LeadMeasurement) -> Iterator[Finding]:
    levels = {"st-j": lead.st_j_mv, "st-60": lead.st_60_mv, "st-80": lead.st_80_mv}
    reason = reading.blocked("amplitude", lead=lead.lead)
    for code, mv in levels.items():
        concept = Concept(text=_ST[code], codings=(Coding(system=ECG, code=code),))
        value = Quantity(value=round(mv, 3), unit="mV")
        yield _measurement(reading, concept, value, reason, lead=lead.lead)


def _measurement(
    reading: Reading,
    concept: Concept,
    value: Value | None,
    reason: NotAssessed | None,
    *,
    lead: str | None = None,
) -> Finding:
    state = State.PRESENT if reason is None else State.NOT_ASSESSED
    return Finding(
        concept=concept,
        state=state,
        not_assessed=reason,
        value=value if reason is None else None,
        time=reading.recording.start,
        body_site=lead,
        method=f"median of {reading.m.beats_used} of {reading.m.beats_found} beats",
        evidence=(evidence_of(reading.recording, lead), _tool(concept.codings[0].code)),
    )


def _statement_evidence(reading: Reading, code: str, verdict: Verdict) -> tuple[Evidence, ...]:
    places = [evidence_of(reading.recording, lead) for lead in verdict.leads]
    rows = (ReferenceEvidence(table="ecg_criteria", row=row) for row in verdict.rows)
    return (*(places or [evidence_of(reading.recording)]), _tool(code), *rows)


def _tool(output: str) -> ToolEvidence:
    return ToolEvidence(tool=TOOL, version=VERSION, output=output)


def _reported(reading: Reading, code: str, verdict: Verdict) -> str | None:
    """Return the numbers behind a statement and, of one of ours that is present, its grade."""
    if verdict.holds is not True or reading.criteria.statements[code].label is None:
        return verdict.basis or None
    parts = (verdict.basis, f"reliability: {grade(code).value}")
    return "; ".join(part for part in parts if part)


def _method(reading: Reading, code: str, verdict: Verdict) -> str | None:
    """Return the publications that were applied and, of what is present, how well measured."""
    titles = []
    for row in verdict.rows:
        source = reading.criteria.sources[getattr(reading.criteria, row).source]
        titles.append(f"{source.title}, {source.year}" if source.year else source.title)
    if verdict.holds is True and reading.criteria.statements[code].label is not None:
        titles.append(reliability_words(code))
    return "; ".join(dict.fromkeys(titles)) or None
