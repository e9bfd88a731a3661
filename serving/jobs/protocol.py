"""What the runs of a case take and give over HTTP."""

from datetime import datetime

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen
from knowledge.passages import Language
from serving.jobs.seam import Job, JobState


class RunIn(Frozen):
    """What the agent's run is asked for with."""

    language: Language = "en"


class RunOut(Frozen):
    """The agent's run on a case.

    Args:
        assessment: Id of the version it made, where it is done.
        problem: Why it failed, where it did; a failed run has made none.
    """

    id: str
    case: str
    state: JobState
    asked_at: datetime
    ended_at: datetime | None = None
    assessment: str | None = None
    problem: str = ""
    notice: str = RESEARCH_USE


class RunList(Frozen):
    """The runs of a case, newest first."""

    runs: tuple[RunOut, ...]


def run_out(job: Job) -> RunOut:
    """Return a run as its case shows it."""
    return RunOut.model_validate(job.model_dump(exclude={"by"}))
