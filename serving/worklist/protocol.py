"""The list and its critical results on the wire."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from knowledge.model import Frozen
from serving.signing.protocol import clean
from serving.worklist.model import Acknowledgement


class AcknowledgeIn(Frozen):
    """That a person knows a critical result.

    Args:
        note: What they want to be kept with it, for example whom they told.
    """

    note: Annotated[str, StringConstraints(max_length=1000), AfterValidator(clean)] = ""


class AcknowledgementList(Frozen):
    """The critical results of a case, newest first.

    Args:
        case: Id of the case.
        acknowledgements: Acknowledged or not.
    """

    case: str
    acknowledgements: tuple[Acknowledgement, ...]
