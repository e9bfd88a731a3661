"""The case as the model may see it."""

from agent.assess import PATHWAY
from agent.case_summary import CaseSummary, summarise
from agent.episode import Episode, episode
from agent.fitting import FittingTool, UnfitTool, fitting, unfit
from agent.graph.request import Session
from knowledge.finding import Finding
from knowledge.pathways import Pathway, pathway
from tools.chart.answers import resolve


class View:
    """The case as the model may see it, and the tools that fit it."""

    def __init__(self, session: Session) -> None:
        case = session.case()
        self.language = session.request.language
        self.path: Pathway = pathway(PATHWAY)
        self.seen: Episode = episode(
            case.timeline, case.recordings.values(), at=session.at, pathway=self.path
        )
        self.findings: dict[str, Finding] = dict(resolve(case.timeline, at=session.at).findings)
        self.summary: CaseSummary = summarise(
            case, self.findings, self.seen, at=session.at, language=self.language
        )
        common = (case, self.summary, self.path, session.settings)
        self.fitting: tuple[FittingTool, ...] = fitting(*common)
        self.unfit: tuple[UnfitTool, ...] = unfit(*common)
