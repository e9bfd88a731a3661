"""A typed number is taken in one reading or not at all."""

import pytest

from knowledge.answer_units import answer_units
from knowledge.clinical_inputs import catalogue
from knowledge.errors import InvalidValueError
from knowledge.typed_number import typed_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", 1200.0),
        ("1,2", 1.2),
        ("1.2", 1.2),
        (" 0,27 ", 0.27),
        ("0,014", 0.014),  # no group of thousands begins with a nought
        ("0.014", 0.014),
        ("1,2345", 1.2345),
        ("-3", -3.0),
    ],
)
def test_one_decimal_with_a_point_or_a_comma_is_a_number(text: str, number: float) -> None:
    read = typed_number("x", text)
    assert read.exact == number
    assert read.text == text.strip()


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("1,200", "write 1200 or 1.2"),
        ("1.200", "write 1200 or 1.2"),
        ("1,050", "write 1050 or 1.05"),
        ("2,000", "write 2000 or 2"),
        ("<1,200", "write 1200 or 1.2"),
        ("12,345", "write 12345 or 12.3450"),
    ],
)
def test_three_digits_behind_a_sign_may_be_thousands_and_are_refused(
    text: str, way_out: str
) -> None:
    with pytest.raises(InvalidValueError, match="two ways") as refused:
        typed_number("D-dimer", text)
    assert refused.value.way_out == way_out
    for proposed in way_out.removeprefix("write ").split(" or "):
        assert typed_number("D-dimer", proposed).exact is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "high", "1,200,000", "1.200,5", "1'200", "1 200", "1_200", "1e3", "inf", "nan"),
        *(".5", "5,", "6 ng/L", "007", "10²", "9" * 50),
    ],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a number"):
        typed_number("x", text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [("<6", (6.0, "<")), ("≤ 6,5", (6.5, "<=")), (">10000", (10000.0, ">")), ("6", (6.0, ""))],
)
def test_a_bound_keeps_its_sign(text: str, limit: tuple[float, str]) -> None:
    assert typed_number("x", text).limit == limit


def test_every_unit_a_number_is_asked_in_is_taken_for_it() -> None:
    d_dimer = catalogue().inputs["d_dimer_feu"]
    # the analyte's units that name FEU or DDU; ng/mL, ug/L and mg/L alone do not
    assert set(d_dimer.units("d_dimer_feu")) == {
        *("ng/mL{FEU}", "mg/L{FEU}", "ng/mL{DDU}", "mg/L{DDU}")
    }
    assert "(ng/mL)" not in d_dimer.how
    assert "ng/mL{FEU}" in d_dimer.how
    assert answer_units("creatinine", "mg/dL")[0] == "mg/dL"
