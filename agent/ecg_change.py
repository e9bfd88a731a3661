"""What changed between the tracings of a case, in one sentence of the narrative.

Told, and nothing more: no rule of a pathway reads it.
"""

from collections.abc import Iterator, Sequence

from agent.assessment import Sentence
from agent.ecg_step import EcgRun
from knowledge.errors import EpicrisisError
from tools.ecg.measure import measure
from tools.ecg.serial.compare import compare
from tools.ecg.serial.tracing import Tracing
from tools.ecg.serial.trend import MIN_TRACINGS, trend
from tools.ecg.statement import evidence_of


def change_sentence(runs: Sequence[EcgRun]) -> Iterator[Sentence]:
    """Yield what the last tracing shows against the one before, and the course of a series.

    Only analysed recordings count; with fewer than two there is nothing to say. The identities of
    a case were compared when it was read. What cannot be compared is said with the reason.

    Args:
        runs: The recordings of this presentation, oldest first.
    """
    tracings = list(_tracings(runs))
    if len(tracings) < 2:
        return
    evidence = tuple(evidence_of(t.recording) for t in tracings)
    try:
        found = compare(tracings[-2], tracings[-1], same_patient=True)
        text = f"ECG, last against the one before: {found.headline}"
        yield Sentence(text=text, evidence=evidence[-2:])
        if len(tracings) >= MIN_TRACINGS:
            course = trend(tracings, same_patient=True)
            yield Sentence(text=f"ECG series: {course.headline}", evidence=evidence)
    except EpicrisisError as error:
        yield Sentence(text=f"ECGs not compared: {error.reason}.", evidence=evidence)


def _tracings(runs: Sequence[EcgRun]) -> Iterator[Tracing]:
    for run in runs:
        if not run.analysed:
            continue
        try:
            measured = measure(run.recording)
        except EpicrisisError:  # its report says so; it is no tracing to compare
            continue
        yield Tracing(recording=run.recording, m=measured, report=run.report)
