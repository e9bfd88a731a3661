"""The result of one ECG: measurements, statements in three states, and what contradicts them."""

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import EPICRISIS, Coding, Concept
from knowledge.conflict import Conflict
from knowledge.ecg_criteria import ecg_criteria
from knowledge.finding import Finding, NotAssessed, Why, not_assessed
from knowledge.model import Frozen
from knowledge.reference import Citation
from tools.ecg.model import EcgRecording, Problem

ECG = "urn:epicrisis:ecg"
"""Codes of our ECG statements and measurements that are not clinical inputs."""


class EcgReport(Frozen):
    """What one recording shows.

    Args:
        recording: Id of the recording.
        time: Start of the recording.
        headline: The one thing to know, in one sentence.
        rhythm: The rhythm in a few words.
        findings: One finding for every statement of the criteria file, in its order: present,
            absent or not assessed. The numbers that led to it are in `Finding.reported`.
        measurements: Rate, intervals, axis, and ST of each lead at J, J+60 and J+80 ms.
        quality: Defects of the recording, and what they forbid.
        advice: What to do to settle what is open.
        device_said: The device's own measurements and statements; never ours.
        conflicts: Where the device and we do not agree, side by side.
        source: The publications behind what was applied.
    """

    recording: str
    time: ClinicalTime | None = None
    headline: str
    rhythm: str
    findings: tuple[Finding, ...]
    measurements: tuple[Finding, ...] = ()
    quality: tuple[Problem, ...] = ()
    advice: tuple[str, ...] = ()
    device_said: tuple[Finding, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    source: tuple[Citation, ...] = ()

    def finding(self, code: str) -> Finding:
        """Return one statement by its code or input id.

        Raises:
            KeyError: There is no such statement.
        """
        for found in self.findings:
            if found.concept.has(ECG, code) or found.concept.has(EPICRISIS, code):
                return found
        raise KeyError(code)


def statement_concept(code: str) -> Concept:
    """Return the concept of a statement: a clinical input, or one of ours."""
    row = ecg_criteria().statements[code]
    if row.label is None:
        return catalogue().concept(code)
    return Concept(text=row.label, codings=(Coding(system=ECG, code=code),))


NO_QRS = (
    "No QRS was reliably found (asystole, ventricular fibrillation, a fast wide rhythm or a "
    "disconnected electrode): look at the patient"
)
"""First words of a report on a recording in which no heartbeat can be told from the rest."""


def nothing_assessed(
    recording: EcgRecording, reason: NotAssessed, *, first: str = "ECG not assessed"
) -> EcgReport:
    """Return a report in which every statement is not assessed, for one reason.

    Args:
        recording: As read.
        reason: Why.
        first: How the headline begins.
    """
    return EcgReport(
        recording=recording.id,
        time=recording.start,
        headline=f"{first}: {reason.detail}." if first != NO_QRS else f"{first}; {reason.detail}.",
        rhythm=f"not assessed: {reason.detail}",
        findings=tuple(
            not_assessed(statement_concept(code), reason.why, reason.detail, time=recording.start)
            for code in ecg_criteria().statements
        ),
        device_said=recording.device_said,
    )


def switched_off_report(recording: EcgRecording) -> EcgReport:
    """Return the report of a recording while device functions are switched off.

    Every statement is not assessed; nothing was measured. What the device itself said is kept.
    """
    detail = "ECG analysis is a device function and is switched off"
    return nothing_assessed(recording, NotAssessed(why=Why.SWITCHED_OFF, detail=detail))
