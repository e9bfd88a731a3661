"""Workbooks: what a person would not see in a cell is told, and nothing is guessed from it."""

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from knowledge.errors import InputError
from knowledge.finding import Finding
from knowledge.quantity import Quantity
from tests.tools.intake.tables.samples import case, content, findings, told
from tools.intake.lab_file import LabFile
from tools.intake.tables.read import read_table

HEAD = ["test", "value", "unit", "collected", "reference range"]


def book(*rows: list[Any], head: list[Any] | None = None, **cells: str) -> bytes:
    """A workbook of one sheet; ``cells`` are number formats by place (``B2="0%"``)."""
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in (head or HEAD, *rows):
        sheet.append(row)
    for place, form in cells.items():
        sheet[place].number_format = form
    return saved(made)


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def read(data: bytes) -> LabFile:
    return read_table(content(data, "labs.xlsx"), None, zone="Europe/Berlin")


def only(lab: LabFile) -> Finding:
    assert len(lab.facts) == 1, lab.problems
    return lab.facts[0].finding


def test_numbers_dates_and_texts_are_read_from_their_cells() -> None:
    at = datetime(2026, 11, 20, 8, 10)  # noqa: DTZ001 - a workbook has no zones
    lab = read(book(["potassium", 5.9, "mmol/L", at, "3.5-5.1"], ["sodium", "138", "mmol/L", None]))
    first, second = findings(lab)
    assert first.value == Quantity(value=5.9, unit="mmol/L")
    # 08:10 in Berlin in November is 07:10 UTC
    assert str(first.time) == "2026-11-20 07:10 UTC"
    assert first.evidence[0].model_dump()["record"] == "Sheet row 2"
    assert second.value == Quantity(value=138, unit="mmol/L")
    assert second.time is None


def test_a_date_without_a_time_of_day_is_a_day() -> None:
    found = only(read(book(["potassium", 5.9, "mmol/L", date(2026, 11, 20), ""])))
    assert str(found.time) == "2026-11-20"


def test_a_thousand_in_a_cell_is_a_number_whatever_the_country() -> None:
    found = only(read(book(["NT-proBNP", 1234, "pg/mL", None, ""], B2="#,##0")))
    assert found.value == Quantity(value=1234, unit="pg/mL")
    lab = read(book(["NT-proBNP", "1,234", "pg/mL", None, ""]))
    assert "two readings" in lab.problems[0]


MAY = datetime(2026, 5, 3)  # noqa: DTZ001 - what a workbook makes of 3-5


@pytest.mark.parametrize(
    ("row", "formats", "problem"),
    [
        (["potassium", "=A1*2", "mmol/L", None, ""], {}, "formula"),
        (["potassium", "=HYPERLINK(1)", "mmol/L", None, ""], {}, "formula"),
        (["potassium", MAY, "mmol/L", None, ""], {}, "a date stands where a result"),
        (["haematocrit", 0.45, "%", None, ""], {"B2": "0%"}, "per cent"),
        (["potassium", True, "mmol/L", None, ""], {}, "true or false"),
        (["potassium", "#N/A", "mmol/L", None, ""], {}, "an error"),
    ],
    ids=["formula", "link", "date for a value", "per cent", "boolean", "error"],
)  # fmt: skip
def test_a_cell_that_is_not_what_it_shows_refuses_its_row(
    row: list[Any], formats: dict[str, str], problem: str
) -> None:
    lab = read(book(row, ["sodium", 138, "mmol/L", None, ""], head=None, **formats))
    assert [f.concept.text for f in findings(lab)] == ["sodium"]
    assert lab.problems[0].startswith("row 2: ")
    assert problem in lab.problems[0]


def test_a_number_in_the_time_column_is_no_time() -> None:
    # 46346.34 is 20 November 2026 as a workbook counts days, if it is one at all
    found = read(book(["potassium", 5.9, "mmol/L", 46346.34, ""]))
    assert only(found).time is None
    assert "a number stands where a date should" in found.problems[0]


def test_an_interval_that_became_a_date_is_told() -> None:
    lab = read(book(["potassium", 5.9, "mmol/L", None, MAY]))
    assert only(lab).reported is None
    assert "interval: a date stands in its place" in lab.problems[0]


def test_merged_cells_refuse_their_rows() -> None:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in (HEAD, ["potassium", 5.9, "mmol/L", None, ""], ["sodium", 138, "mmol/L", None, ""]):
        sheet.append(row)
    sheet.append(["chloride", 101, "mmol/L", None, ""])
    sheet.merge_cells("B2:B3")
    lab = read(saved(made))
    assert [f.concept.text for f in findings(lab)] == ["chloride"]
    assert [p.partition(":")[0] for p in lab.problems] == ["row 2", "row 3"]
    assert all("merged" in p for p in lab.problems)


def test_two_sheets_with_content_need_a_mapping() -> None:
    made = Workbook()
    for sheet in (made.active, made.create_sheet("second")):
        assert sheet is not None
        sheet.append(HEAD)
    with pytest.raises(InputError, match="more than one sheet") as caught:
        read(saved(made))
    assert "sheet:" in caught.value.way_out


def test_a_workbook_without_a_mapping_says_what_to_write(tmp_path: Path) -> None:
    read_ = case(tmp_path, labs_xlsx=book(["K", 4.1], head=["Parameter", "Amount"]))
    item = told(read_, "labs.xlsx")
    assert item.unread
    assert "schema: epicrisis/lab-mapping/1" in (item.reason or "")


def test_the_old_binary_workbook_is_not_taken_with_the_way_out(tmp_path: Path) -> None:
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    item = told(case(tmp_path, labs_xls=old), "labs.xls")
    assert item.unread
    assert "save it as .xlsx" in (item.reason or "")


def test_a_cut_workbook_is_told(tmp_path: Path) -> None:
    data = book(["potassium", 5.9, "mmol/L", None, ""])
    read_ = case(tmp_path, labs_xlsx=data[: len(data) // 2])
    assert told(read_, "labs.xlsx").unread
    assert not read_.timeline.facts
