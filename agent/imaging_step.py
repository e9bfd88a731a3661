"""The imaging step: every image of the case measured by its tool, with or without a model.

A measurement is never a diagnosis: what an image shows of disease stays not assessed.
"""

from collections.abc import Iterator
from dataclasses import replace

from agent.assessment import ToolRun
from agent.runner import Log
from knowledge.finding import NotAssessed, State, Why
from knowledge.settings import Settings
from tools.imaging.in_case.model import CaseImages
from tools.imaging.in_case.said import nothing_measured
from tools.imaging.in_case.tasks import MeasureTask, limits_of, measure_tasks
from tools.imaging.model import Study, StudyMeasures
from tools.intake.result import CaseFiles
from tools.toolbox import discover

SWITCHED_OFF = NotAssessed(why=Why.SWITCHED_OFF, detail="switched off")


def run_imaging(case: CaseFiles, *, settings: Settings, log: Log) -> tuple[Study, ...]:
    """Return the studies of a case with what was measured on them, or why not.

    Calls that the log's ledger only asks for leave their study as it was.

    Args:
        case: What was read.
        settings: Whether device functions are on, and the limits of one measurement.
        log: Where runs are recorded.
    """
    limits = limits_of(settings)
    found = []
    for study in case.studies:
        measured = tuple(
            _measured(task, switched_on=settings.device_functions, log=log)
            for task in measure_tasks(study, case.images, limits)
        )
        found.append(study.model_copy(update={"measured": measured}) if measured else study)
    return tuple(found)


def with_measures(case: CaseFiles, studies: tuple[Study, ...]) -> CaseFiles:
    """Return a case whose studies were measured, without the contents of its images."""
    return replace(case, studies=studies, images=CaseImages())


def _measured(task: MeasureTask, *, switched_on: bool, log: Log) -> StudyMeasures:
    tool = discover()[task.tool]
    if not switched_on:
        log.runs.append(_skipped(task, "device functions are switched off"))
        return _nothing(task, SWITCHED_OFF)
    if task.refused is not None:
        log.runs.append(_skipped(task, task.refused.detail))
        return _nothing(task, task.refused)
    called = log.call(tool, {"images": task.images})
    if called.problem is None:
        found: StudyMeasures = called.result
        log.note(tool, called, reason=_why_not(found))
        return found
    log.note(tool, called)
    return _nothing(task, called.problem)


def _skipped(task: MeasureTask, reason: str) -> ToolRun:
    tool = discover()[task.tool]
    return ToolRun(
        tool=tool.name, version=tool.version, required=False, outcome="skipped", reason=reason
    )


def _nothing(task: MeasureTask, why: NotAssessed) -> StudyMeasures:
    tool = discover()[task.tool]
    images = task.images
    findings = nothing_measured(
        task.kind, why, images.study, images.files, method=f"{tool.name} {tool.version}"
    )
    return StudyMeasures(
        tool=tool.name,
        version=tool.version,
        files=images.files,
        findings=findings,
        accuracy=tool.card.accuracy,
    )


def _why_not(found: StudyMeasures) -> str:
    """Return the first reason where nothing was measured at all."""
    return next(_reasons(found), "") if not _says_anything(found) else ""


def _says_anything(found: StudyMeasures) -> bool:
    return any(finding.state is not State.NOT_ASSESSED for finding in found.findings)


def _reasons(found: StudyMeasures) -> Iterator[str]:
    for finding in found.findings:
        if finding.not_assessed is not None:
            yield finding.not_assessed.detail
