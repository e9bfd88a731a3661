"""Allred, H-score and intervals against published definitions, worked by hand."""

import pytest

from knowledge.errors import InvalidValueError
from tools.pathology.ihc.shares import allred, h_score, share


@pytest.mark.parametrize(
    ("weak", "moderate", "strong", "proportion", "intensity", "total"),
    [
        # Allred 1998: none 0; below 1/100 1; to 1/10 2; to 1/3 3; to 2/3 4; above 2/3 5
        (0, 0, 0, 0, 0, 0),
        (5, 0, 0, 1, 1, 2),  # 5 of 1000: 0.5 %
        (10, 0, 0, 2, 1, 3),  # 1 %
        (0, 100, 0, 2, 2, 4),  # 10 %
        (0, 101, 0, 3, 2, 5),
        (0, 0, 333, 3, 3, 6),  # 33.3 %, below 1/3
        (0, 0, 334, 4, 3, 7),
        (0, 0, 666, 4, 3, 7),
        (0, 0, 667, 5, 3, 8),
        (400, 400, 200, 5, 2, 7),  # mean (400 + 800 + 600) / 1000 = 1.8
        (900, 0, 100, 5, 1, 6),  # mean (900 + 300) / 1000 = 1.2
    ],
)
def test_allred(
    weak: int, moderate: int, strong: int, proportion: int, intensity: int, total: int
) -> None:
    found = allred(weak, moderate, strong, 1000)
    assert (found.proportion, found.intensity, found.total) == (proportion, intensity, total)
    assert found.positive == (total >= 3)


@pytest.mark.parametrize(
    ("weak", "moderate", "strong", "expected"),
    # 1 x 20 + 2 x 30 + 3 x 40 = 200; all strong 300
    [(20, 30, 40, 200.0), (0, 0, 100, 300.0), (0, 0, 0, 0.0), (1, 0, 0, 1.0)],
)
def test_h_score(weak: int, moderate: int, strong: int, expected: float) -> None:
    assert h_score(weak, moderate, strong, 100) == expected


def test_the_interval_is_that_of_wilson() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    found = share(81, 263)
    assert (found.percent, found.low_percent, found.high_percent) == (30.8, 25.5, 36.6)


@pytest.mark.parametrize(("positive", "every"), [(1, 0), (0, 0), (5, 4), (-1, 4)])
def test_what_is_no_share_is_refused(positive: int, every: int) -> None:
    with pytest.raises(InvalidValueError):
        share(positive, every)
