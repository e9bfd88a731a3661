"""Which readings of a case an assessment really used, and why it did not use the others."""

from collections.abc import Iterable

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.timeline import Timeline
from tools.chart.from_readings import unused
from tools.readings.in_case import CaseReading


def used_now(
    readings: Iterable[CaseReading], timeline: Timeline, *, at: ClinicalTime
) -> tuple[CaseReading, ...]:
    """Return the readings with the questions that each really answered at a moment.

    Args:
        readings: With everything that each would answer by itself.
        timeline: The patient's facts.
        at: The moment of assessment.
    """
    return tuple(_used(one, timeline, at) for one in readings)


def _used(one: CaseReading, timeline: Timeline, at: ClinicalTime) -> CaseReading:
    why = {key: unused(key, one.file, timeline, at=at) for key in one.answers}
    return one.model_copy(
        update={
            "answers": tuple(key for key in one.answers if not why[key]),
            "not_used": tuple(
                f"{catalogue().get(key).label}: {said}" for key, said in why.items() if said
            ),
        }
    )
