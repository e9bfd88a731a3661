"""One row of a table to one result; what cannot be used is named with its row."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time

from knowledge.clinical_time import ClinicalTime, Precision, parse_fhir, place, zoned
from knowledge.errors import InvalidValueError
from knowledge.evidence import RecordEvidence
from knowledge.finding import MethodKind
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from knowledge.patient import Identity
from knowledge.quantity import Interval
from knowledge.result_sources import stated_method, stated_specimen
from knowledge.timeline import Fact
from tools.intake.printed_result import (
    MeasuredTest,
    NumberFormat,
    Printed,
    fits_specimen,
    named_test,
    not_of_specimen,
    plain,
    read_number,
    result_fact,
    two_readings,
)
from tools.intake.tables.cells import Cell, ProblemKind, Row, RowProblem
from tools.intake.tables.columns import Layout
from tools.intake.tables.mapping import LabMapping, TimeColumn

_FLAG_WORDS = {
    "high": "lab-high",
    "low": "lab-low",
    "critical high": "lab-critical-high",
    "critical low": "lab-critical-low",
    "normal": "lab-normal",
    "abnormal": "lab-abnormal",
    "none": "",
}
_TWO_READINGS = "interval: a number in it has two readings; the interval is not used"
_ARROW = re.compile(r"(?P<value>.*?[0-9])\s*(?P<flag>[\u2191\u2193]{1,2}|(?<=\s)[HLhl]{1,2})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:[ T](\d{1,2}:\d\d(?::\d\d)?))?")
_ESSENTIAL = ("test", "code", "value", "unit", "patient_id", "low", "high", "interval")
_PRECISE = (("%S", Precision.SECOND), ("%M", Precision.MINUTE), ("%H", Precision.MINUTE))


@dataclass(kw_only=True)
class Surroundings:
    """What the rows of one table share.

    Args:
        file: The table.
        place: What stands before a row's number.
        layout: Its columns.
        mapping: What is declared; None where nothing is.
        numbers: How numbers are written.
        zone: IANA zone of times without an offset.
        problems: Collects what could not be used.
        identities: Those of rows read so far, by what their cells say.
    """

    file: str
    place: str
    layout: Layout
    mapping: LabMapping | None
    numbers: NumberFormat
    zone: str | None
    problems: list[RowProblem] = field(default_factory=list)
    identities: dict[tuple[str, ...], Identity] = field(default_factory=dict)

    def cell(self, row: Row, holds: str) -> Cell:
        """Return the cell of a row that holds something; an empty one where there is no column."""
        index = self.layout.at.get(holds)
        return row.cells[index] if index is not None and index < len(row.cells) else Cell()

    def text(self, row: Row, holds: str) -> str:
        """Return the text of such a cell."""
        return self.cell(row, holds).text.strip()

    def problem(self, row: Row, kind: ProblemKind, detail: str, *, used: bool = False) -> None:
        """Note what could not be used of a row."""
        self.problems.append(RowProblem(row=row.number, kind=kind, detail=detail, used=used))


def fault_of(row: Row, around: Surroundings) -> tuple[ProblemKind, str] | None:
    """Return why a row as a whole cannot be used, or None where it can."""
    width = around.layout.width
    given = len(row.cells)
    while given > width and row.cells[given - 1] == Cell():
        given -= 1
    if given != width and not (given < width and around.place):
        return "ragged", f"{given} cells where the heading has {width}"
    unit = around.text(row, "unit")
    if unit != "1" and read_number(unit, NumberFormat()) is not None:
        return "ragged", "a number stands in the column of the unit: are the columns shifted?"
    for holds in _ESSENTIAL:
        problem = around.cell(row, holds).problem
        if problem is not None:
            return problem[0], f"{holds}: {problem[1]}"
    return None


def result_of_row(row: Row, around: Surroundings) -> Fact | None:
    """Return the fact of a row, or None after noting why there is none."""
    value = around.cell(row, "value")
    if value.at is not None:
        reason = "value: a date stands where a result should (a workbook turns 3-5 into a date)"
        around.problem(row, "number", reason)
        return None
    test, unit_by_name, specimen = _test(row, around)
    if not test.name:
        around.problem(row, "test", "no test is named")
        return None
    if test.problem is not None:
        around.problem(row, "test", test.problem, used=True)
    words, flags = _value_and_flags(row, around, value)
    number: tuple[Interval, str] | None = None
    if words and not laboratory_vocabulary().says_no_result(words):
        form = NumberFormat(decimal="point") if value.is_number else around.numbers
        read = read_number(words, form)
        if isinstance(read, str):
            around.problem(row, "number", f"value: {read}")
            return None
        number = read
    constants = around.mapping.constants if around.mapping is not None else None
    unit = plain(around.text(row, "unit")) or unit_by_name or (constants and constants.unit)
    printed = Printed(
        test=test,
        value=number[1] if number is not None else words,
        interval=number[0] if number is not None else None,
        unit=unit or None,
        range_words=_range(row, around),
        flags=flags,
        time=_time(row, around),
        specimen=specimen,
        method=around.text(row, "method")[:400] or (constants.method if constants else None),
        method_kind=_method_kind(row, around),
        evidence=(RecordEvidence(file=around.file, record=f"{around.place}row {row.number}"),),
    )
    return result_fact(printed)


def _test(row: Row, around: Surroundings) -> tuple[MeasuredTest, str | None, str | None]:
    """Return the test, the unit that its mapped name fixes, and the specimen."""
    name, code = around.text(row, "test"), around.text(row, "code")
    constants = around.mapping.constants if around.mapping is not None else None
    stated = around.text(row, "specimen") or (constants.specimen if constants else None) or ""
    own = around.mapping.test(name) if around.mapping is not None and name else None
    specimen = stated_specimen(stated) or (stated_specimen(own.specimen or "") if own else None)
    if own is None:
        return named_test(name, code, specimen), None, specimen
    by_code = named_test(name, code or own.loinc, specimen)
    if own.analyte is not None and by_code.analyte not in (None, own.analyte):
        problem = "the code of the row and the mapped name are two tests"
        return MeasuredTest(name=name, loinc=code, problem=problem), None, specimen
    key = None if by_code.problem else by_code.analyte or own.analyte
    if key is not None and specimen is not None and not fits_specimen(key, specimen):
        problem = not_of_specimen(key, specimen)
        return MeasuredTest(name=by_code.name, loinc=by_code.loinc, problem=problem), None, specimen
    test = MeasuredTest(
        name=by_code.name,
        analyte=key,
        loinc=by_code.loinc,
        form_code=by_code.form_code or own.loinc,
        problem=by_code.problem,
    )
    return test, own.unit, specimen


def _value_and_flags(row: Row, around: Surroundings, value: Cell) -> tuple[str, tuple[str, ...]]:
    """Return the value without a flag printed behind it, and the laboratory's flags."""
    words = plain(value.text) if not value.is_number else value.text
    found: list[str] = []
    match = _ARROW.fullmatch(words)
    if match is not None and (behind := laboratory_vocabulary().flag(match["flag"])) is not None:
        words, found = match["value"].strip(), [behind]
    stated = around.text(row, "flag")
    if stated:
        flag = _flag(stated, around)
        if flag is None:
            around.problem(row, "flag", "the flag is not understood and is not used", used=True)
        elif flag:
            found.append(flag)
    return words, tuple(dict.fromkeys(found))


def _flag(stated: str, around: Surroundings) -> str | None:
    columns = around.mapping.columns if around.mapping is not None else None
    own = columns.flag.values if columns is not None and columns.flag is not None else {}
    if stated in own:
        return _FLAG_WORDS[own[stated]]
    return laboratory_vocabulary().flag(stated)


def _range(row: Row, around: Surroundings) -> str:
    """Return the laboratory's interval as `tools.labs.printed_interval` reads it."""
    if "interval" in around.layout.at:
        cell = around.cell(row, "interval")
        if cell.at is not None:
            around.problem(row, "cell", "interval: a date stands in its place", used=True)
            return ""
        if two_readings(cell.text, around.numbers):
            around.problem(row, "number", _TWO_READINGS, used=True)
            return ""
        return plain(cell.text)
    low, high = (around.text(row, holds) for holds in ("low", "high"))
    if any(two_readings(text, around.numbers) for text in (low, high)):
        around.problem(row, "number", _TWO_READINGS, used=True)
        return ""
    none = around.mapping.no_interval if around.mapping is not None else ()
    if (low, high) in none:
        return ""
    ends = [_bound(text, around) for text in (low, high)]
    if all(ends):
        return f"{ends[0]} to {ends[1]}"
    if ends[0]:
        return f"from {ends[0]}" if ends[0][0].isdigit() or ends[0][0] == "-" else ends[0]
    if not ends[1]:
        return ""
    return f"up to {ends[1]}" if ends[1][0].isdigit() or ends[1][0] == "-" else ends[1]


def _bound(text: str, around: Surroundings) -> str:
    read = read_number(text, around.numbers) if text else None
    return read[1] if isinstance(read, tuple) else plain(text)


def _method_kind(row: Row, around: Surroundings) -> MethodKind | None:
    stated = stated_method(around.text(row, "method_kind"))
    by_method = stated_method(around.text(row, "method"))
    constants = around.mapping.constants if around.mapping is not None else None
    return stated or by_method or (constants.method_kind if constants else None)


def _time(row: Row, around: Surroundings) -> ClinicalTime | None:
    """Return the collection time; one that cannot be read is noted, and the result has none."""
    column = around.mapping.columns.collected if around.mapping is not None else None
    date, clock = around.cell(row, "collected"), around.cell(row, "collected_time")
    if not (date.text.strip() or date.at):
        return None
    problem = date.problem or clock.problem
    if problem is not None:
        around.problem(row, "time", f"collected: {problem[1]}", used=True)
        return None
    try:
        return read_time(
            date, clock, column, file=around.file, zone=around.zone, is_book=bool(around.place)
        )
    except InvalidValueError as error:
        around.problem(row, "time", f"collected: {error.reason}", used=True)
        return None


def read_time(
    date: Cell,
    clock: Cell,
    column: TimeColumn | None,
    *,
    file: str,
    zone: str | None,
    is_book: bool = False,
) -> ClinicalTime:
    """Return the time that one or two cells state.

    Args:
        date: The date, with or without the time of day.
        clock: A second cell with the time of day; empty where there is none.
        column: How it is written; None for ISO 8601, a year-first date or a cell of a workbook.
        file: The source's own clock, where no zone is known.
        zone: IANA zone of times without an offset.
        is_book: Whether the cell is a workbook's, which has dates of its own.

    Raises:
        InvalidValueError: Not a time of the declared form, or one with two readings.
    """
    if date.at is not None:
        if clock.text.strip():
            at = datetime.combine(date.at, _clock(clock.text))
            return place(at, clock=file, zone=zone, precision=Precision.MINUTE)
        precise = Precision.SECOND if date.has_time else Precision.DAY
        return place(date.at.replace(tzinfo=None), clock=file, zone=zone, precision=precise)
    if date.is_number and is_book and (column is None or column.format is None):
        raise InvalidValueError("time", "a number stands where a date should", "format the column")
    text = " ".join(f"{date.text} {clock.text}".split())
    if column is not None and column.format is not None:
        return _by_format(text, column.format, file=file, zone=zone)
    match = _YEAR_FIRST.fullmatch(text)
    if match is not None:
        day = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
        hour, _, rest = (match[4] or "").partition(":")
        text = f"{day}T{hour.zfill(2)}:{rest}" if match[4] else day
    try:
        return parse_fhir(text, clock=file, zone=zone)
    except InvalidValueError as error:
        raise InvalidValueError(
            "time", f"{error.reason}: say its form in a mapping file", error.way_out
        ) from error


def _by_format(text: str, form: str, *, file: str, zone: str | None) -> ClinicalTime:
    try:
        at = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is attached below
    except ValueError as error:
        raise InvalidValueError("time", "not of the declared form", "correct `format:`") from error
    precision = next((p for mark, p in _PRECISE if mark in form), Precision.DAY)
    if at.tzinfo is not None:
        return zoned(at, precision=precision)
    return place(at, clock=file, zone=zone, precision=precision)


def _clock(text: str) -> time:
    match = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        raise InvalidValueError("time", "not a time of day", "write hh:mm")
    return time(int(match[1]), int(match[2]), int(match[3] or 0))
