"""Critical limits, by the default list of fact sheet B2 (Kost 1990, RCPath G158), in its units."""

import pytest

from knowledge.quantity import Interval
from tests.tools.labs.lab_results import MAN, flag, flagged, subject
from tools.labs.interval_model import Flag, Subject

LOW: list[tuple[str, str, float, float]] = [
    ("2823-3", "mmol/L", 2.5, 2.6),
    ("2951-2", "mmol/L", 120, 121),
    ("17861-6", "mg/dL", 7.0, 7.1),
    ("1994-3", "mmol/L", 0.80, 0.81),
    ("2345-7", "mg/dL", 50, 51),
    ("2028-9", "mmol/L", 10, 11),
    ("19123-9", "mg/dL", 1.0, 1.1),
    ("2777-1", "mg/dL", 1.0, 1.1),
    ("718-7", "g/dL", 7.0, 7.1),
    ("777-3", "10*3/uL", 50, 51),
    ("6690-2", "10*3/uL", 2.0, 2.1),
    ("751-8", "10*9/L", 0.5, 0.6),
    ("3255-7", "mg/dL", 100, 101),
    ("2744-1", "[pH]", 7.20, 7.21),
    ("2019-8", "mm[Hg]", 20, 21),
    ("2703-7", "mm[Hg]", 45, 46),
    ("2692-2", "mosm/kg", 250, 251),
]
HIGH: list[tuple[str, str, float, float]] = [
    ("2823-3", "mmol/L", 6.5, 6.4),
    ("2951-2", "mmol/L", 160, 159),
    ("17861-6", "mg/dL", 12.0, 11.9),
    ("1994-3", "mmol/L", 1.60, 1.59),
    ("2345-7", "mg/dL", 400, 399),
    ("2028-9", "mmol/L", 40, 39),
    ("19123-9", "mg/dL", 4.9, 4.8),
    ("2777-1", "mg/dL", 8.9, 8.8),
    ("2160-0", "mg/dL", 7.4, 4.9),
    ("3094-0", "mg/dL", 100, 99),
    ("718-7", "g/dL", 20, 19.9),
    ("777-3", "10*3/uL", 1000, 999),
    ("6690-2", "10*3/uL", 30, 29.9),
    ("6301-6", "{INR}", 5.0, 4.9),
    ("14979-9", "s", 100, 99),
    ("3255-7", "mg/dL", 800, 799),
    ("2744-1", "[pH]", 7.60, 7.59),
    ("2019-8", "mm[Hg]", 70, 69),
    ("2524-7", "mmol/L", 4.0, 3.9),
    ("16362-6", "umol/L", 100, 99),
    ("10535-3", "ng/mL", 2.0, 1.9),
    ("14334-7", "mmol/L", 1.5, 1.4),
    ("2692-2", "mosm/kg", 350, 349),
]


@pytest.mark.parametrize(
    ("loinc", "unit", "reached", "not_reached"), LOW, ids=[f"{r[0]}-{r[1]}" for r in LOW]
)
def test_at_or_below_the_lower_limit_is_critical(
    loinc: str, unit: str, reached: float, not_reached: float
) -> None:
    assert flag(loinc, reached, unit) is Flag.CRITICAL_LOW
    assert flag(loinc, not_reached, unit) is not Flag.CRITICAL_LOW


@pytest.mark.parametrize(
    ("loinc", "unit", "reached", "not_reached"), HIGH, ids=[f"{r[0]}-{r[1]}" for r in HIGH]
)
def test_at_or_above_the_upper_limit_is_critical(
    loinc: str, unit: str, reached: float, not_reached: float
) -> None:
    assert flag(loinc, reached, unit) is Flag.CRITICAL_HIGH
    assert flag(loinc, not_reached, unit) is not Flag.CRITICAL_HIGH


def newborn(low: float, high: float) -> Subject:
    return Subject(age=Interval.exact(0), age_days=Interval(low=low, high=high))


def test_bilirubin_of_a_newborn_is_critical_from_15_mg_per_dl() -> None:
    assert flag("1975-2", 15, "mg/dL", newborn(2, 3)) is Flag.CRITICAL_HIGH
    assert flag("1975-2", 15, "mg/dL", MAN) is Flag.HIGH
    around = flagged("1975-2", 15, "mg/dL", newborn(27, 29))
    assert around.flag is None
    assert around.critical[0].certain is False
    assert around.critical[0].missing == ("age in days",)


def test_a_new_creatinine_of_5_is_critical_and_one_not_known_to_be_new_may_be() -> None:
    known = subject("male", new_result=True)
    assert flag("2160-0", 5.0, "mg/dL", known) is Flag.CRITICAL_HIGH
    maybe = flagged("2160-0", 5.0, "mg/dL")
    assert maybe.flag is Flag.HIGH
    assert [(c.certain, c.missing) for c in maybe.critical] == [(False, ("new_result",))]
    assert flagged("2160-0", 5.0, "mg/dL", subject("male", new_result=False)).critical == ()


def test_paracetamol_is_critical_from_150_mg_per_l_at_4_hours() -> None:
    at_four = subject("male", four_hours_after_ingestion=True)
    assert flag("3298-7", 150, "ug/mL", at_four) is Flag.CRITICAL_HIGH
    assert flagged("3298-7", 150, "ug/mL").critical[0].missing == ("four_hours_after_ingestion",)
    assert flagged("3298-7", 149, "ug/mL", at_four).critical == ()


def test_a_bound_that_reaches_the_limit_may_be_critical() -> None:
    result = flagged("2823-3", 6.0, "mmol/L", comparator=">")
    assert result.flag is Flag.HIGH
    assert [(c.side, c.certain) for c in result.critical] == [("high", False)]


def test_a_critical_value_is_one_for_everybody_though_the_interval_is_not_known() -> None:
    assert flag("718-7", 6.5, "g/dL", Subject()) is Flag.CRITICAL_LOW


def test_a_critical_value_within_the_printed_interval_says_so() -> None:
    result = flagged("2823-3", 6.6, "mmol/L", printed="3.5-7.0")
    assert result.flag is Flag.CRITICAL_HIGH
    assert any("By its interval the result is normal" in note for note in result.notes)


def test_a_critical_flag_cites_its_source_and_review_state() -> None:
    (limit,) = flagged("2823-3", 6.6, "mmol/L").critical
    assert limit.origin == "fallback"
    assert "Kost" in limit.citation.label
    assert "sources disagree" in limit.citation.review
