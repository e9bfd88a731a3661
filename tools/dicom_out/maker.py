"""Who made an object: the software, its version, the method; and that it is for research."""

import re
from datetime import datetime
from importlib.metadata import version

from pydantic import field_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen

NOTICE = (
    "Research use only; not a medical device. Preliminary, made by software, not verified: a "
    "clinician reviews, decides and signs."
)
"""Stands in every object."""

SHORT_NOTICE = "Research use only - not verified"
"""The same where 64 characters are all there is."""

MANUFACTURER = "Epicrisis"
CREATOR = f"{MANUFACTURER}^"
"""As a name of one part (PS3.5 6.2.1)."""


class Maker(Frozen):
    """What made an object, and when.

    Args:
        method: Name of the algorithm, for example ``ct_measurements_of_series``.
        method_version: Its version.
        at: The moment of the result, with its zone. It is part of what the object's UIDs are made
            of, so that a later result is another object.
        software: Version of this product.
    """

    method: str
    method_version: str
    at: datetime
    software: str = version("epicrisis")

    @field_validator("at")
    @classmethod
    def _zoned(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise InvalidValueError("the moment of a DICOM object", "has no zone", "give one")
        return at.replace(microsecond=0)

    @property
    def offset(self) -> str:
        """The zone as DICOM writes it (PS3.3 C.12.1), for example ``+0100``."""
        return re.sub(":", "", self.at.isoformat()[-6:]) if self.at.utcoffset() else "+0000"

    @property
    def key(self) -> tuple[str, ...]:
        """What UIDs are made of."""
        return (self.method, self.method_version, self.software, self.at.isoformat())
