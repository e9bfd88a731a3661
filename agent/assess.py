"""From one patient's files to an assessment, without any language model.

The order is fixed: intake and identity, answers from the chart, ECG, troponin, scores, then the
verdicts, recommendations and words that the pathway's conditions give.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from agent.assessment import Assessment, Status
from agent.basis import basis
from agent.complaint import NOT_STATED, complaint_answers, is_started, of_anybody
from agent.compose import compose, record, result_hash, troubled
from agent.ecg_step import EcgRun, ecg_answers, ecg_findings, ecg_rates, run_ecg
from agent.episode import Episode, episode
from agent.imaging_step import run_imaging, with_measures
from agent.laboratory.asked import asked_inputs
from agent.laboratory.model import LaboratoryReport
from agent.laboratory.report import laboratory_report
from agent.ledger import Entry, Ledger, Waiting, Wanted
from agent.narrative import refusal
from agent.on_record import (
    block_answers,
    conflict_answers,
    record_answers,
    undated_answers,
    untimed_answers,
)
from agent.provenance import provenance
from agent.runner import Log, run_scores
from agent.state import State
from agent.troponin_step import (
    inputs_of,
    is_fresh,
    laboratory_says_high,
    run_troponin,
    statement_answers,
    troponin_answers,
)
from agent.urgent_readings import of_now, urgent_answers, urgent_basis
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError
from knowledge.finding import Finding
from knowledge.laboratory_site import SITE_FILE, LaboratoryReference, laboratory_reference
from knowledge.pathways import Pathway, pathway
from knowledge.risk import Risk
from knowledge.rules import Answer
from knowledge.settings import Settings
from tools.chart.answers import Answers, resolve
from tools.chart.series import joined
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer
from tools.intake.result import CaseFiles, InputFile
from tools.readings.in_case import ReadingFile
from tools.toolbox import discover

PATHWAY = "chest_pain"
RATE = "heart_rate"


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """An assessment with what its pictures are drawn from.

    Args:
        assessment: The result.
        case: What was read; None where the case was refused.
        ecgs: One run for each recording of this presentation.
        samples: The troponin samples of this presentation.
    """

    assessment: Assessment
    case: CaseFiles | None = None
    ecgs: tuple[EcgRun, ...] = ()
    samples: tuple[Finding, ...] = ()


def assess_paths(
    paths: Sequence[Path],
    *,
    at: ClinicalTime | None,
    now: ClinicalTime,
    settings: Settings,
    same_patient: Sequence[str] = (),
    given: Sequence[GivenAnswer] = (),
    released: Sequence[ReadingFile] = (),
) -> Outcome:
    """Return the assessment of the files of one patient.

    Args:
        paths: Folders or files.
        at: Moment of assessment; else the one ``case.yaml`` states, else `now`.
        now: The current moment, zoned.
        settings: Limits and switches.
        same_patient: Files stated to be of the same patient although their identity differs.
        given: Answers a person entered after the files.
        released: Structured readings that were released for this very case, beside its files.

    Raises:
        InputError: A path does not exist, or the case is over a limit.
    """
    start = time.perf_counter()
    try:
        case = read_case(
            paths,
            at=at,
            now=now,
            settings=settings,
            same_patient=tuple(same_patient),
            given=given,
            released=released,
        )
    except IdentityConflictError as error:
        return Outcome(assessment=refused_case(error, at or now, start))
    return assess_case(case, at=at or case.at or now, settings=settings, start=start)


def assess_case(
    case: CaseFiles,
    *,
    at: ClinicalTime,
    settings: Settings,
    start: float | None = None,
    ledger: Ledger | None = None,
    beside: Mapping[str, Finding] | None = None,
) -> Outcome:
    """Return the assessment of a case that has been read.

    Args:
        case: What was read.
        at: Moment of assessment.
        settings: Limits and switches.
        start: When the work began, for the wall time.
        ledger: Calls that were made before; None makes every call now.
        beside: Unconfirmed findings that would answer clinical inputs, for a "what if" beside the
            assessment; never given for the assessment itself.
    """
    begun = time.perf_counter() if start is None else start
    path = pathway(PATHWAY)
    now = episode(case.timeline, case.recordings.values(), at=at, pathway=path)
    log, imaging = Log(ledger=ledger), Log(ledger=ledger)
    case = with_measures(case, run_imaging(case, settings=settings, log=imaging))
    state, ecgs = _state(case, now, path, at=at, settings=settings, log=log, beside=beside or {})
    log.runs += imaging.runs
    rows = laboratory_reference(settings.laboratory_overrides)
    assessment = compose(
        case,
        state,
        path,
        at=at,
        ecgs=ecgs,
        seen=now,
        laboratory=_laboratory(case, state, at=at, reference=rows),
        made_by=provenance(
            case.inputs,
            at=at,
            pathway=PATHWAY,
            log=log,
            overrides=case.overrides,
            site={} if rows.site_sha256 is None else {SITE_FILE: rows.site_sha256},
        ),
    )
    digest = result_hash(assessment)
    stamped = assessment.provenance.model_copy(
        update={"result_sha256": digest, "seconds": round(time.perf_counter() - begun, 4)}
    )
    return Outcome(
        assessment=assessment.model_copy(update={"provenance": stamped}),
        case=case,
        ecgs=ecgs,
        samples=now.samples,
    )


def next_calls(
    case: CaseFiles, *, at: ClinicalTime, settings: Settings, entries: Iterable[Entry]
) -> tuple[Wanted, ...]:
    """Return the calls the pathway needs next; they do not depend on one another.

    This is the policy floor: what the pathway requires is asked for here, whoever else asks or not.

    Args:
        case: What was read.
        at: Moment of assessment.
        settings: Limits and switches.
        entries: Calls that were made.
    """
    path = pathway(PATHWAY)
    now = episode(case.timeline, case.recordings.values(), at=at, pathway=path)
    log = Log(ledger=Ledger(entries, ask=True))
    run_imaging(case, settings=settings, log=log)
    try:
        _state(case, now, path, at=at, settings=settings, log=log)
        log.settle()
    except Waiting as waiting:
        return waiting.wanted
    return ()


def extra_calls(
    case: CaseFiles,
    names: Sequence[str],
    *,
    at: ClinicalTime,
    settings: Settings,
    entries: Iterable[Entry],
) -> tuple[Wanted, ...]:
    """Return calls of tools beyond the pathway, with the arguments the case has for them.

    Args:
        case: What was read.
        names: Tools that were asked for; those of the pathway are left out.
        at: Moment of assessment.
        settings: Limits and switches.
        entries: Every call of the pathway.
    """
    path = pathway(PATHWAY)
    known = frozenset(step.tool for step in path.steps)
    now = episode(case.timeline, case.recordings.values(), at=at, pathway=path)
    ledger = Ledger(entries)
    state, _ = _state(case, now, path, at=at, settings=settings, log=Log(ledger=ledger))
    ledger.ask = True
    log = Log(ledger=ledger)
    for name in dict.fromkeys(names):
        if name not in known:
            log.call(discover()[name], {**state.findings, "risks": state.risks})
    return tuple(ledger.wanted.values())


_RUN_ABOVE = frozenset({"ecg_analysis", "serial_troponin"})


def _state(
    case: CaseFiles,
    now: Episode,
    path: Pathway,
    *,
    at: ClinicalTime,
    settings: Settings,
    log: Log,
    beside: Mapping[str, Finding] = MappingProxyType({}),
) -> tuple[State, tuple[EcgRun, ...]]:
    """Run every tool of the pathway and return what is known at the end."""
    steps = {step.tool: step for step in path.steps}
    known = resolve(case.timeline, at=at, from_tools=beside)
    ecgs = run_ecg(
        now.recordings,
        known.findings,
        step=steps["ecg_analysis"],
        switched_on=settings.device_functions,
        log=log,
    )
    from_tools = {**beside, **ecg_findings(ecgs)}
    series = joined(known.series, RATE, ecg_rates(ecgs), known.findings[RATE])
    risks, said = run_troponin(
        now.samples,
        from_tools,
        lambda tools: resolve(case.timeline, at=at, from_tools=tools).findings,
        at=at,
        pathway=path,
        step=steps["serial_troponin"],
        log=log,
        admission={
            to: series[key] for to, key in steps["grace_in_hospital"].reads.items() if key in series
        },
    )
    known = resolve(case.timeline, at=at, from_tools={**from_tools, **inputs_of(said)})
    complaint = complaint_answers(case, known)
    if complaint[NOT_STATED]:
        risks = of_anybody(path, risks)
    urgent = of_now(case.urgent, at, path.episode.max_age_hours)
    from_ecg = tuple(c for run in ecgs for c in run.report.conflicts)
    state = State(
        findings=known.findings,
        risks=risks,
        conflicts=known.conflicts + from_ecg,
        extra={
            **complaint,
            **ecg_answers(ecgs, known.findings, at=at),
            **statement_answers(said),
            **conflict_answers(known, from_ecg),
            **urgent_answers(urgent, time_zone=case.time_zone),
            **_recorded(case, now, known, risks, path, at=at),
        },
        named=path.conditions,
        discharge=path.discharge,
        series=series,
        basis={
            **basis(ecgs, now, risks=risks, said=said, conflicts=(*known.conflicts, *from_ecg)),
            **urgent_basis(urgent),
        },
    )
    return run_scores(path, state, log, exclude=_RUN_ABOVE), ecgs


def _recorded(
    case: CaseFiles,
    now: Episode,
    known: Answers,
    risks: Mapping[str, Risk],
    path: Pathway,
    *,
    at: ClinicalTime,
) -> dict[str, Answer]:
    """Return what the record itself answers: samples, blocks, times and files."""
    return {
        **troponin_answers(now.samples, risks, path.troponin_order),
        **block_answers(known.findings),
        **record_answers(now, case.timeline.patient, time_zone=case.time_zone),
        **undated_answers(case.timeline, known.findings, at),
        **untimed_answers(case.timeline, at),
        "troponin.flagged-high": laboratory_says_high(now.samples),
        "troponin.fresh": is_fresh(now.samples, at, path.episode.low_valid_hours),
        "files.failed": any(troubled(item) for item in case.inputs),
    }


def _laboratory(
    case: CaseFiles, state: State, *, at: ClinicalTime, reference: LaboratoryReference
) -> LaboratoryReport | None:
    """Return the laboratory's part; questions that only it asks are answered from the chart."""
    asked = resolve(case.timeline, at=at, entries=asked_inputs()).findings
    return laboratory_report(
        case.timeline,
        at=at,
        answers={**asked, **state.findings},
        reference=reference,
        acute=is_started(state),
        time_zone=case.time_zone,
        inputs=case.inputs,
        documented=case.documented,
        retracted=case.retracted,
    )


def refused_case(
    error: IdentityConflictError, at: ClinicalTime, start: float | None = None
) -> Assessment:
    """Return the refusal: every file listed, nothing combined."""
    begun = time.perf_counter() if start is None else start
    files = tuple(item for item in error.inputs if isinstance(item, InputFile))
    made_by = provenance(files, at=at, pathway=PATHWAY, log=Log(), overrides=())
    assessment = Assessment(
        case="refused",
        status=Status.REFUSED,
        reason=str(error),
        problem=pathway(PATHWAY).problem,
        narrative=refusal(
            "Refused: the files are not of one patient. Nothing was combined. "
            f"{error.item}: {error.reason}"
        ),
        inputs=tuple(record(item) for item in files),
        provenance=made_by,
    )
    stamped = made_by.model_copy(
        update={
            "result_sha256": result_hash(assessment),
            "seconds": round(time.perf_counter() - begun, 4),
        }
    )
    return assessment.model_copy(update={"provenance": stamped})
