"""Reading a table of blood pressures taken at home, as cuffs and their apps export it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.identity_words import identity_words
from knowledge.patient import Identity
from knowledge.wearable import wearable
from tools.intake.wearable.model import MAX_READINGS, Kind, Reading, WearableFile
from tools.intake.wearable.reading import moment, number

MAX_BYTES = 4 * 1024 * 1024
MAX_PROBLEMS = 50

_UNIT = re.compile(r"\s*[\[(\uff08].*$")
_STATED_UNIT = re.compile(r"[\[(\uff08]\s*([^\])\uff09]+)")
_SEPARATORS = (",", ";", "\t")
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("systolic", "systolic"),
    ("diastolic", "diastolic"),
    ("pulse", "heart_rate"),
)
_AGAIN = "export the readings again with a line of column names"


def is_pressure_table(head: bytes) -> bool:
    """Return whether a text begins with a line that names a systolic and a diastolic column."""
    found = _columns(head[:4096].decode("utf-8", errors="ignore"))
    return found is not None


def read_pressure_table(content: bytes, *, file: str, zone: str | None) -> WearableFile:
    """Return the readings of a table; a row that cannot be used is told.

    Args:
        content: The whole file.
        file: Its name.
        zone: IANA zone declared for times without an offset.

    Raises:
        UnreadableError: Not such a table, or not one row of it can be used.
        TooLargeError: Over `MAX_BYTES`.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(file, f"{len(content)} bytes", "give the last months alone")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(file, "not a text in UTF-8", _AGAIN) from error
    found = _columns(text)
    if found is None:
        raise UnreadableError(file, "no line that names its columns", _AGAIN)
    separator, columns = found
    problems: list[str] = []
    readings: list[Reading] = []
    headings, rows = _table(text, separator, file)
    identity = _whose(headings, [row for _, row in rows], file)
    per_unit = _per_unit(headings, columns, file)
    for at, row in rows:
        readings += _row(row, at, columns, file, zone, problems, per_unit)
    if not readings:
        told = f": {problems[0]}" if problems else ""
        raise UnreadableError(file, f"no row of it can be used{told}", _AGAIN)
    if len(readings) > MAX_READINGS:
        raise TooLargeError(file, f"{len(readings)} readings", "give the last months alone")
    more = [f"and {len(problems) - MAX_PROBLEMS} more rows"] if len(problems) > MAX_PROBLEMS else []
    return WearableFile(
        file=file,
        kind="table of home blood pressures",
        identity=identity,
        readings=tuple(readings),
        counts=dict(Counter(reading.kind for reading in readings)),
        problems=(*problems[:MAX_PROBLEMS], *more),
    )


def _table(text: str, separator: str, file: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the headings, and each row that is not blank with its number from 1."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator)
    try:
        rows = [(at, row) for at, row in enumerate(reader, start=1)]
    except csv.Error as error:
        raise UnreadableError(file, "a table whose quotes do not close", _AGAIN) from error
    return rows[0][1], [(at, row) for at, row in rows[1:] if any(cell.strip() for cell in row)]


def _whose(headings: Sequence[str], rows: Sequence[Sequence[str]], file: str) -> Identity:
    """Return who the table says the wearer is, by the columns that name a person.

    Raises:
        UnsupportedError: Such a column names more than one.
    """
    name: str | None = None
    for at, heading in enumerate(headings):
        holds = identity_words().column(heading)
        if holds is None:
            continue
        said = {" ".join(row[at].split()) for row in rows if at < len(row)} - {""}
        if len({one.casefold() for one in said}) > 1:
            raise UnsupportedError(
                file,
                f"may hold readings of several people: two values in {heading.strip()[:40]!r}",
                "export the readings of one person alone",
            )
        if holds == "name" and said and name is None:
            name = min(said)
    return Identity(source=file, family=name)


def _per_unit(headings: Sequence[str], columns: Mapping[str, int], file: str) -> float:
    """Return how many mmHg one of the unit in the headings is; 1 where none is stated.

    Raises:
        UnsupportedError: A unit that is no pressure's, or two of them.
    """
    stated = {
        match[1].strip().casefold()
        for kind in ("systolic", "diastolic")
        if (match := _STATED_UNIT.search(headings[columns[kind]]))
    }
    known = wearable().pressure_units
    per = {unit: known[unit].mmhg for unit in stated if unit in known}
    if len(stated) > 1 or len(per) < len(stated):
        raise UnsupportedError(
            file,
            f"pressures in {' and '.join(sorted(stated))[:40]}, which is not read",
            "export them in mmHg",
        )
    return next(iter(per.values()), 1.0)


def _columns(text: str) -> tuple[str, dict[str, int]] | None:
    """Return the separator and the column of each kind, or None where no pair is named."""
    line = text.removeprefix("\ufeff").partition("\n")[0].strip("\r")
    for separator in _SEPARATORS:
        try:
            names = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:
            return None
        plain = [_UNIT.sub("", name).strip().casefold() for name in names]
        found = {
            kind: next(at for at, name in enumerate(plain) if name in known)
            for kind, known in wearable().columns.by_kind.items()
            if any(name in known for name in plain)
        }
        timed = "time" in found or "date" in found
        if timed and "systolic" in found and "diastolic" in found:
            return separator, found
    return None


def _row(
    row: Sequence[str],
    at: int,
    columns: Mapping[str, int],
    file: str,
    zone: str | None,
    problems: list[str],
    per_unit: float,
) -> list[Reading]:
    """Return the readings of one row: both pressures or none of them.

    Args:
        row: Its cells.
        at: Its number.
        columns: What each column holds.
        file: The table.
        zone: IANA zone of its times.
        problems: Collects why a row is not used.
        per_unit: How many mmHg one of the table's unit of pressure is.
    """
    try:
        time, wall = _when(row, columns, file, zone)
        values = {
            kind: number(
                _cell(row, columns, name), kind, times=1.0 if kind == "heart_rate" else per_unit
            )
            for name, kind in _KINDS
            if kind != "heart_rate" or _cell(row, columns, name).strip()
        }
        if values["diastolic"] >= values["systolic"]:
            raise InvalidValueError("pressure", "diastolic is not below systolic")
    except InvalidValueError as error:
        problems.append(f"row {at} is not used: {error.item}: {error.reason}")
        return []
    return [
        Reading(
            kind=kind, value=value, time=time, wall=wall, device="", file=file, place=f"row {at}"
        )
        for kind, value in values.items()
    ]


def _when(
    row: Sequence[str], columns: Mapping[str, int], file: str, zone: str | None
) -> tuple[ClinicalTime, datetime | None]:
    if "date" in columns:
        clock = _cell(row, columns, "clock").strip()
        return moment(
            f"{_cell(row, columns, 'date').strip()} {clock}".strip(), clock=file, zone=zone
        )
    return moment(_cell(row, columns, "time"), clock=file, zone=zone)


def _cell(row: Sequence[str], columns: Mapping[str, int], name: str) -> str:
    at = columns.get(name)
    return row[at] if at is not None and at < len(row) else ""
