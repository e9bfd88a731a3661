"""The numbers of a sentence and of the rows it restates, as they are compared."""

from decimal import Decimal

import pytest

from knowledge.card_numbers import disagreements, measured, numbers, row_numbers
from knowledge.errors import ReferenceDataError

ELECSYS = "troponin_assays:assays.roche-elecsys-hs-ctnt.esc_0_1h"
"""very low 5, low 12, no change 3, high 52, rule-in change 5 (ESC 2020)."""


def _decimals(*values: str) -> frozenset[Decimal]:
    return frozenset(Decimal(value) for value in values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ESC 0/1 h and 0/3 h in V2, V3R and V4 to V6", ()),
        ("above the 99th percentile by CURB-65 in a 12-lead ECG of 2023", ()),
        ("2.0 mm and 2 mm", ("2",)),
        ("1000 ng/mL and 2000 ng/mL", ("1000", "2000")),
        ("below 0.05 or -4", ("0.05", "4")),
        ("低于 52 ng/L 变化 5", ("52", "5")),
    ],
)
def test_numbers_of_names_are_not_measured(text: str, expected: tuple[str, ...]) -> None:
    assert measured(text) == _decimals(*expected)


def test_numbers_are_counted_as_often_as_they_stand() -> None:
    assert numbers("3 of 3 and 3.0")[Decimal(3)] == 3


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (ELECSYS, ("5", "12", "3", "52")),
        (f"{ELECSYS}.high", ("52",)),
        ("ecg_criteria:st_elevation.limits.2.from_mv *10", ("1.5",)),
        ("troponin_pathways:onset.early_at_most.value /60", ("3",)),
        ("scores/wells_pe:bands.*.meaning", ("12", "30")),
    ],
)
def test_a_selector_gives_the_numbers_of_its_rows_in_the_unit_asked_for(
    selector: str, expected: tuple[str, ...]
) -> None:
    assert row_numbers(selector) == _decimals(*expected)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("troponin_assays", "not <file>:<path>"),
        ("troponin_assays:assays.unheard-of", "no such row"),
        ("scores/wells_pe:bands.9", "no such row"),
        ("troponin_assays:assays.roche-elecsys-hs-ctnt.label", "names no number"),
        ("unheard_of:assays", "no such reference file"),
    ],
)
def test_a_selector_that_finds_nothing_is_an_error(selector: str, message: str) -> None:
    with pytest.raises(ReferenceDataError, match=message):
        row_numbers(selector)


def test_a_wrong_number_and_a_missing_number_are_both_named() -> None:
    right = "first below 5, or below 12 with a change below 3; rule-in at 52 or a change of 5"
    assert disagreements(right, (ELECSYS,)) == ()
    assert disagreements(right.replace("52", "25"), (ELECSYS,)) == (
        "25 is in the sentence, not in the rows",
        "52 is in the rows, not in the sentence",
    )
