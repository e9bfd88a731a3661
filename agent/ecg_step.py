"""The ECG step: every recording of this presentation analysed, and what they say together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.runner import Log
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.evidence import Evidence
from knowledge.finding import Finding, State, Why
from knowledge.pathways import Step
from knowledge.rules import Answer, answer_of
from tools.ecg.doubts import GAP
from tools.ecg.model import EcgRecording
from tools.ecg.report import ECG, NO_QRS, EcgReport, nothing_assessed, switched_off_report
from tools.ecg.statement import evidence_of
from tools.toolbox import discover

_OF_ALL = ("recorded", "assessed", "dated", "posterior-leads-due", "repeat-due", "no-qrs")


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
        called = log.call(tool, {**findings, "recording": recording})
        if called.problem is None:
            report, analysed = called.result, _says_anything(called.result)
        else:
            report, analysed = nothing_assessed(recording, called.problem), False
        log.add(tool, step, called, reason="" if analysed else report.headline)
        runs.append(EcgRun(recording=recording, report=report, analysed=analysed))
    log.settle()
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


def ecg_rates(runs: Iterable[EcgRun]) -> tuple[Finding, ...]:
    """Return the heart rate of each recording as an answer to the clinical input, with evidence."""
    concept = catalogue().concept("heart_rate")
    return tuple(
        finding.model_copy(update={"concept": concept, "flags": (*finding.flags, "from-ecg")})
        for run in runs
        for finding in run.report.measurements
        if finding.concept.has(ECG, "heart-rate") and finding.state is State.PRESENT
    )


def ecg_answers(
    runs: Sequence[EcgRun], inputs: Mapping[str, Finding], *, at: ClinicalTime
) -> dict[str, Answer]:
    """Return ``ecg.<code>`` for our other ECG statements, and what there is of an ECG at all.

    ``ecg.recorded``: there is a recording, or a person read one. ``ecg.assessed``: ST elevation was
    judged, by the tool or a person (a disagreement counts as judged: it has its own alarm).
    ``ecg.dated``: at least one recording that was analysed, or a person's reading with its time,
    belongs to this presentation for certain. ``ecg.posterior-leads-due``: some recording shows ST
    depression that may be the mirror of a posterior infarction, and none shows V7 to V9; a later
    normal tracing does not take that back. ``ecg.timed``: the time of what was analysed is known,
    or of a recording where none could be analysed. ``ecg.repeat-due``: recordings there are, and a
    signal that cannot be judged leaves ST elevation open. ``ecg.no-qrs``: some recording shows no
    QRS for longer than a pause lasts.
    """
    found: dict[str, Finding] = {}
    for run in runs:
        for finding in run.report.findings:
            for coding in finding.concept.codings:
                if coding.system == ECG:
                    found[coding.code] = _stronger(found.get(coding.code), finding)
    answers: dict[str, Answer] = {f"ecg.{code}": answer_of(f) for code, f in found.items()}
    stemi = inputs["stemi_criteria"]
    disagreed = stemi.not_assessed is not None and stemi.not_assessed.why is Why.CONFLICTING
    judged = stemi.state is not State.NOT_ASSESSED
    by_person = judged and not any(run.analysed for run in runs)
    read_at = elapsed(stemi.time, at).minutes if by_person else None
    dated = [run for run in runs if run.analysed and _is_dated(run.recording, at)]
    answers["ecg.recorded"] = bool(runs) or judged or disagreed
    answers["ecg.assessed"] = judged or disagreed
    recorded_at = any(_is_dated(run.recording, at) for run in runs)
    answers["ecg.dated"] = bool(dated) or (by_person and (recorded_at or read_at is not None))
    answers["ecg.timed"] = answers["ecg.dated"] is True or (
        recorded_at and not any(run.analysed for run in runs)
    )
    answers["ecg.repeat-due"] = bool(ecg_doubt(runs, inputs))
    answers["ecg.no-qrs"] = any(_without_qrs(run) for run in runs)
    seen = answers.get("ecg.st-elevation-posterior")
    answers["ecg.posterior-leads-due"] = seen is None and any(_may_mirror(run) for run in runs)
    return answers


def ecg_doubt(runs: Sequence[EcgRun], inputs: Mapping[str, Finding]) -> str:
    """Return which defect of the signal leaves ST elevation open; empty where none does."""
    reason = inputs["stemi_criteria"].not_assessed
    if not runs or reason is None or reason.why not in (Why.QUALITY, Why.MISSING):
        return ""
    return reason.detail


def ecg_evidence(run: EcgRun) -> tuple[Evidence, ...]:
    """Return what the sentence on one recording rests on: what is present, and the rhythm's rate.

    Whether the ST-elevation criteria are met is part of it whatever the answer is.
    """
    report = run.report
    stemi = [f for f in report.findings if f.concept.has(EPICRISIS, "stemi_criteria")]
    present = [f for f in report.findings if f.state is State.PRESENT]
    rate = [f for f in report.measurements if f.concept.has(ECG, "heart-rate")]
    each = (*(f for f in stemi if f in present), *present, *stemi, *rate)
    return tuple(dict.fromkeys(e for f in each for e in f.evidence)) or (
        evidence_of(run.recording),
    )


def ecg_basis(runs: Sequence[EcgRun]) -> dict[str, tuple[Evidence, ...]]:
    """Return what the answers of `ecg_answers` rest on, by their keys."""
    found: dict[str, Finding] = {}
    for run in runs:
        for finding in run.report.findings:
            for coding in finding.concept.codings:
                if coding.system == ECG:
                    found[coding.code] = _stronger(found.get(coding.code), finding)
    recorded = tuple(evidence_of(run.recording) for run in runs)
    whole = dict.fromkeys(_OF_ALL, recorded)
    basis = {**{code: finding.evidence for code, finding in found.items()}, **whole}
    return {f"ecg.{code}": evidence for code, evidence in basis.items()}


def _without_qrs(run: EcgRun) -> bool:
    """Return whether no QRS is seen in one recording, or for longer than a pause lasts."""
    return run.report.headline.startswith(NO_QRS) or any(p.code == GAP for p in run.report.quality)


def _may_mirror(run: EcgRun) -> bool:
    """Return whether one recording shows, or leaves open, the mirror of a posterior infarction."""
    pattern, depression = (_said(run, code) for code in ("posterior-pattern", "st-depression"))
    return pattern is True or (depression is True and pattern is None)


def _said(run: EcgRun, code: str) -> Answer:
    found = (f for f in run.report.findings if f.concept.has(ECG, code))
    return answer_of(next(found, None))


def _is_dated(recording: EcgRecording, at: ClinicalTime) -> bool:
    return elapsed(recording.start, at).minutes is not None


def _stronger(before: Finding | None, later: Finding) -> Finding:
    if before is not None and before.choice is not None and later.choice is not None:
        return max(before, later, key=_severity)
    if before is None or later.state is State.PRESENT:
        return later
    if before.state is State.PRESENT and before.value is None:
        return before
    return before if later.state is State.NOT_ASSESSED else later


def _severity(finding: Finding) -> int:
    """Return the place of a choice in its catalogue entry, which lists the mildest first."""
    for coding in finding.concept.codings:
        entry = catalogue().inputs.get(coding.code)
        if entry is not None and finding.choice is not None:
            return list(entry.choices).index(finding.choice)
    return 0


def _says_anything(report: EcgReport) -> bool:
    return any(finding.state is not State.NOT_ASSESSED for finding in report.findings)
