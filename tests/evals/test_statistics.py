"""Intervals, against another implementation and a published value."""

import pytest
from scipy.stats import binomtest

from evals.statistics import bootstrap, share, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (3, 14), (12, 14), (20, 20), (1, 1)])
def test_wilson_is_that_of_scipy(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_equal_seeds_give_equal_intervals_and_they_hold_the_ratio() -> None:
    clusters = [(float(i % 4), 4.0) for i in range(30)]
    first, again = bootstrap(clusters, seed=7), bootstrap(clusters, seed=7)
    assert first == again
    assert first[0] < sum(c[0] for c in clusters) / 120 < first[1]


def test_six_of_six_in_few_cases_is_not_called_certain() -> None:
    found = share([(6, 6)] * 3)
    assert found.share == 1
    assert found.low is not None
    assert found.low == pytest.approx(binomtest(3, 3).proportion_ci(method="wilson").low)


def test_nothing_to_count_is_no_share() -> None:
    assert share([]).share is None
    assert share([(0, 0)]).share is None


@pytest.mark.parametrize(
    "clusters",
    [
        pytest.param([(2, 6)], id="one case"),
        pytest.param([(1, 3), (2, 6), (1, 3)], id="equal ratios"),
        pytest.param([(0, 4), (4, 4)], id="two cases"),
    ],
)
def test_few_or_equal_cases_are_never_certain(clusters: list[tuple[float, float]]) -> None:
    found = share(clusters)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 0.2
    assert found.interval == "Wilson over cases"
