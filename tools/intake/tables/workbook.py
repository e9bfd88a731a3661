"""A workbook (.xlsx) to rows: values only, and what a person would not see in them is named.

Read with openpyxl (MIT), which parses with defusedxml where that is installed, as it is here. The
older binary format (.xls) is not taken: its readers are no longer kept.
"""

import io
import zipfile
import zlib
from datetime import date, datetime, time
from typing import Any

from knowledge.errors import TooLargeError, UnreadableError
from tools.intake.tables.cells import Cell, Grid, ProblemKind, Row
from tools.intake.tables.mapping import LabMapping

MAX_UNPACKED = 32 * 1024 * 1024
"""Bytes of all parts together: a sheet of 50,000 results."""

MAX_ROWS = 50_000
MAX_COLUMNS = 200
_FAULTS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl and its XML and ZIP layers raise on a damaged file."""

_GENERAL = frozenset({"General", "@", ""})


def is_workbook(content: bytes) -> bool:
    """Return whether a content is an Office Open XML workbook."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError):
        return False


def workbook(content: bytes, file: str, mapping: LabMapping | None) -> Grid:
    """Return the rows of one sheet.

    Args:
        content: The file.
        file: What messages call it.
        mapping: Which sheet; None or no sheet: the only one with content.

    Raises:
        UnreadableError: Damaged, no such sheet, or more than one with content.
        TooLargeError: Over the limits.
    """
    _check_size(content, file)
    book = _opened(content, file)
    try:
        sheet = _sheet(book, file, mapping.sheet if mapping is not None else None)
        if (sheet.max_row or 0) > MAX_ROWS or (sheet.max_column or 0) > MAX_COLUMNS:
            raise TooLargeError(file, "too many rows or columns", "export one patient's results")
        merged = _merged(sheet)
        rows = tuple(
            row
            for number, cells in enumerate(sheet.iter_rows(), start=1)
            if not (
                row := Row(number=number, cells=tuple(_cell(c, merged) for c in cells))
            ).is_blank
        )
        hidden = sum(1 for d in sheet.row_dimensions.values() if d.hidden)
        notes = (f"{hidden} hidden rows were read too",) if hidden else ()
        return Grid(rows=rows, place=f"{sheet.title} ", notes=notes)
    finally:
        book.close()


def _check_size(content: bytes, file: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(item.file_size for item in packed.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnreadableError(file, "a damaged workbook", "save it again") from error
    if size > MAX_UNPACKED:
        raise TooLargeError(file, "expands beyond the limits", "export one patient's results")


def _opened(content: bytes, file: str) -> Any:
    import warnings

    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and drawings that are not read
            return load_workbook(io.BytesIO(content), data_only=False, keep_links=False)
    except _FAULTS as error:
        raise UnreadableError(file, "a damaged or protected workbook", "save it again") from error


def _sheet(book: Any, file: str, name: str | None) -> Any:
    sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
    if name is not None:
        found = next((s for s in book.worksheets if s.title == name), None)
        if found is None:
            raise UnreadableError(file, "has no sheet of the mapped name", "correct `sheet:`")
        return found
    filled = [s for s in sheets if _has_content(s)]
    if len(filled) != 1:
        reason = "no sheet with content" if not filled else "more than one sheet with content"
        raise UnreadableError(file, reason, "write `sheet:` in a mapping file")
    return filled[0]


def _has_content(sheet: Any) -> bool:
    width = min(sheet.max_column or 1, MAX_COLUMNS)
    first = sheet.iter_rows(max_row=min(sheet.max_row or 1, 100), max_col=width)
    return any(cell.value is not None for row in first for cell in row)


def _merged(sheet: Any) -> frozenset[tuple[int, int]]:
    """Return the places (row, column) of merged cells."""
    places: set[tuple[int, int]] = set()
    for found in sheet.merged_cells.ranges:
        rows = range(found.min_row, min(found.max_row, MAX_ROWS) + 1)
        columns = range(found.min_col, min(found.max_col, MAX_COLUMNS) + 1)
        if len(places) + len(rows) * len(columns) > MAX_ROWS:
            raise UnreadableError(sheet.title[:40], "has large merged areas", "unmerge its cells")
        places |= {(r, c) for r in rows for c in columns}
    return frozenset(places)


def _cell(cell: Any, merged: frozenset[tuple[int, int]]) -> Cell:
    value = cell.value
    if (cell.row, cell.column) in merged:
        return Cell(
            text=_text(value), problem=("merged", "a merged cell: of which row is its value?")
        )
    if value is None:
        return Cell()
    fault = _fault(cell, value)
    if fault is not None:
        return Cell(text=_text(value)[:80], problem=fault)
    if isinstance(value, datetime):
        return Cell(text=value.isoformat(), at=value, has_time=_shows_time(cell.number_format))
    if isinstance(value, date):
        at = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone comes later
        return Cell(text=value.isoformat(), at=at, has_time=False)
    if isinstance(value, int | float):
        return Cell(text=_text(value), is_number=True)
    return Cell(text=_text(value).strip())


def _fault(cell: Any, value: Any) -> tuple[ProblemKind, str] | None:
    if cell.data_type == "f" or (isinstance(value, str) and value.startswith(("=", "@"))):
        return "formula", "a formula stands where a value should: save the sheet as values"
    if cell.data_type == "e":
        return "cell", "the cell holds an error"
    if isinstance(value, bool):
        return "cell", "the cell holds true or false"
    if isinstance(value, int | float) and "%" in str(cell.number_format):
        return "number", "the cell is shown as per cent: its number and what it shows differ"
    if not isinstance(value, str | int | float | datetime | date | time):
        return "cell", "the cell holds something that is no text, number or date"
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    return str(value)[:32_767]


def _shows_time(number_format: str | None) -> bool:
    return number_format in _GENERAL or "h" in (number_format or "").lower()
