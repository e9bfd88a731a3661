"""Which reference intervals one person may have, and what must be known to tell them apart.

Every completion of what is not known of the person (both sexes, pregnant or not, ...) gets the
first row that fits: the site's rows, then the packaged ones. Where completions get different rows,
or none, the choice is open and names what is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from knowledge.laboratory_tests import Childbearing, IntervalRow, laboratory_tests
from knowledge.quantity import Interval
from tools.labs.interval_model import Subject

_OLDEST = 150.0
"""Years beyond which nobody is; only to have an age after every row's last."""

Value = str | float | bool
_Person = Mapping[str, Value]


class Choice(NamedTuple):
    """What was chosen.

    Args:
        rows: Every row that may be the right one, each with whether it is the site's.
        nobody: Whether for some completion no row fits.
        missing: What would settle it, by name: ``sex``, ``age``, ``pregnant`` or a circumstance.
        later: Rows of the fallback that fit every completion too, but come later.
        if_not_pregnant: Whether a row is used that holds only if the patient is not pregnant.
    """

    rows: tuple[tuple[IntervalRow, bool], ...]
    nobody: bool
    missing: tuple[str, ...]
    later: tuple[IntervalRow, ...]
    if_not_pregnant: bool


def choose(
    subject: Subject, site: Sequence[IntervalRow], packaged: Sequence[IntervalRow]
) -> Choice:
    """Return the rows that may be the right ones for a person.

    Args:
        subject: What is known of the person and the sample.
        site: The site's rows of the analyte, in order.
        packaged: The packaged rows, in order.
    """
    every = [(row, True) for row in site] + [(row, False) for row in packaged]
    unknown = _unknown(subject, [row for row, _ in every])
    found: list[tuple[_Person, tuple[IntervalRow, bool] | None]] = []
    for values in product(*unknown.values()):
        person = dict(zip(unknown, values, strict=True))
        if _possible(person):
            found.append((person, next((r for r in every if _fits(r[0], person)), None)))
    chosen = tuple(dict.fromkeys(_Same(*row) for _, row in found if row is not None))
    rows = tuple((c.row, c.site) for c in chosen)
    first = {id(row) for row, _ in rows}
    later = tuple(
        row
        for row in packaged
        if id(row) not in first and all(_fits(row, person) for person, _ in found)
    )
    woman = any(_may_be_pregnant(person) for person, _ in found)
    return Choice(
        rows=rows,
        nobody=any(row is None for _, row in found),
        missing=tuple(_missing(unknown, found)),
        later=later,
        if_not_pregnant=woman
        and subject.pregnant is None
        and any(row.pregnant is None for row, _ in rows),
    )


class _Same:
    """A row by identity: two rows may have equal numbers."""

    __slots__ = ("row", "site")

    def __init__(self, row: IntervalRow, site: bool) -> None:
        self.row = row
        self.site = site

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.row is other.row

    def __hash__(self) -> int:
        return id(self.row)


def _unknown(subject: Subject, rows: Sequence[IntervalRow]) -> dict[str, tuple[Value, ...]]:
    """Return, for everything that the rows ask, all values that it may have."""
    found: dict[str, tuple[Value, ...]] = {
        "sex": ("female", "male") if subject.sex is None else (subject.sex,),
        "age": tuple(_ages(subject.age, rows)),
    }
    asked = any(row.pregnant is not None for row in rows)
    if subject.pregnant is not None:
        found["pregnant"] = (subject.pregnant,)
    elif asked:
        found["pregnant"] = (False, True)
    for name in dict.fromkeys(name for row in rows for name in row.when):
        known = subject.circumstances.get(name)
        found[name] = (True, False) if known is None else (known,)
    return found


def _ages(age: Interval | None, rows: Sequence[IntervalRow]) -> Iterator[float]:
    """Yield one age of every group that is told apart and that the person may be of."""
    bearing = laboratory_tests().childbearing
    limits = {bearing.from_age, bearing.to_age}
    for row in rows:
        limits |= {limit for limit in (row.from_age, row.to_age) if limit is not None}
    low = 0.0 if age is None or age.low is None else age.low
    high = _OLDEST if age is None or age.high is None else age.high
    yield low
    yield from sorted(limit for limit in limits if low < limit <= high)


def _possible(person: _Person) -> bool:
    return not (person.get("pregnant") is True and not _may_be_pregnant(person))


def _may_be_pregnant(person: _Person) -> bool:
    bearing: Childbearing = laboratory_tests().childbearing
    age = float(person["age"])
    return person["sex"] == "female" and bearing.from_age <= age < bearing.to_age


def _fits(row: IntervalRow, person: _Person) -> bool:
    age = float(person["age"])
    pregnant = person.get("pregnant", False)
    return (
        row.sex in (None, person["sex"])
        and (row.from_age is None or age >= row.from_age)
        and (row.to_age is None or age < row.to_age)
        and bool(row.pregnant) == pregnant
        and all(person[name] is value for name, value in row.when.items())
    )


def _missing(
    unknown: Mapping[str, tuple[Value, ...]],
    found: Sequence[tuple[_Person, tuple[IntervalRow, bool] | None]],
) -> Iterator[str]:
    """Yield what changes the row while everything else stays as it is."""
    for name, values in unknown.items():
        if len(values) == 1:
            continue
        groups: dict[tuple[Value, ...], set[int]] = {}
        for person, row in found:
            rest = tuple(value for key, value in person.items() if key != name)
            groups.setdefault(rest, set()).add(0 if row is None else id(row[0]))
        if any(len(rows) > 1 for rows in groups.values()):
            yield name
