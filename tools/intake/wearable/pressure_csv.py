"""Reading a table of blood pressures taken at home, as cuffs and their apps export it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError, TooLargeError, UnreadableError
from knowledge.patient import Identity
from knowledge.wearable import wearable
from tools.intake.wearable.model import MAX_READINGS, Kind, Reading, WearableFile
from tools.intake.wearable.reading import moment, number

MAX_BYTES = 4 * 1024 * 1024
MAX_PROBLEMS = 50

_UNIT = re.compile(r"\s*[\[(\uff08].*$")
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
    try:
        for at, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
            if at > 1 and any(cell.strip() for cell in row):
                readings += _row(row, at, columns, file, zone, problems)
    except csv.Error as error:
        raise UnreadableError(file, "a table whose quotes do not close", _AGAIN) from error
    if not readings:
        told = f": {problems[0]}" if problems else ""
        raise UnreadableError(file, f"no row of it can be used{told}", _AGAIN)
    if len(readings) > MAX_READINGS:
        raise TooLargeError(file, f"{len(readings)} readings", "give the last months alone")
    more = [f"and {len(problems) - MAX_PROBLEMS} more rows"] if len(problems) > MAX_PROBLEMS else []
    return WearableFile(
        file=file,
        kind="table of home blood pressures",
        identity=Identity(source=file),
        readings=tuple(readings),
        counts=dict(Counter(reading.kind for reading in readings)),
        problems=(*problems[:MAX_PROBLEMS], *more),
    )


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
) -> list[Reading]:
    """Return the readings of one row: both pressures or none of them."""
    try:
        time, wall = _when(row, columns, file, zone)
        values = {
            kind: number(_cell(row, columns, name), kind)
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
