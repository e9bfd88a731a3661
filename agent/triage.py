"""Red flags, before anything else and before any language model.

Only what the chart and the ECG already show: no score, no troponin rule, no waiting.
"""

from agent.assess import PATHWAY
from agent.assessment import Recommended
from agent.complaint import complaint_answers
from agent.critical_words import with_critical
from agent.ecg_step import ecg_answers, ecg_findings, run_ecg
from agent.episode import episode
from agent.ledger import Ledger
from agent.recommend import recommendations
from agent.runner import Log
from agent.state import State
from knowledge.clinical_time import ClinicalTime
from knowledge.model import Frozen
from knowledge.pathways import Urgency, pathway
from knowledge.settings import Settings
from tools.chart.answers import resolve
from tools.intake.result import CaseFiles


class Triage(Frozen):
    """What must be acted on at once.

    Args:
        red_flags: Immediate recommendations that already apply; none is not "no danger".
        conditions: Labels of the pathway's conditions that hold.
        not_assessed: Labels of the conditions that cannot be told yet.
    """

    red_flags: tuple[Recommended, ...]
    conditions: tuple[str, ...]
    not_assessed: tuple[str, ...]


def triage(case: CaseFiles, *, at: ClinicalTime, settings: Settings, ledger: Ledger) -> Triage:
    """Return the red flags of a case.

    Args:
        case: What was read.
        at: Moment of assessment.
        settings: Whether device functions are on.
        ledger: Where the ECG analysis is looked up and recorded.
    """
    path = pathway(PATHWAY)
    now = episode(case.timeline, case.recordings.values(), at=at, pathway=path)
    first = resolve(case.timeline, at=at)
    step = next(step for step in path.steps if step.tool == "ecg_analysis")
    ecgs = run_ecg(
        now.recordings,
        first.findings,
        step=step,
        switched_on=settings.device_functions,
        log=Log(ledger=ledger),
    )
    known = resolve(case.timeline, at=at, from_tools=ecg_findings(ecgs))
    state = State(
        findings=known.findings,
        extra={
            **complaint_answers(case, known),
            **ecg_answers(ecgs, known.findings, at=at),
        },
        conflicts=known.conflicts,
        named=path.conditions,
        series=known.series,
    )
    state = with_critical(state, path, None, time_zone=case.time_zone)
    answers = state.answers()
    found = recommendations(path, state, time_zone=case.time_zone)
    return Triage(
        red_flags=tuple(row for row in found if row.urgency is Urgency.IMMEDIATE),
        conditions=tuple(
            row.label for key, row in path.conditions.items() if answers[f"condition.{key}"] is True
        ),
        not_assessed=tuple(
            row.label for key, row in path.conditions.items() if answers[f"condition.{key}"] is None
        ),
    )
