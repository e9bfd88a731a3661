"""Brain volumes against a norm file that the site gives: z-score and percentile, or why not.

No norm is packaged. A norm holds for one way of measuring: scanner, sequence and segmentation
stand in the file, and what was measured otherwise is refused.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, PositiveFloat, ValidationError, model_validator

from knowledge.errors import InvalidValueError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from tools.readings.plain_json import strict_json

Sex = Literal["female", "male"]


class Scanner(Frozen):
    """How volumes were measured; every word must be equal for a norm to hold.

    Args:
        manufacturer: Of the scanner.
        model: Of the scanner.
        field_t: Field strength, T.
        sequence: Name of the sequence.
        segmentation: Software that measured, with its version.
    """

    manufacturer: str
    model: str
    field_t: PositiveFloat
    sequence: str
    segmentation: str


class AgeRow(Frozen):
    """The norm of one age; between two rows it is interpolated in a straight line.

    Args:
        age: Years.
        mean: At the intracranial volume `Curve.icv_mean` where there is one, mL.
        sd: Standard deviation, mL.
    """

    age: Annotated[FiniteFloat, Field(ge=0, le=120)]
    mean: PositiveFloat
    sd: PositiveFloat


class Curve(Frozen):
    """The norm of one structure and sex.

    Args:
        structure: Id of the item of the form.
        sex: For whom.
        rows: By age, at least two.
        icv_slope: mL of the structure for each mL of intracranial volume; None where the norm is
            not adjusted for it.
        icv_mean: Intracranial volume to which `rows` belong, mL.
    """

    structure: str
    sex: Sex
    rows: tuple[AgeRow, ...] = Field(min_length=2)
    icv_slope: FiniteFloat | None = None
    icv_mean: PositiveFloat | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ages = [row.age for row in self.rows]
        if ages != sorted(set(ages)):
            raise ValueError("the ages do not increase")
        if (self.icv_slope is None) != (self.icv_mean is None):
            raise ValueError("icv_slope and icv_mean go together")
        return self


class BrainNorm(Frozen):
    """A norm file.

    Args:
        id: Name and version of the norm.
        source: Where it comes from: cohort, number of people, publication.
        people: How many people it rests on.
        scanners: Ways of measuring for which it holds.
        icv_ml: Least and greatest intracranial volume.
        curves: At most one for each structure and sex.
    """

    schema_name: Literal["epicrisis/brain-norm/1"] = Field(alias="schema")
    id: Annotated[str, Field(min_length=1, max_length=80)]
    source: Annotated[str, Field(min_length=10, max_length=500)]
    people: Annotated[int, Field(ge=20)]
    scanners: tuple[Scanner, ...] = Field(min_length=1)
    icv_ml: tuple[PositiveFloat, PositiveFloat]
    curves: tuple[Curve, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        keys = [(curve.structure, curve.sex) for curve in self.curves]
        if len(set(keys)) != len(keys):
            raise ValueError("a structure and sex stand there twice")
        if self.icv_ml[0] >= self.icv_ml[1]:
            raise ValueError("icv_ml goes from the lower to the higher")
        return self


class Person(Frozen):
    """Of whom the volumes are.

    Args:
        age_years: At the examination; None where not known.
        sex: As recorded; only female and male have norms.
        icv_ml: Intracranial volume; None where not measured.
    """

    age_years: FiniteFloat | None
    sex: str
    icv_ml: FiniteFloat | None


class Scored(Frozen):
    """One structure against the norm.

    Args:
        structure: Id of the item.
        z: Standard deviations from the norm; None where not assessed.
        percentile: Of a normal distribution, 0 to 100.
        not_assessed: Why not; set exactly where there is no z.
    """

    structure: str
    z: float | None = None
    percentile: float | None = None
    not_assessed: NotAssessed | None = None


def read_norm(content: bytes, *, name: str) -> BrainNorm:
    """Return a norm file.

    Raises:
        UnreadableError: Not JSON.
        InvalidValueError: Not a norm file, or one that contradicts itself.
    """
    data = strict_json(content, name=name)
    try:
        return BrainNorm.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValueError(
            f"{name}: {where}"[:200], first["msg"], "correct the norm file"
        ) from error


def scored(
    norm: BrainNorm, volumes: Mapping[str, float], *, person: Person, scanner: Scanner
) -> tuple[Scored, ...]:
    """Return each volume against the norm.

    Args:
        norm: Of the site.
        volumes: mL, by structure.
        person: Of whom.
        scanner: How they were measured.

    Returns:
        One for each volume, in the order given; not assessed outside what the norm covers.
    """
    refused = _outside(norm, person, scanner)
    return tuple(
        Scored(structure=name, not_assessed=refused)
        if refused is not None
        else _scored(norm, name, volume, person)
        for name, volume in volumes.items()
    )


def _outside(norm: BrainNorm, person: Person, scanner: Scanner) -> NotAssessed | None:
    for reason in _reasons(norm, person, scanner):
        return reason
    return None


def _reasons(norm: BrainNorm, person: Person, scanner: Scanner) -> Iterator[NotAssessed]:
    if scanner not in norm.scanners:
        yield _why(f"{norm.id} is not of this scanner, sequence and segmentation software")
    if person.sex not in ("female", "male"):
        yield _why("sex is not known as female or male", Why.MISSING)
    if person.age_years is None:
        yield _why("age is not known", Why.MISSING)
    if person.icv_ml is None:
        yield _why("intracranial volume is not known", Why.MISSING)
    elif not norm.icv_ml[0] <= person.icv_ml <= norm.icv_ml[1]:
        low, high = norm.icv_ml
        yield _why(f"intracranial volume is outside {low:g} to {high:g} mL of {norm.id}")


def _scored(norm: BrainNorm, name: str, volume: float, person: Person) -> Scored:
    curve = next((c for c in norm.curves if (c.structure, c.sex) == (name, person.sex)), None)
    age = person.age_years
    if curve is None or age is None:
        why = _why(f"{norm.id} has no norm of it for this sex")
        return Scored(structure=name, not_assessed=why)
    first, last = curve.rows[0].age, curve.rows[-1].age
    if not first <= age <= last:
        why = _why(f"age is outside {first:g} to {last:g} years of {norm.id}")
        return Scored(structure=name, not_assessed=why)
    mean, sd = _at(curve, age)
    if curve.icv_slope is not None and curve.icv_mean is not None and person.icv_ml is not None:
        mean += curve.icv_slope * (person.icv_ml - curve.icv_mean)
    z = (volume - mean) / sd
    return Scored(structure=name, z=round(z, 3), percentile=round(100 * _below(z), 2))


def _at(curve: Curve, age: float) -> tuple[float, float]:
    """Return mean and SD at an age, between the rows around it."""
    after = next(i for i, row in enumerate(curve.rows) if row.age >= age)
    if after == 0 or curve.rows[after].age == age:
        return curve.rows[after].mean, curve.rows[after].sd
    a, b = curve.rows[after - 1], curve.rows[after]
    share = (age - a.age) / (b.age - a.age)
    return a.mean + share * (b.mean - a.mean), a.sd + share * (b.sd - a.sd)


def _below(z: float) -> float:
    """Return the share of a normal distribution below z."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _why(detail: str, why: Why = Why.OUTSIDE_CONTRACT) -> NotAssessed:
    return NotAssessed(why=why, detail=detail)
