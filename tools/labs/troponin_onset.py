"""Time from onset to the first sample: known, imprecise, unknown, or contradicting the sample."""

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.troponin import pathways
from tools.labs.troponin_category import split


class Onset(Frozen):
    """Time from onset to the first sample.

    Args:
        minutes: All possible lengths; None where unknown.
        reason: Why it is unknown.
        conflicting: The stated onset lies after the first sample.
    """

    minutes: Interval | None = None
    reason: NotAssessed | None = None
    conflicting: bool = False

    def parts(self) -> tuple[Interval | None, ...]:
        """Return the lengths in parts that no limit divides; (None,) where unknown."""
        if self.minutes is None:
            return (None,)
        limits = pathways().onset
        return split(
            self.minutes,
            below=(limits.very_early_below.value,),
            up_to=(limits.early_at_most.value, limits.long_above.value),
        )


ANY = Onset(minutes=Interval(low=0))
"""Every possible onset: what the answer could be if the onset were given."""


def onset_before(onset: Finding, first: ClinicalTime) -> Onset:
    """Return the time from `onset` to the first sample."""
    if onset.state is State.NOT_ASSESSED:
        return Onset(reason=onset.not_assessed)
    if onset.state is State.ABSENT or onset.time is None:
        return Onset(reason=NotAssessed(why=Why.MISSING, detail="no time of onset"))
    since = elapsed(onset.time, first)
    if since.minutes is None:
        why = Why.TIME_ZONE_UNKNOWN
        return Onset(reason=NotAssessed(why=why, detail=f"onset: {since.not_assessed}"))
    if since.minutes.compare("lt", 0) is True:
        detail = "the stated onset is after the first sample: correct one of the two times"
        return Onset(reason=NotAssessed(why=Why.CONFLICTING, detail=detail), conflicting=True)
    if since.minutes.compare("ge", 0) is None:
        clipped = since.minutes.model_copy(update={"low": 0.0, "low_closed": True})
        return Onset(minutes=clipped)
    return Onset(minutes=since.minutes)


def is_early(part: Interval | None) -> bool:
    """Return whether the patient came early, which an unknown onset counts as."""
    limit = pathways().onset.early_at_most.value
    return part is None or part.compare("le", limit) is not False


def is_very_early(part: Interval | None) -> bool:
    """Return whether the patient came very early, which an unknown onset counts as."""
    limit = pathways().onset.very_early_below.value
    return part is None or part.compare("lt", limit) is not False


def is_long(part: Interval | None) -> bool:
    """Return whether the pain had lasted long, which an unknown onset does not count as."""
    return part is not None and part.compare("gt", pathways().onset.long_above.value) is True
