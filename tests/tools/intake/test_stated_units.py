# ruff: noqa: RUF001
"""Units that begin with a power of ten, and the age of an infant, as people write them."""

import pytest

from knowledge.finding import Why
from knowledge.quantity import Quantity
from knowledge.units import parse_stated
from tools.intake.case_file import stated_finding
from tools.risk.score import evaluate


@pytest.mark.parametrize(
    "text",
    [
        "120 10*9/L",
        "120 10^9/L",
        "120 ×10⁹/L",
        "120×10^9/L",
        "120 x10^9/L",
        "120 10⁹/L",
        "120 10E9/L",
        "120 10*3/uL",
    ],
)
def test_platelets_of_120_are_read_in_every_spelling(text: str) -> None:
    found = stated_finding("platelets", text, file="test", record="1")
    assert str(found.quantity) == "120 10*9/L"


@pytest.mark.parametrize("text", ["12010*9/L", "120 10", "10*9/L", "120 10 9/L", "1,200 10*9/L"])
def test_what_could_be_read_in_two_ways_is_not_read(text: str) -> None:
    assert parse_stated(text) is None


@pytest.mark.parametrize(
    ("text", "years"), [("3 mo", 0.25), ("18 months", 1.5), ("7 d", 7 / 365.25), ("6 wk", 0.11499)]
)
def test_the_age_of_an_infant_is_read_and_outside_a_score_for_adults(
    text: str, years: float
) -> None:
    """UCUM: a year of 12 months, or 365.25 days."""
    age = stated_finding("age_years", text, file="test", record="1")
    assert isinstance(age.quantity, Quantity)
    assert age.quantity.value == pytest.approx(years, rel=1e-4)
    risk = evaluate("centor", {"age_years": age})
    assert risk.not_assessed is not None
    assert risk.not_assessed.why is Why.OUTSIDE_CONTRACT
