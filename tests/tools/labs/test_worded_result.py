"""Urinalysis and other tests that are answered in words or by a count that may be a span.

Expected answers: fact sheet B1.9 (test strip negative; leucocytes 0-5 and erythrocytes 0-3 per high
power field, hyaline casts 0-5 per low power field, urobilinogen 0.2-1.0 EU/dL) and the last row of
B2 (positive blood or CSF culture, malaria, blasts, schistocytes: critical).
"""

from typing import Any

import pytest

from knowledge.analytes import analytes
from knowledge.finding import State, Why
from knowledge.laboratory_tests import laboratory_tests
from tests.tools.labs.lab_results import MAN, finding, flag, flagged
from tools.labs.interval import flag_result
from tools.labs.interval_model import Flag

STRIPS = ["20454-5", "25428-4", "2514-8", "5794-3", "5770-3", "5802-4", "5799-2"]


@pytest.mark.parametrize("loinc", STRIPS)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Negative", Flag.NORMAL),
        (" neg ", Flag.NORMAL),
        ("阴性", Flag.NORMAL),
        ("阴性(-)", Flag.NORMAL),
        ("Trace", Flag.ABNORMAL),
        ("1+", Flag.ABNORMAL),
        ("+++", Flag.ABNORMAL),
        ("阳性", Flag.ABNORMAL),
        ("弱阳性", Flag.ABNORMAL),
    ],
)
def test_a_strip_is_normal_only_where_it_is_negative(
    loinc: str, answer: str, expected: Flag
) -> None:
    assert flag(loinc, answer) is expected


@pytest.mark.parametrize("answer", ["not tested", "negative for now", "pending", "see note", "?"])
def test_other_words_are_not_assessed(answer: str) -> None:
    result = flagged("20454-5", answer)
    assert result.flag is None
    assert result.not_assessed is not None
    assert result.not_assessed.why is Why.UNREADABLE


COUNTS: list[tuple[str, Any, str, Flag | None]] = [
    ("5821-4", 5, "/[HPF]", Flag.NORMAL),
    ("5821-4", 6, "/[HPF]", Flag.ABNORMAL),
    ("5821-4", "0-5 /HPF", "", Flag.NORMAL),
    ("5821-4", "0-2", "", Flag.NORMAL),
    ("5821-4", "10-20", "", Flag.ABNORMAL),
    ("5821-4", "3-10", "", None),
    ("5821-4", ">50", "", Flag.ABNORMAL),
    ("5821-4", "none seen", "", Flag.NORMAL),
    ("5821-4", 3, "/uL", None),
    ("5821-4", "many", "", None),
    ("13945-1", 3, "/[HPF]", Flag.NORMAL),
    ("13945-1", 4, "/[HPF]", Flag.ABNORMAL),
    ("5796-8", 5, "/[LPF]", Flag.NORMAL),
    ("5796-8", 6, "/[LPF]", Flag.ABNORMAL),
    ("5818-0", 0.2, "{Ehrlich'U}/dL", Flag.NORMAL),
    ("5818-0", 1.0, "mg/dL", Flag.NORMAL),
    ("5818-0", 2.0, "EU/dL", Flag.ABNORMAL),
]


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "expected"), COUNTS, ids=[f"{r[0]}-{r[1]}" for r in COUNTS]
)
def test_a_count_or_span_is_compared_whole(
    loinc: str, value: Any, unit: str, expected: Flag | None
) -> None:
    assert flag(loinc, value, unit) is expected


@pytest.mark.parametrize(
    ("loinc", "answer", "expected"),
    [
        ("600-7", "No growth", Flag.NORMAL),
        ("600-7", "positive", Flag.CRITICAL_ABNORMAL),
        ("600-7", "Staphylococcus aureus", Flag.CRITICAL_ABNORMAL),
        ("600-7", "S. aureus", Flag.CRITICAL_ABNORMAL),
        ("600-7", "No Staphylococcus aureus", None),
        ("600-7", "Not grown; contaminated", None),
        ("600-7", "see comment", None),
        ("606-4", "No growth after 2 days", Flag.NORMAL),
        ("32700-7", "Plasmodium falciparum seen, 4%", Flag.CRITICAL_ABNORMAL),
        ("26446-5", "20 %", Flag.CRITICAL_ABNORMAL),
        ("606-4", "Positive", Flag.CRITICAL_ABNORMAL),
        ("32700-7", "Detected", Flag.CRITICAL_ABNORMAL),
        ("32700-7", "not seen", Flag.NORMAL),
        ("709-6", "0 %", Flag.NORMAL),
        ("709-6", "12 %", Flag.CRITICAL_ABNORMAL),
        ("800-3", "present", Flag.CRITICAL_ABNORMAL),
    ],
)
def test_answers_that_must_be_known_at_once(loinc: str, answer: str, expected: Flag | None) -> None:
    assert flag(loinc, answer) is expected


def test_the_laboratorys_own_normal_count_comes_first() -> None:
    assert flag("5821-4", 8, "/[HPF]", printed="0-10 /HPF") is Flag.NORMAL
    assert flag("20454-5", "negative", printed="Negative") is Flag.NORMAL
    assert flag("20454-5", "trace", printed="negative or trace") is None


def test_yes_and_no_are_answers_too() -> None:
    strip = finding("5802-4", "negative")
    no = strip.model_copy(update={"value": None, "state": State.ABSENT})
    assert flag_result(no, MAN).flag is Flag.NORMAL


def test_the_laboratorys_flag_is_compared() -> None:
    assert flagged("20454-5", "2+", said="A").conflict is None
    assert flagged("20454-5", "2+", said="N").conflict is not None


def test_no_code_is_of_a_number_and_of_words_at_once() -> None:
    for row in laboratory_tests().worded.values():
        assert all(analytes().for_loinc(code) is None for code in row.loinc)
