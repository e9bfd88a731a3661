"""Rows and cells of a table, whatever file they came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ProblemKind = Literal[
    "ragged",
    "formula",
    "merged",
    "number",
    "time",
    "identity",
    "flag",
    "test",
    "duplicate",
    "cell",
]
"""Why a row or a cell of it could not be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """What could not be used of one row.

    Args:
        row: Its number, from 1: the line of a text file, the row of a sheet.
        kind: What sort of problem.
        detail: The reason, without the patient's data.
        used: Whether the rest of the row was used.
    """

    row: int
    kind: ProblemKind
    detail: str
    used: bool = False

    def __str__(self) -> str:
        rest = "" if self.used else "; the row is not used"
        return f"row {self.row}: {self.detail}{rest}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell.

    Args:
        text: As text; a number of a workbook with a decimal point.
        is_number: A number of a workbook, so that its text needs no declared decimal sign.
        at: A date of a workbook.
        has_time: Whether the workbook shows a time of day with the date.
        problem: Why the cell cannot be used, where it cannot.
    """

    text: str = ""
    is_number: bool = False
    at: datetime | None = None
    has_time: bool = True
    problem: tuple[ProblemKind, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row: its number from 1, and its cells in order."""

    number: int
    cells: tuple[Cell, ...]

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(cell.text.strip() or cell.at or cell.problem for cell in self.cells)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table as it was read.

    Args:
        rows: In order, blank ones left out.
        place: What stands before a row's number, for example the sheet.
        notes: What was found out while reading, for example the encoding taken.
    """

    rows: tuple[Row, ...]
    place: str = ""
    notes: tuple[str, ...] = ()
