"""A case as the planning modules take it: read, resolved, summarised, with its tools."""

from dataclasses import dataclass
from pathlib import Path

from agent.case_summary import CaseSummary, summarise
from agent.episode import Episode, episode
from agent.fitting import FittingTool, UnfitTool, fitting, unfit
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding
from knowledge.passages import Language
from knowledge.pathways import pathway
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES, NOW
from tools.chart.answers import resolve
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

PATH = pathway("chest_pain")
REQUIRED = tuple(step.tool for step in PATH.steps if step.required)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Everything the planning modules see of one case."""

    case: CaseFiles
    at: ClinicalTime
    findings: dict[str, Finding]
    seen: Episode
    summary: CaseSummary
    tools: tuple[FittingTool, ...]
    closed: tuple[UnfitTool, ...]


def planned(
    *paths: Path | str, language: Language = "en", device_functions: bool = True
) -> Planned:
    """Return one case; a name is a bundled example."""
    found = [EXAMPLES / path if isinstance(path, str) else path for path in paths]
    settings = Settings(device_functions=device_functions)
    case = read_case(found, at=None, now=NOW, settings=settings)
    at = case.at or NOW
    findings = dict(resolve(case.timeline, at=at).findings)
    seen = episode(case.timeline, case.recordings.values(), at=at, pathway=PATH)
    summary = summarise(case, findings, seen, at=at, language=language)
    common = (case, summary, PATH, settings)
    return Planned(
        case=case,
        at=at,
        findings=findings,
        seen=seen,
        summary=summary,
        tools=fitting(*common),
        closed=unfit(*common),
    )
