"""What the laboratory report shows, as data: the window of news, indices, names of blood groups."""

from collections.abc import Mapping
from functools import cache
from typing import Literal, Self

from pydantic import PositiveFloat, model_validator

from knowledge.laboratory_indices import laboratory_indices
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load

_FILE = "laboratory_report"


class Current(Sourced):
    """How old a result may be, hours, to be reported as news."""

    hours: PositiveFloat


class Shown(Frozen):
    """Where an index says something.

    Args:
        when_high, when_low: Analytes of which one result must lie outside its interval on that
            side; none means everywhere.
    """

    when_high: tuple[str, ...] = ()
    when_low: tuple[str, ...] = ()


class BloodGroupWords(Frozen):
    """How blood groups are coded and printed.

    Args:
        loinc: Code to what it states.
        abo, rh: Group to the whole answers that mean it, in lower case.
    """

    loinc: Mapping[str, Literal["abo", "rh", "abo_rh"]]
    abo: Mapping[Literal["A", "B", "AB", "O"], tuple[str, ...]]
    rh: Mapping[Literal["positive", "negative"], tuple[str, ...]]

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        for table in (self.abo, self.rh):
            words = [word for answers in table.values() for word in answers]
            if len(words) != len(set(words)) or any(word != word.lower() for word in words):
                raise ValueError("an answer means one group, and is written in lower case")
        return self


class ReportTable(Table):
    """The whole file."""

    current: Current
    indices: Mapping[str, Shown]
    blood_group: BloodGroupWords

    @model_validator(mode="after")
    def _known_indices(self) -> Self:
        unknown = [key for key in self.indices if key not in laboratory_indices().indices]
        if unknown:
            raise ValueError(f"no such index: {', '.join(unknown)}")
        return self


@cache
def report_table() -> ReportTable:
    """Return the table."""
    return load(_FILE, ReportTable)
