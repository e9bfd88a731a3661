"""Any bytes as a table, mapping or workbook: a typed reason or results, never a crash or a loss."""

import io
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from knowledge.errors import InputError
from knowledge.finding import State
from tests.tools.intake.tables.samples import HEADER, MAPPING, POTASSIUM, content, mapping
from tools.intake.lab_file import MAX_TOLD, LabFile
from tools.intake.printed_result import NumberFormat, read_number
from tools.intake.tables.mapping import read_mapping
from tools.intake.tables.read import read_table

fuzz = settings(
    max_examples=100,
    deadline=timedelta(seconds=10),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_SIGNS = [*list(';,\t|"\n\r =+-@<>.,0123456789'), "Kalium", "mmol/L", "0012", "↑", "\x00", "5,9"]
_CELL = st.one_of(st.text(max_size=12), st.sampled_from(_SIGNS), st.just("20.11.2026 08:10"))


def _book() -> bytes:
    made, out = Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet is not None
    for row in (["test", "value", "unit", "collected"], ["potassium", 5.9, "mmol/L", "2026-11-20"]):
        sheet.append(row)
    made.save(out)
    return out.getvalue()


BOOK = _book()


def has_reason(error: InputError) -> None:
    """A refusal names its reason."""
    assert error.reason


def accounted(lab: LabFile) -> None:
    """Every row is a result, or is told; every fact is present with a value or says why not."""
    not_used = [p for p in lab.problems if p.endswith("the row is not used")]
    if len(lab.problems) <= MAX_TOLD:
        assert len(lab.facts) + len(not_used) == lab.counts["rows"]
    for fact in lab.facts:
        finding = fact.finding
        assert finding.evidence
        assert (finding.state is State.NOT_ASSESSED) == (finding.not_assessed is not None)
        assert finding.state is not State.PRESENT or finding.value is not None


@fuzz
@given(st.binary(max_size=400))
def test_any_bytes_as_a_table(data: bytes) -> None:
    for by in (None, mapping()):
        try:
            accounted(read_table(content(data), by, zone=None))
        except InputError as error:
            has_reason(error)


@fuzz
@given(st.lists(st.lists(_CELL, min_size=1, max_size=10), max_size=8))
def test_any_cells_below_the_headings(rows: list[list[str]]) -> None:
    text = "\n".join((HEADER, POTASSIUM, *(";".join(row) for row in rows)))
    try:
        lab = read_table(content(text.encode("utf-8", "replace")), mapping(), zone=None)
    except InputError as error:
        has_reason(error)
        return
    accounted(lab)


@fuzz
@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "gb18030", "windows-1252"]))
def test_any_text_in_any_encoding_without_a_mapping(text: str, encoding: str) -> None:
    data = ("test,value,unit\n" + text).encode(encoding, "replace")
    try:
        accounted(read_table(content(data), None, zone=None))
    except InputError as error:
        has_reason(error)


@fuzz
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_as_a_mapping(data: bytes) -> None:
    try:
        read_mapping(data, "mapping.yaml")
    except InputError as error:
        has_reason(error)


@fuzz
@given(st.integers(0, len(MAPPING)), st.text(max_size=20))
def test_a_changed_mapping_is_valid_or_refused(at: int, put: str) -> None:
    changed = (MAPPING[:at] + put + MAPPING[at + len(put) :]).encode("utf-8", "replace")
    try:
        by = read_mapping(changed, "mapping.yaml")
        accounted(read_table(content(f"{HEADER}\n{POTASSIUM}\n"), by, zone=None))
    except InputError as error:
        has_reason(error)


@fuzz
@given(st.integers(0, len(BOOK) - 1), st.binary(min_size=1, max_size=6), st.integers(0, 40))
def test_a_changed_workbook_is_read_or_refused(at: int, put: bytes, cut: int) -> None:
    data = (BOOK[:at] + put + BOOK[at + len(put) :])[: len(BOOK) - cut]
    made = content(data, "labs.xlsx")
    if made.kind != "Excel workbook":
        return
    try:
        accounted(read_table(made, None, zone=None))
    except InputError as error:
        has_reason(error)


@fuzz
@given(
    st.lists(
        st.lists(
            st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes()
            | st.text(st.characters(min_codepoint=32, max_codepoint=0x4E10), max_size=8),
            min_size=1,
            max_size=6,
        ),
        max_size=5,
    )
)  # fmt: skip
def test_any_cells_of_a_workbook(rows: list[list[object]]) -> None:
    made, out = Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet is not None
    sheet.append(["test", "value", "unit", "collected"])
    for row in rows:
        try:
            sheet.append(row)
        except ValueError:  # what a workbook cannot hold
            return
    made.save(out)
    try:
        accounted(read_table(content(out.getvalue(), "labs.xlsx"), None, zone=None))
    except InputError as error:
        has_reason(error)


@fuzz
@given(st.floats(0.001, 999_999), st.integers(0, 4), st.booleans())
def test_a_number_is_read_as_it_was_written_or_refused(
    value: float, digits: int, comma: bool
) -> None:
    # written by Python's own formatting, with the declared signs
    text = f"{value:,.{digits}f}"
    expected = float(f"{value:.{digits}f}")
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
        read = read_number(text, NumberFormat(decimal="comma", thousands="point"))
    else:
        read = read_number(text, NumberFormat(decimal="point", thousands="comma"))
    assert isinstance(read, tuple)
    assert read[0].low == read[0].high == expected
    undeclared = read_number(text, NumberFormat(mixed=True))
    if isinstance(undeclared, tuple):
        assert undeclared[0].low == expected
