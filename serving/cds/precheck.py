"""Whether a chart says anything of chest pain, before any tool runs: most charts do not.

Only what the chart itself shows is looked at, by the same tables as in the assessment; a chart that
passes is assessed in full.
"""

from agent.assess import PATHWAY
from agent.episode import episode
from agent.recommend import recommendations
from agent.state import State
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import State as Known
from knowledge.pathways import pathway
from serving.cds.reading import Speaks, reason
from tools.chart.answers import resolve
from tools.intake.result import CaseFiles


def looks_like(case: CaseFiles, *, at: ClinicalTime) -> Speaks:
    """Return why a chart is to be assessed; empty where it is of no acute chest pain.

    Args:
        case: The chart, read.
        at: Moment of assessment.
    """
    path = pathway(PATHWAY)
    now = episode(case.timeline, case.recordings.values(), at=at, pathway=path)
    known = resolve(case.timeline, at=at)
    state = State(
        findings=known.findings,
        conflicts=known.conflicts,
        named=path.conditions,
        series=known.series,
    )
    advised = recommendations(path, state, time_zone=case.time_zone)
    return reason(
        chest_pain=known.findings["chest_pain"].state is Known.PRESENT,
        troponin=bool(now.samples),
        recommended=[row.id for row in advised],
    )
