"""What forbids a low conclusion, and what is only named because nobody looked."""

import pytest

from knowledge.low_risk import (
    block_inputs,
    blocks_low,
    conflict_forbids_low,
    low_risk_blocks,
)
from tests.tools.risk.given import given, no

CLEAR = given(
    **no("known_cad", "esrd_dialysis", "paced_rhythm", "lbbb", "st_deviation"),
    ecg_heart_category="normal",
)


@pytest.mark.parametrize(
    "block", ["known_cad", "esrd_dialysis", "paced_rhythm", "lbbb", "st_deviation"]
)
def test_condition_that_is_present_forbids_low(block: str) -> None:
    assert blocks_low(CLEAR) == ()
    assert len(blocks_low({**CLEAR, **given(**{block: True})})) == 1


def test_st_deviation_of_the_heart_category_forbids_low_as_well() -> None:
    assert blocks_low({**CLEAR, **given(ecg_heart_category="st_deviation")})


@pytest.mark.parametrize("block", ["known_cad", "esrd_dialysis", "paced_rhythm", "lbbb"])
def test_condition_nobody_assessed_does_not_forbid_but_is_named(block: str) -> None:
    blocks = low_risk_blocks({i: f for i, f in CLEAR.items() if i != block})
    assert blocks.present == ()
    assert len(blocks.unknown) == 1


def test_nothing_known_names_every_condition() -> None:
    blocks = low_risk_blocks({})
    assert blocks.present == ()
    assert len(blocks.unknown) == 5
    assert "known_cad" in block_inputs()


@pytest.mark.parametrize(
    ("input_id", "forbids"),
    [("st_deviation", True), ("known_cad", True), ("systolic_bp", True), ("obesity", False)],
)
def test_a_disagreement_forbids_low_unless_it_only_scores(input_id: str, forbids: bool) -> None:
    assert conflict_forbids_low(input_id) is forbids


def test_a_disagreement_about_no_input_forbids_nothing() -> None:
    assert conflict_forbids_low(None) is False
