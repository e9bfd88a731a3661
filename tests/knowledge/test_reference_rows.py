"""Every code and every interval of the fact sheet's tables B1 and of the product, both ways.

The rows are in ``tests/golden/reference_rows.yaml``. What a bound means for a result, in each unit,
is tested in ``tests/tools/labs/test_reference_intervals.py``.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.analytes import analytes
from knowledge.laboratory_tests import IntervalRow, laboratory_tests

TABLE = laboratory_tests()
ROWS: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "golden" / "reference_rows.yaml").read_text("utf-8")
)
CODES = [(code, key) for key, row in ROWS.items() for code in row.get("loinc", ())]


def words(row: IntervalRow, unit: str) -> str:
    """Return of whom a row is, its interval, and the same interval in another unit."""
    who: list[str] = [row.sex or ""]
    if row.pregnant is not None:
        who.append("pregnant" if row.pregnant else "not pregnant")
    if row.to_age is not None:
        who.append(f"under {row.to_age:g}")
    if row.from_age not in (None, 18):
        who.append(f"from {row.from_age:g}")
    who += [name if so else f"not {name}" for name, so in row.when.items()]
    said = " ".join(part for part in who if part)
    text = f"{said}: " if said else ""
    text += f"{row.words()} {unit}"
    return text if row.si is None else f"{text} = {row.si.words()} {row.si.unit}"


def test_every_test_is_in_the_table_and_every_row_of_the_table_is_a_test() -> None:
    worded = {key for key, row in TABLE.worded.items() if row.panel == "urinalysis"}
    assert set(ROWS) == set(TABLE.tests) | worded


@pytest.mark.parametrize("key", [key for key in ROWS if key in TABLE.tests])
def test_the_intervals_are_those_the_sources_print(key: str) -> None:
    unit = analytes().analytes[key].unit
    assert [words(row, unit) for row in TABLE.tests[key].intervals] == ROWS[key]["rows"]


@pytest.mark.parametrize(("code", "key"), CODES)
def test_a_code_of_the_table_is_of_that_test(code: str, key: str) -> None:
    assert (analytes().for_loinc(code) or TABLE.worded_test(code)) == key


def test_the_table_is_whole() -> None:
    # B1.1 to B1.10 print 160 different codes
    assert len(CODES) == len({code for code, _ in CODES}) == 160
