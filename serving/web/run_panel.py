"""The agent's run on a case: each step as it is told, and what came of the words."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.graph.events import Event, EventType
from serving.agent_runs import words
from serving.cases.model import Case
from serving.jobs.seam import Job, JobEvent, JobState
from serving.services import Services
from serving.storage.base import new_id
from serving.web.words import JOB, Say, word

OPEN = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, in words."""

    sequence: int
    text: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class RunPanel:
    """The newest run of a case.

    Args:
        job: The run; None where none was asked for.
        state: In words.
        open: Whether it goes on.
        steps: What it has told so far.
        last: Number of the last event, to go on from.
        key: For the next run that is asked for: pressed twice, it is still one.
    """

    job: Job | None
    state: str
    open: bool
    steps: tuple[Step, ...]
    last: int
    key: str


def run_panel(services: Services, case: Case, say: Say, *, job: Job | None = None) -> RunPanel:
    """Return the panel of a case's newest run, or of the given one."""
    if job is None:
        job = next(iter(services.jobs.of_case(case.id)), None)
    events = () if job is None else services.jobs.events(job.id)
    return RunPanel(
        job=job,
        state="" if job is None else word(JOB, job.state.value, say),
        open=job is not None and job.state in OPEN,
        steps=steps(events),
        last=max((e.sequence for e in events), default=-1),
        key=new_id("key"),
    )


def steps(events: Iterable[JobEvent]) -> tuple[Step, ...]:
    """Return the events that a person need see, each as one line."""
    return tuple(step for event in events if (step := _step(event)) is not None)


def _step(event: JobEvent) -> Step | None:
    if event.type not in {kind.value for kind in EventType}:
        return None
    told = Event(run=event.job, sequence=0, type=EventType(event.type), data=event.data)
    text = words(told)
    if not text:
        return None
    failed = event.type == EventType.DEGRADED or bool(event.data.get("problem"))
    return Step(sequence=event.sequence, text=text, failed=failed)
