"""A pull over HTTP."""

from typing import Annotated

from pydantic import Field, StringConstraints

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen

_Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=500)]
_Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
_Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class PullIn(Frozen):
    """Whose data are pulled, and from where.

    In a login by an EHR's launch everything is the launch's: what is given must be the same.

    Args:
        server: FHIR base address.
        patient: Id of the patient there.
        encounter: Id of the encounter there.
        label: What people call the case (a bed); no identity.
    """

    server: _Url | None = None
    patient: _Id | None = None
    encounter: _Id | None = None
    label: _Label = ""


class PullOut(Frozen):
    """What came of a pull.

    Args:
        case: Id of the case it went into.
        created: Whether the case is new.
        version: Version of its newest assessment.
        status: Of that assessment.
        headline: Of that assessment.
        complete: Whether everything that was asked for could be read.
        counts: Resource type to number.
        problems: What could not be read; the assessment says that it is not complete.
        not_offered: Resource types that the server does not have.
    """

    case: str
    created: bool
    version: int
    status: str
    headline: str
    complete: bool
    counts: dict[str, int]
    problems: tuple[str, ...] = Field(default=())
    not_offered: tuple[str, ...] = Field(default=())
    notice: str = RESEARCH_USE
