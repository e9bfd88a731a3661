"""Two sources that do not agree, shown side by side; never settled silently."""

from knowledge.evidence import Evidence
from knowledge.model import Frozen


class Side(Frozen):
    """What one source says."""

    who: str
    says: str
    evidence: tuple[Evidence, ...] = ()


class Conflict(Frozen):
    """A question on which sources disagree.

    Args:
        what: The question.
        input: Id in the clinical-input catalogue, where it is one.
        sides: What each source says.
        consequence: What this result does because of it.
    """

    what: str
    input: str | None = None
    sides: tuple[Side, ...]
    consequence: str
