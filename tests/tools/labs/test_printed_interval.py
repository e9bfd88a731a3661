"""The interval that a laboratory printed: read strictly, in its unit, or refused and why."""

from typing import Any

import pytest

from knowledge.laboratory_tests import Bounds
from tests.tools.labs.lab_results import MAN, finding, flag, flagged, subject
from tools.labs.interval_model import Flag
from tools.labs.printed_interval import parse_interval, printed_interval

READ: list[tuple[str, Bounds, str | None]] = [
    ("3.5-5.0", Bounds(low=3.5, high=5), None),
    ("3.5 - 5.0 mmol/L", Bounds(low=3.5, high=5), "mmol/L"),
    ("(3.5-5.0)", Bounds(low=3.5, high=5), None),
    ("[135 - 145] ", Bounds(low=135, high=145), None),
    ("3.5\u20135.0", Bounds(low=3.5, high=5), None),
    ("3.5~5.0", Bounds(low=3.5, high=5), None),
    ("3.5\uff5e5.0 mmol/L", Bounds(low=3.5, high=5), "mmol/L"),
    ("3.5--5.0", Bounds(low=3.5, high=5), None),
    ("3.5 \u81f3 5.0", Bounds(low=3.5, high=5), None),
    ("-2 - 2", Bounds(low=-2, high=2), None),
    ("-3 to -1 mmol/L", Bounds(low=-3, high=-1), "mmol/L"),
    ("3.5 mmol/L to 5.0 mmol/L", Bounds(low=3.5, high=5), "mmol/L"),
    ("4.5-11.0 10*3/uL", Bounds(low=4.5, high=11), "10*3/uL"),
    ("4.5 x10^9/L to 11 x10^9/L", Bounds(low=4.5, high=11), "x10^9/L"),
    ("<5", Bounds(high=5, high_open=True), None),
    ("\u2264 5 mg/L", Bounds(high=5), "mg/L"),
    (">=60", Bounds(low=60), None),
    (">60 mL/min/1.73m2", Bounds(low=60, low_open=True), "mL/min/1.73m2"),
    ("up to 40", Bounds(high=40), None),
    ("Up to 40 U/L", Bounds(high=40), "U/L"),
    ("from 60 mL/min", Bounds(low=60), "mL/min"),
]


@pytest.mark.parametrize(("text", "bounds", "unit"), READ, ids=[r[0] for r in READ])
def test_one_plain_interval_is_read(text: str, bounds: Bounds, unit: str | None) -> None:
    assert parse_interval(text) == (bounds, unit)


@pytest.mark.parametrize(
    "text",
    [
        "3,5-5,0",
        "1,000-2,000",
        "5.0-3.5",
        "3.5-5.0-6.0",
        "M 13.5-17.5",
        "13.5-17.5; 12.0-15.5",
        "M 13.5-17.5 | F 12.0-15.5",
        "Adult: 3.5-5.0",
        "12",
        "-2--1",
        "3.5 mmol/L to 5.0 mg/dL",
        "less than 5",
        "~5",
        "1e3-2e3",
    ],
)
def test_what_is_not_certain_is_refused(text: str) -> None:
    assert isinstance(parse_interval(text), str)


# LOINC, value and unit, printed, expected bounds in the analyte's unit; factors of B3 by hand:
# 62/88.40 = 0.70136 and 115/88.40 = 1.30090 mg/dL; 3.9/0.05551 = 70.26 and 5.5/0.05551 = 99.08
UNITS: list[tuple[str, float, str, Any, float, float]] = [
    ("14682-9", 80, "umol/L", "62-115", 0.70136, 1.30090),
    ("14682-9", 80, "umol/L", "62-115 umol/L", 0.70136, 1.30090),
    ("2160-0", 0.9, "mg/dL", "62-115 umol/L", 0.70136, 1.30090),
    ("2160-0", 0.9, "mg/dL", "0.7-1.3", 0.7, 1.3),
    ("14749-6", 5, "mmol/L", "3.9-5.5", 70.26, 99.08),
    ("2823-3", 4.2, "mmol/L", "3.5-5.1", 3.5, 5.1),
    ("6690-2", 7300, "/uL", "4500-11000", 4.5, 11.0),
    ("59261-8", 40, "mmol/mol", "20-42", 3.9799, 5.9927),  # (20+23.5)/10.93, (42+23.5)/10.93
    ("48066-5", 100, "ng/mL", "0-250", 0, 500),  # DDU, two FEU for each
]


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "printed", "low", "high"),
    UNITS,
    ids=[f"{r[0]}-{r[2]}-{r[3]}" for r in UNITS],
)
def test_a_printed_interval_is_in_its_own_unit_or_in_that_of_the_result(
    loinc: str, value: float, unit: str, printed: str, low: float, high: float
) -> None:
    result = flagged(loinc, value, unit, printed=printed)
    (used,) = result.intervals
    assert used.origin == "printed"
    assert used.bounds.low == pytest.approx(low, rel=1e-3)
    assert used.bounds.high == pytest.approx(high, rel=1e-3)


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "printed", "reason"),
    [
        ("2160-0", 0.9, "mg/dL", "0.7-1.3 mmol/L", "far from every interval"),
        ("1988-5", 4, "mg/L", "200-400", "far from every interval"),
        ("14682-9", 80, "umol/L", "0.7-1.3", "impossible"),
        ("2823-3", 4.2, "mmol/L", "3.5-5.0 foo", "unit not recognised"),
        ("48065-7", 300, "ng/mL", "M 0-250; F 0-300", "more than one"),
        ("7799-0", 300, "ng/mL FEU", "0-250 ng/mL", "FEU or DDU"),
    ],
)
def test_an_interval_in_an_uncertain_unit_gives_no_flag_though_the_fallback_would(
    loinc: str, value: float, unit: str, printed: str, reason: str
) -> None:
    result = flagged(loinc, value, unit, printed=printed)
    assert result.flag is None
    assert result.not_assessed is not None
    assert reason in result.not_assessed.detail
    assert any(printed in note for note in result.notes)


def test_the_printed_interval_comes_before_every_other() -> None:
    assert flag("2823-3", 5.05, "mmol/L") is Flag.HIGH
    assert flag("2823-3", 5.05, "mmol/L", printed="3.5-5.1") is Flag.NORMAL
    assert flag("718-7", 12.5, "g/dL", subject(), printed="12-16") is Flag.NORMAL


def test_structured_bounds_of_fhir_are_read_as_printed() -> None:
    bounds = {"low": {"value": 62, "unit": "umol/L"}, "high": {"value": 115, "unit": "umol/L"}}
    assert flag("14682-9", 115, "umol/L", printed=bounds) is Flag.NORMAL
    assert flag("14682-9", 116, "umol/L", printed=bounds) is Flag.HIGH
    assert flag("6690-2", 12, "10*3/uL", printed={"high": {"value": 11, "unit": "10*3/uL"}}) is (
        Flag.HIGH
    )


MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"


def test_a_therapeutic_range_is_not_taken_for_one_of_healthy_people() -> None:
    low, high = {"value": 2, "unit": "{INR}"}, {"value": 3, "unit": "{INR}"}
    kind = {"coding": [{"system": MEANING, "code": "therapeutic", "display": "Therapeutic"}]}
    result = flagged("6301-6", 2.5, "{INR}", printed={"low": low, "high": high, "type": kind})
    assert result.flag is None
    assert any("Therapeutic" in note for note in result.notes)
    normal = {"coding": [{"system": MEANING, "code": "normal"}]}
    plain = {"low": low, "high": high, "type": normal}
    assert flag("6301-6", 2.5, "{INR}", printed=plain) is Flag.NORMAL


def test_words_without_a_number_are_no_interval_and_are_shown() -> None:
    result = flagged("2823-3", 4.2, "mmol/L", printed="see comment")
    assert result.flag is Flag.NORMAL
    assert result.intervals[0].origin == "fallback"
    assert any("see comment" in note for note in result.notes)


def test_a_test_that_is_not_in_the_table_is_flagged_by_what_its_laboratory_printed() -> None:
    assert flag("99999-9", 12, "mg/L", printed="2-10 mg/L") is Flag.HIGH
    assert flag("99999-9", 12, "mg/L", printed="2-10") is Flag.HIGH
    other = flagged("99999-9", 12, "mg/L", printed="2-10 g/L")
    assert other.flag is None
    assert flagged("99999-9", 12, "mg/L").flag is None


def test_an_interval_that_was_cut_off_is_refused() -> None:
    one = finding("2823-3", 4.2, "mmol/L", printed="3.5-5.0")
    cut = one.model_copy(update={"reported": (one.reported or "").removesuffix(")")})
    found = printed_interval(cut, "potassium")
    assert found is not None
    assert found.bounds is None
    assert MAN.sex == "male"


@pytest.mark.parametrize(
    ("value", "unit", "printed", "refused"),
    [
        # 0.060 ug/L is 60 ng/L; "<14" without a unit would be 14 ug/L = 14,000 ng/L
        (0.060, "ug/L", "<14", True),
        (60, "ng/L", "<14", False),
        (0.060, "ug/L", "<0.014", False),
        (60, "ng/L", "<0.014", True),
    ],
)
def test_a_troponin_interval_far_from_every_99th_percentile_is_not_used(
    value: float, unit: str, printed: str, refused: bool
) -> None:
    # 14 ng/L: 99th percentile of Elecsys hs-cTnT (PMC5890635)
    read = printed_interval(finding("67151-1", value, unit, printed=printed), "hs_ctnt")
    assert read is not None
    assert (read.bounds is None) == refused


# usual upper limits: CRP 5 to 8 mg/L, TSH 4.0 to 4.5 mIU/L
@pytest.mark.parametrize(
    ("code", "value", "unit", "printed", "taken"),
    [
        ("1988-5", 200, "mg/L", "0-500", False),
        ("1988-5", 200, "mg/L", "0-10", True),
        ("3016-3", 20, "m[IU]/L", "0.4-40", False),
        ("3016-3", 2, "m[IU]/L", "0.04-4.0", False),
        ("3016-3", 2, "m[IU]/L", "0.27-4.2", True),
    ],
)
def test_an_absurdly_wide_interval_does_not_hide_a_result(
    code: str, value: float, unit: str, printed: str, taken: bool
) -> None:
    result = flagged(code, value, unit, MAN, printed=printed)
    assert ("printed" in {used.origin for used in result.intervals}) is taken
