"""The ECG step: every recording of this presentation analysed, and what they say together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.runner import Log, call
from knowledge.codes import EPICRISIS
from knowledge.finding import Finding, NotAssessed, State
from knowledge.pathways import Step
from knowledge.rules import Answer, answer_of
from tools.ecg.model import EcgRecording
from tools.ecg.report import ECG, EcgReport, nothing_assessed, switched_off_report
from tools.toolbox import discover


@dataclass(frozen=True, kw_only=True)
class EcgRun:
    """One recording and what the tool says about it."""

    recording: EcgRecording
    report: EcgReport
    analysed: bool


def run_ecg(
    recordings: Sequence[EcgRecording],
    findings: Mapping[str, Finding],
    *,
    step: Step,
    switched_on: bool,
    log: Log,
) -> tuple[EcgRun, ...]:
    """Return one run for each recording, oldest first.

    Args:
        recordings: Of this presentation.
        findings: Clinical inputs; age and sex choose the limits.
        step: The pathway's step.
        switched_on: Whether device functions are on.
        log: Where runs are recorded.
    """
    tool = discover()[step.tool]
    if not recordings:
        log.skip(tool, step, "no ECG recording in the case")
    runs: list[EcgRun] = []
    for recording in recordings:
        if not switched_on:
            report = switched_off_report(recording)
            log.skip(tool, step, "device functions are switched off")
            runs.append(EcgRun(recording=recording, report=report, analysed=False))
            continue
        called = call(tool, {**findings, "recording": recording})
        if called.problem is None:
            report, analysed = called.result, _says_anything(called.result)
        else:
            report, analysed = nothing_assessed(recording, called.problem), False
        log.add(tool, step, called, reason="" if analysed else report.headline)
        runs.append(EcgRun(recording=recording, report=report, analysed=analysed))
    return tuple(runs)


def ecg_findings(runs: Iterable[EcgRun]) -> dict[str, Finding]:
    """Return the clinical inputs that the ECGs answer, by id.

    A statement that is present in any recording of this presentation stays present: ST elevation
    that has gone by the next tracing was still there. Otherwise the latest recording speaks.
    """
    found: dict[str, Finding] = {}
    for run in runs:
        for finding in run.report.findings + run.report.measurements:
            for coding in finding.concept.codings:
                if coding.system == EPICRISIS:
                    found[coding.code] = _stronger(found.get(coding.code), finding)
    return found


def ecg_answers(runs: Sequence[EcgRun], inputs: Mapping[str, Finding]) -> dict[str, Answer]:
    """Return ``ecg.<code>`` for our other ECG statements, and whether there is an ECG at all."""
    found: dict[str, Finding] = {}
    for run in runs:
        for finding in run.report.findings:
            for coding in finding.concept.codings:
                if coding.system == ECG:
                    found[coding.code] = _stronger(found.get(coding.code), finding)
    answers: dict[str, Answer] = {f"ecg.{code}": answer_of(f) for code, f in found.items()}
    read = inputs["stemi_criteria"].state is not State.NOT_ASSESSED
    answers["ecg.recorded"] = True if read or any(r.analysed for r in runs) else bool(runs) and None
    return answers


def why_unusable(runs: Sequence[EcgRun]) -> NotAssessed | None:
    """Return why the latest recording says nothing, where none of them does."""
    if not runs or any(run.analysed for run in runs):
        return None
    return next((f.not_assessed for f in runs[-1].report.findings if f.not_assessed), None)


def _stronger(before: Finding | None, later: Finding) -> Finding:
    if before is None or later.state is State.PRESENT:
        return later
    if before.state is State.PRESENT and before.value is None:
        return before
    return before if later.state is State.NOT_ASSESSED else later


def _says_anything(report: EcgReport) -> bool:
    return any(finding.state is not State.NOT_ASSESSED for finding in report.findings)
