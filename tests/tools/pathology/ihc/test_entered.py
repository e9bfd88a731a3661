"""HER2 patterns and PD-L1 scores of entered numbers (fact sheet D3, D4)."""

from typing import Any

import pytest

from knowledge.errors import InvalidValueError
from knowledge.reading_form import reading_form
from tools.pathology.ihc.entered import her2_membrane_pattern, pd_l1_score


@pytest.mark.parametrize(
    ("strong", "weak", "faint", "pattern"),
    [
        (11, 0, 0, "strong-complete-gt10"),  # 3+
        (10, 0, 0, "strong-complete-le10"),  # 2+
        (0, 11, 0, "weak-complete-gt10"),  # 2+
        (5, 30, 20, "weak-complete-gt10"),
        (0, 0, 11, "faint-gt10"),  # 1+
        (0, 0, 10, "faint-le10"),  # 0
        (0, 0, 0, "none"),  # 0
        (0, 5, 0, "other"),  # the table has no row for it
        (0, 5, 40, "other"),
    ],
)
def test_the_pattern_of_entered_shares(
    strong: float, weak: float, faint: float, pattern: str
) -> None:
    found = her2_membrane_pattern(
        strong_complete=strong, weak_complete=weak, faint_incomplete=faint
    )
    assert found.pattern == pattern
    assert pattern in reading_form("pathology_breast").items["her2_membrane"].answers


def test_what_was_not_entered_leaves_a_range_and_never_no_stain() -> None:
    found = her2_membrane_pattern(strong_complete=0)
    assert found.pattern is None
    assert found.possible == ("none", "faint-le10", "faint-gt10", "weak-complete-gt10", "other")
    assert found.missing == ("weak_complete", "faint_incomplete")
    assert found.not_assessed is not None
    assert her2_membrane_pattern().pattern is None


def test_unknown_shares_that_decide_nothing_are_not_asked() -> None:
    assert her2_membrane_pattern(strong_complete=95).pattern == "strong-complete-gt10"


@pytest.mark.parametrize("shares", [{"strong_complete": 101}, {"weak_complete": -1},
                                    {"strong_complete": 60, "weak_complete": 50}])  # fmt: skip
def test_shares_of_no_whole_are_refused(shares: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="one whole"):
        her2_membrane_pattern(**shares)


@pytest.mark.parametrize(
    ("tumour", "stained", "immune", "tps", "cps"),
    # TPS = stained / tumour; CPS = (stained + immune) / tumour x 100, at most 100
    [(100, 1, 0, 1.0, 1.0), (200, 99, 21, 49.5, 60.0), (100, 80, 90, 80.0, 100.0),
     (400, 0, 0, 0.0, 0.0)],
)  # fmt: skip
def test_scores_by_hand(tumour: int, stained: int, immune: int, tps: float, cps: float) -> None:
    found = pd_l1_score(tumour, stained_tumour_cells=stained, stained_immune_cells=immune)
    assert (found.tps_percent, found.cps) == (tps, cps)


def test_fewer_than_100_tumour_cells_and_missing_counts_give_no_score() -> None:
    few = pd_l1_score(99, stained_tumour_cells=50, stained_immune_cells=1)
    assert (few.tps_percent, few.cps) == (None, None)
    assert set(few.not_assessed) == {"tps", "cps"}
    half = pd_l1_score(100, stained_tumour_cells=50)
    assert (half.tps_percent, half.cps) == (50.0, None)
    assert set(half.not_assessed) == {"cps"}
    none = pd_l1_score(100, stained_immune_cells=5)
    assert (none.tps_percent, none.cps) == (None, None)


@pytest.mark.parametrize("counts", [(-1, 0), (100, 101)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(InvalidValueError):
        pd_l1_score(counts[0], stained_tumour_cells=counts[1])
