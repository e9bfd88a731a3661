"""Statements about a change, as findings with the evidence of both tracings."""

from collections.abc import Iterator

from knowledge.codes import Coding, Concept
from knowledge.evidence import ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from tools.ecg.report import ECG
from tools.ecg.serial.tracing import Tracing
from tools.ecg.statement import evidence_of
from tools.ecg.verdict import BORDERLINE, Verdict


def said(code: str, label: str, verdict: Verdict, earlier: Tracing, later: Tracing) -> Finding:
    """Return the finding of one change.

    Args:
        code: Its code under our ECG system.
        label: In words.
        verdict: The answer.
        earlier: The tracing before.
        later: The tracing now.
    """
    state = {True: State.PRESENT, False: State.ABSENT, None: State.NOT_ASSESSED}[verdict.holds]
    rows = (ReferenceEvidence(table="ecg_criteria", row=row) for row in verdict.rows)
    return Finding(
        concept=Concept(text=label, codings=(Coding(system=ECG, code=code),)),
        state=state,
        not_assessed=verdict.why,
        time=later.recording.start,
        body_site=", ".join(verdict.leads) or None,
        reported=verdict.basis or None,
        flags=verdict.flags,
        evidence=(evidence_of(earlier.recording), evidence_of(later.recording), *rows),
    )


def changed(code: str, earlier: Tracing, later: Tracing) -> Iterator[Finding]:
    """Yield whether a statement is new, and whether it is gone.

    New needs the later present and the earlier absent; where the later is absent nothing is new,
    whatever the earlier. A statement that is not assessed is never taken for absent.
    """
    before, after = earlier.state(code), later.state(code)
    label = after.concept.text
    yield said(f"new-{code}", f"New: {label}", _turned(before, after), earlier, later)
    yield said(f"gone-{code}", f"Gone: {label}", _turned(after, before), earlier, later)


def _turned(without: Finding, with_it: Finding) -> Verdict:
    """Return whether one tracing has it and the other, for certain, has not."""
    if with_it.state is State.ABSENT or without.state is State.PRESENT:
        return Verdict(holds=False, basis=with_it.reported or "")
    for found in (with_it, without):
        if found.state is State.NOT_ASSESSED:
            reason = found.not_assessed
            detail = reason.detail if reason is not None else "not assessed"
            return Verdict(holds=None, why=NotAssessed(why=Why.DEPENDS, detail=detail))
    flags = {f for x in (without, with_it) for f in x.flags if f == BORDERLINE}
    leads = tuple((with_it.body_site or "").split(", ")) if with_it.body_site else ()
    basis = with_it.reported or ""
    return Verdict(holds=True, basis=basis, leads=leads, flags=tuple(sorted(flags)))
