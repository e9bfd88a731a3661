"""Who the patient is, as one source states it."""

from typing import Literal

from pydantic import Field

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.model import Frozen

Sex = Literal["female", "male"]


class Identity(Frozen):
    """The identity one source carries; every part may be missing.

    Args:
        source: The file the identity was read from.
        identifiers: (assigner or system, value) pairs; the assigner is empty where not stated.
        family: Family name as written.
        given: Given names as written.
        birth_date: Date of birth, at the precision stated.
        sex: Administrative gender or sex where it is female or male; None for other or unknown.
        age_years, age_on: Age on a day, where the source states one; both or none.
    """

    source: str
    identifiers: tuple[tuple[str, str], ...] = ()
    family: str | None = None
    given: tuple[str, ...] = ()
    birth_date: ClinicalTime | None = None
    sex: Sex | None = None
    age_years: float | None = Field(default=None, exclude_if=lambda found: found is None)
    age_on: ClinicalTime | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def is_empty(self) -> bool:
        """Whether the source says nothing that could identify a patient."""
        return not (self.identifiers or self.family or self.given or self.birth_date)


class Patient(Frozen):
    """The one patient of a case, put together after the identities were compared."""

    identities: tuple[Identity, ...] = ()
    birth_date: ClinicalTime | None = None
    sex: Sex | None = None
    deceased: ClinicalTime | Literal[True] | None = None
    evidence: tuple[Evidence, ...] = ()
