"""Three and more tracings: courses, the wider error of a range, refusals."""

from collections.abc import Sequence

import pytest

from knowledge.errors import IdentityConflictError, InvalidValueError
from tests.tools.ecg.hand_made import ecg, lbbb_ecg
from tests.tools.ecg.serial.test_compare import BERT, tracing
from tools.ecg.serial.model import EcgTrend
from tools.ecg.serial.trend import course, range_error_mm, trend


def series(*levels: float, lead: Sequence[str] = ("V2", "V3")) -> EcgTrend:
    made = [
        tracing(ecg(dict.fromkeys(lead, mm)), number=n + 1, minutes=10 * n)
        for n, mm in enumerate(levels)
    ]
    return trend(made)


def test_error_of_a_range_by_hand() -> None:
    """Three tracings: three pairs, 5 % / 6 = 0.8333 % in each tail, z = 2.394; SD of a difference
    28.18 uV: 0.675 mm."""
    assert range_error_mm(3) == pytest.approx(0.675, abs=0.006)
    assert range_error_mm(2) == pytest.approx(0.552, abs=0.006)


@pytest.mark.parametrize(
    ("levels", "word", "dynamic"),
    [
        pytest.param((0.0, 1.0, 2.0), "rising", "present", id="rising"),
        pytest.param((3.0, 1.5, 0.2), "falling", "present", id="falling"),
        pytest.param((0.0, 2.5, 0.2), "rise and fall", "present", id="came and went"),
        pytest.param((2.5, 0.2, 2.0), "fall and rise", "present", id="went and came"),
        pytest.param((0.0, 0.3, 0.1), "stable", "absent", id="stable"),
        pytest.param((0.0, 0.6, 0.1), "stable", "not_assessed", id="within the error of a range"),
    ],
)
def test_course_of_st_over_a_series(levels: tuple[float, ...], word: str, dynamic: str) -> None:
    found = series(*levels)
    (three,) = [lead for lead in found.leads if lead.lead == "V3"]
    assert three.course == word
    assert three.levels_mm == levels
    assert found.findings[0].state.value == dynamic
    if dynamic == "present":
        assert f"V3 {word}" in found.headline


def test_series_is_put_in_order_of_time() -> None:
    given = ((1, 2.0, 40), (2, 0.0, 0), (3, 1.0, 20))
    made = [tracing(ecg({"V2": mm}), number=n, minutes=m) for n, mm, m in given]
    found = trend(made)
    assert found.recordings == tuple(f"{n:016d}" for n in (2, 3, 1))
    assert [lead.levels_mm for lead in found.leads if lead.lead == "V2"] == [(0.0, 1.0, 2.0)]


def test_one_lead_alone_is_no_dynamic_st() -> None:
    assert series(0.0, 2.0, 3.0, lead=("V2",)).findings[0].state.value == "absent"


def test_conduction_that_changes_within_the_series_is_refused() -> None:
    first, last = tracing(ecg()), tracing(ecg(), number=3, minutes=9)
    made = [first, tracing(lbbb_ecg(), number=2, minutes=5), last]
    found = trend(made)
    assert found.findings[0].state.value == "not_assessed"
    assert {lead.course for lead in found.leads} == {"not assessed"}
    assert "not assessed" in found.headline


def test_series_of_two_or_of_two_patients_is_refused() -> None:
    one, two = tracing(ecg()), tracing(ecg(), number=2, minutes=5)
    with pytest.raises(InvalidValueError, match="three"):
        trend([one, two])
    with pytest.raises(InvalidValueError, match="twice"):
        trend([one, two, one])
    with pytest.raises(IdentityConflictError):
        trend([one, two, tracing(ecg(), number=3, minutes=9, identity=BERT)])


def test_numbers_of_each_tracing_are_kept() -> None:
    made = [
        tracing(ecg(heart_rate_per_min=rate), number=n, minutes=n)
        for n, rate in ((1, 70.0), (2, 90.0), (3, 110.0))
    ]
    found = trend(made)
    assert found.heart_rates_per_min == (70.0, 90.0, 110.0)
    assert len(found.steps) == 2
    assert EcgTrend.model_validate_json(found.model_dump_json()) == found


def test_course_of_numbers() -> None:
    assert course([1.0, 1.0], 0.5) == "stable"
    assert course([1.0, 2.0, 1.9, 3.0], 0.5) == "rising"
