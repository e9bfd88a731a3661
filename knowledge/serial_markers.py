"""Serial markers besides troponin as data: what a value or a change says, with source and review.

A condition reads the readings that the marker declares (`value`, `fall_percent`, ...) and clinical
inputs; it is true, false or not known.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from pydantic import Field, PositiveFloat

from knowledge.analytes import analytes
from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load
from knowledge.rule_check import condition_faults
from knowledge.rules import Condition
from knowledge.words import Words

FILE = "serial_markers"


class MarkerReading(Frozen):
    """One thing a condition may read.

    Args:
        name: To show.
        kind: A number, yes or no, or one of `choices`.
        unit: UCUM unit of a number.
        choices: The words of a choice.
    """

    name: Words
    kind: Literal["quantity", "boolean", "choice"] = "quantity"
    unit: str = "1"
    choices: tuple[str, ...] = ()

    def as_input(self) -> ClinicalInput:
        """Return it as an entry that a condition can be checked against."""
        label = self.name.en
        if self.kind == "quantity":
            return ClinicalInput(label=label, kind="quantity", question=label, unit=self.unit)
        if self.kind == "boolean":
            return ClinicalInput(label=label, kind="boolean", question=label)
        choices = {word: word for word in self.choices}
        return ClinicalInput(label=label, kind="choice", question=label, choices=choices)


class StatementRow(Sourced):
    """One sentence that is true, false or not known of the samples."""

    id: str
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    when: Condition

    @property
    def words(self) -> Words:
        """The sentence."""
        return Words(en=self.en, zh=self.zh)


class MarkerCaveat(Sourced):
    """What must be read with a result; with `when` it is shown unless that is known to be false."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    when: Condition | None = None


class MarkerAge(Sourced):
    """How old, hours, the newest sample may be, and how far back a series goes."""

    newest_hours: PositiveFloat
    series_hours: PositiveFloat


class PersonAge(Sourced):
    """The age of the person, years, from which the statements hold."""

    from_years: PositiveFloat


class Marker(Frozen):
    """One marker.

    Args:
        analyte: Key of the analyte table.
        name: Name to show.
        age: How old samples may be.
        ages: From which age of the person it is said; None for every age.
        readings: What its conditions may read besides clinical inputs.
        statements: What is said of it, in order.
        caveats: What must be read with it.
    """

    analyte: str
    name: Words
    age: MarkerAge
    ages: PersonAge | None = None
    readings: Mapping[str, MarkerReading]
    statements: tuple[StatementRow, ...] = Field(min_length=1)
    caveats: tuple[MarkerCaveat, ...] = ()

    def sourced(self) -> Iterator[Sourced]:
        """Yield every row that cites a source."""
        yield from (self.age, *self.statements, *self.caveats)
        if self.ages is not None:
            yield self.ages


class SerialMarkers(Table):
    """The whole file."""

    markers: Mapping[str, Marker]


@cache
def serial_markers() -> SerialMarkers:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid; the message names it.
    """
    table = load(FILE, SerialMarkers)
    for key, marker in table.markers.items():
        for problem in _problems(table, marker):
            raise ReferenceDataError(f"{FILE}.yaml: {key}", problem)
    return table


def _problems(table: SerialMarkers, marker: Marker) -> Iterator[str]:
    if marker.analyte not in analytes().analytes:
        yield f"no such analyte: {marker.analyte}"
    for row in marker.sourced():
        if row.source not in table.sources:
            yield f"no such source: {row.source}"
    known = {
        **catalogue().every,
        **{key: reading.as_input() for key, reading in marker.readings.items()},
    }
    for statement in marker.statements:
        yield from condition_faults(statement.when, known)
    for caveat in marker.caveats:
        if caveat.when is not None:
            yield from condition_faults(caveat.when, known)
