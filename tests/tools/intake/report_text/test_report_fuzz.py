"""Any text or bytes as a report: a typed reason, listed lines, or results in place; no crash."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import InputError
from knowledge.evidence import NoteEvidence
from knowledge.settings import Settings
from tests.tools.intake.report_text.test_report_text import CHINESE, ENGLISH, pdf
from tests.tools.intake.tables.samples import content
from tools.intake.lab_file import LabFile
from tools.intake.report_text.read import read_report
from tools.intake.report_text.result_line import results_of_line

fuzz = settings(
    max_examples=100, deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.too_slow]
)
_PARTS = [
    "Potassium",
    "K",
    "钾",
    "5.9",
    "<5",
    "5,9",
    "H",
    "↑",
    "mmol/L",
    "3.5-5.1",
    "阴性",
    ":",
    "1",
]
_LINE = st.lists(st.sampled_from(_PARTS) | st.text(max_size=6), max_size=9).map(" ".join)
PDF = pdf(ENGLISH)


def has_reason(error: InputError) -> None:
    """A refusal names its reason."""
    assert error.reason


def accounted(found: LabFile | None) -> None:
    """Every result has its span in the text; every line with a number is a result or is listed."""
    if found is None:
        return
    assert found.document is not None
    text = found.document.text
    for fact in found.documented:
        (place,) = fact.finding.evidence
        assert isinstance(place, NoteEvidence)
        line = text[place.start : place.end]
        assert line.strip() == line
        assert line
        assert "\n" not in line


@fuzz
@given(st.lists(_LINE, max_size=12))
def test_any_lines_between_those_of_a_report(lines: list[str]) -> None:
    text = ENGLISH + "\n".join(lines) + CHINESE
    accounted(
        read_report(
            content(text.encode("utf-8", "replace"), "r.txt"), zone=None, settings=Settings()
        )
    )


@fuzz
@given(_LINE | st.text(max_size=200))
def test_any_line(line: str) -> None:
    results = results_of_line(line)
    if isinstance(results, tuple):
        for one in results:
            assert one.name
            assert one.value
    elif results is not None:
        assert results


@fuzz
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    made = content(data, "r.txt")
    if made.kind != "text":
        return
    try:
        accounted(read_report(made, zone=None, settings=Settings()))
    except InputError as error:
        has_reason(error)


@settings(fuzz, max_examples=200)
@given(st.integers(8, len(PDF) - 1), st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_a_changed_pdf_is_read_or_refused(at: int, put: bytes, cut: int) -> None:
    data = (PDF[:at] + put + PDF[at + len(put) :])[: len(PDF) - cut]
    made = content(data, "r.pdf")
    assert made.kind == "PDF"
    try:
        accounted(read_report(made, zone=None, settings=Settings()))
    except InputError as error:
        has_reason(error)
