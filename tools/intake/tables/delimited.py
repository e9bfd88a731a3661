"""A delimited text (CSV, TSV) to rows: encoding and delimiter declared, or the only ones."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from tools.intake.tables.cells import Cell, Grid, Row
from tools.intake.tables.mapping import LabMapping

MAX_ROWS = 50_000
"""Rows of one table: more than the results of any patient."""

MAX_COLUMNS = 500
DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMULA = re.compile(r"[=@]|[+-](?!ve\b)(?=[A-Za-z=@(])")
_NAME_ENCODING = "write `encoding:` in a mapping file, for example gb18030 or windows-1252"
_LONGEST_CELL = 32_767
"""Characters of a cell: the limit of a workbook's, too."""


def delimited(content: bytes, file: str, mapping: LabMapping | None) -> Grid:
    """Return the rows of a delimited text.

    Args:
        content: The file.
        file: What messages call it.
        mapping: What is declared; None where nothing is.

    Raises:
        UnreadableError: The encoding or delimiter is not certain, or a quotation is not closed.
        TooLargeError: Over `MAX_ROWS` rows or `MAX_COLUMNS` columns.
    """
    text, notes = decoded(content, file, mapping)
    if "\x00" in text:
        raise UnreadableError(file, "holds zero bytes: not a text", "export it again")
    sign = DELIMITERS[mapping.delimiter] if mapping and mapping.delimiter else _fitting(text, file)
    return Grid(rows=tuple(_rows(text, sign, file)), notes=notes)


def decoded(content: bytes, file: str, mapping: LabMapping | None) -> tuple[str, tuple[str, ...]]:
    """Return a text: by its byte-order mark, as declared, as UTF-8, or by its known headings.

    Raises:
        UnreadableError: The bytes are not of the encoding, or which one it is is not certain.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding, file), ()
    if mapping is not None and mapping.encoding is not None:
        return _decode(content, mapping.encoding, file), ()
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if len(known_headings(text)) >= 3 and not known_headings(text)[0].isascii():
        return text, ("read as GB18030: its headings are known words in it",)
    raise UnreadableError(file, "not UTF-8; which encoding it is is not certain", _NAME_ENCODING)


def known_headings(text: str) -> list[str]:
    """Return the cells of the first line that are known headings, by the delimiter with most."""
    line = _first_line(text)
    words = laboratory_vocabulary()
    found = (
        [c for c in _split(line, sign) if words.heading(c) is not None]
        for sign in DELIMITERS.values()
    )
    return max(found, key=len)


def _decode(content: bytes, encoding: str, file: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            file, f"not {encoding.removesuffix('-sig')} from byte {error.start} on", _NAME_ENCODING
        ) from error


def _fitting(text: str, file: str) -> str:
    """Return the one delimiter that cuts the first line into at least two cells.

    Of several the one is taken that finds known headings where no other does.
    """
    line = _first_line(text)
    cut = {sign: _split(line, sign) for sign in DELIMITERS.values()}
    cutting = able = [sign for sign, cells in cut.items() if len(cells) > 1]
    if len(able) > 1:
        words = laboratory_vocabulary()
        able = [s for s in able if sum(words.heading(c) is not None for c in cut[s]) >= 2]
    if len(able) != 1:
        reason = "no delimiter found in its first line" if not cutting else "two delimiters fit"
        raise UnreadableError(file, reason, "write `delimiter:` in a mapping file")
    return able[0]


def _first_line(text: str) -> str:
    return next(iter(text.lstrip("\r\n")[:10_000].splitlines()), "")


def _split(line: str, sign: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error:
        return []


def _rows(text: str, sign: str, file: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    count = 0
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableError(
                file, f"a quotation mark is not closed from line {number} on", "export it again"
            ) from error
        count += 1
        if count > MAX_ROWS or len(cells) > MAX_COLUMNS:
            raise TooLargeError(file, "too many rows or columns", "export one patient's results")
        row = Row(number=number, cells=tuple(_cell(c) for c in cells))
        if not row.is_blank:
            yield row


def _cell(text: str) -> Cell:
    if len(text) > _LONGEST_CELL:
        return Cell(text=text[:80], problem=("cell", "a cell is longer than a result can be"))
    if _FORMULA.match(text.strip(" ")):
        return Cell(text=text[:80], problem=("formula", "a formula stands where a value should"))
    if "\n" in text.strip() or "\r" in text.strip():
        reason = "a line break inside a cell: is a quotation mark not closed?"
        return Cell(text=text[:200], problem=("cell", reason))
    return Cell(text=text.strip())
