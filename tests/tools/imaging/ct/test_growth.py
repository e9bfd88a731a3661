"""Growth: doubling times worked by hand, the error that is never growth, and two patients."""

import math

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.errors import IdentityConflictError, InvalidValueError
from knowledge.finding import NotAssessed, Why
from knowledge.patient import Identity
from tests.tools.imaging.ct.phantoms import Nodule, block, volume_of
from tools.imaging.ct.growth import ct_nodule_growth, doubling_time
from tools.imaging.ct.nodule import NoduleMeasure, measure_nodule

ANNA = Identity(source="a", identifiers=(("H", "7081233"),), family="Lindqvist", given=("Karin",))


def _seen(mm: float, day: str = "2026-01-01", **more: object) -> NoduleMeasure:
    stated: dict[str, object] = {
        "seed_lps": (0, 0, 0), "centre_lps": (0, 0, 0), "long_mm": mm, "short_mm": mm,
        "mean_mm": mm, "volume_mm3": math.pi * mm**3 / 6, "kind": "solid", "mean_hu": 30,
        "identity": ANNA, "series": day, "slice_mm": 1.0, "thickness_mm": 1.0,
        "kernel_kind": "smooth", "time": parse_fhir(f"{day}T10:00:00Z", clock="test"),
    }  # fmt: skip
    return NoduleMeasure.model_validate({**stated, **more})


def test_doubling_time_by_the_formula_of_the_guideline() -> None:
    """BTS 2015: VDT = dt ln 2 / ln(V2/V1); 100 to 200 mm3 in 90 d is 90 d; by diameter / 3."""
    assert doubling_time(100, 200, 90) == pytest.approx(90)
    assert doubling_time(100, 400, 90) == pytest.approx(45)
    assert doubling_time(6**3, 8**3, 100) == pytest.approx(
        100 * math.log(2) / (3 * math.log(8 / 6))
    )


def test_growth_beyond_the_error_has_a_doubling_time_with_its_range() -> None:
    """8 to 10 mm is a ratio of 1.953; 181 d: 181 ln 2 / ln 1.953 = 187 d.

    With an error of 25 % of the ratio: 181 ln 2 / (0.6694 + 0.2231) = 141; over 0.4463 = 281.
    """
    found = ct_nodule_growth(_seen(8), _seen(10, "2026-07-01"))
    assert (found.verdict, found.days, found.doubling_days) == ("growth", 181, 187)
    assert found.doubling_range == (141, 281)
    assert found.volume_change_percent == pytest.approx(95.3, abs=0.1)
    assert found.lung_rads_status == "growing"


@pytest.mark.parametrize("mm", [7.5, 7.9, 8.0, 8.3, 8.6])
def test_a_change_within_the_error_is_never_growth(mm: float) -> None:
    """8 to 8.6 mm is +24 %: below 25 %."""
    found = ct_nodule_growth(_seen(8), _seen(mm, "2026-07-01"))
    assert found.verdict == "within error"
    assert found.doubling_days is None
    assert found.lung_rads_status == "stable"


def test_shrinkage_has_a_halving_time() -> None:
    found = ct_nodule_growth(_seen(10), _seen(8, "2026-07-01"))
    assert (found.verdict, found.doubling_days) == ("shrinkage", 187)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kernel_kind": "sharp"}, "kernels differ"),
        ({"kernel_kind": "unknown"}, "kernels differ"),
        ({"thickness_mm": 1.6}, "slice thickness differs by 0.6 mm"),
        ({"thickness_mm": None}, "slice thickness is not known"),
        ({"volume_mm3": None,
          "not_assessed": {"volume": NotAssessed(why=Why.QUALITY, detail="thick slices")}},
         "the later volume is not assessed: thick slices"),
    ],
)  # fmt: skip
def test_volumes_of_unlike_series_are_not_compared(change: dict[str, object], reason: str) -> None:
    found = ct_nodule_growth(_seen(8), _seen(9, "2026-07-01", **change))
    assert found.volume_change_percent is None
    assert reason in found.not_assessed["volume"].detail
    assert (found.verdict, found.doubling_days) == ("within error", None)  # 1.0 mm of 1.5
    larger = ct_nodule_growth(_seen(8), _seen(10, "2026-07-01", **change))
    assert (larger.verdict, larger.doubling_days) == ("growth", None)  # 2.0 mm of 1.5


def test_another_type_is_not_assessed_rather_than_growth() -> None:
    found = ct_nodule_growth(_seen(8), _seen(12, "2026-07-01", kind="part-solid"))
    assert found.verdict == "not assessed"
    assert "the type differs: solid, then part-solid" in found.because


def test_an_unknown_or_short_interval_gives_no_verdict() -> None:
    for missing in ({"time": None}, {}):
        later = _seen(10, "2026-07-01", **missing)
        earlier = _seen(8) if missing else _seen(8, time=None)
        undated = ct_nodule_growth(earlier, later)
        assert (undated.verdict, undated.days, undated.doubling_days) == (
            "not assessed",
            None,
            None,
        )
        assert undated.not_assessed["interval"].why is Why.TIME_NOT_GIVEN
        assert "has no date" in undated.because
        assert undated.lung_rads_status is None
        assert undated.diameter_change_mm == 2  # the numbers stay
    short = ct_nodule_growth(_seen(8), _seen(10, "2026-01-08"))
    assert (short.verdict, short.lung_rads_status, short.doubling_days) == (
        "not assessed", None, None,
    )  # fmt: skip
    assert "7 days between the two CTs; at least 20 are needed" in short.because


def test_slow_growth_is_not_growing_by_lung_rads() -> None:
    found = ct_nodule_growth(_seen(8), _seen(10, "2027-06-01"))
    assert (found.verdict, found.lung_rads_status) == ("growth", "stable")


def test_order_and_patient_are_checked() -> None:
    with pytest.raises(InvalidValueError, match="later one is given first"):
        ct_nodule_growth(_seen(8, "2026-07-01"), _seen(10, "2026-01-01"))
    with pytest.raises(InvalidValueError, match="one series"):
        ct_nodule_growth(_seen(8), _seen(10))
    other = Identity(source="b", identifiers=(("H", "9915522"),), family="Berger", given=("Otto",))
    with pytest.raises(IdentityConflictError, match="different patients"):
        ct_nodule_growth(_seen(8), _seen(10, "2026-07-01", identity=other), same_patient=True)
    nobody = Identity(source="b")
    with pytest.raises(IdentityConflictError, match="do not tell"):
        ct_nodule_growth(_seen(8), _seen(10, "2026-07-01", identity=nobody))
    stated = ct_nodule_growth(_seen(8), _seen(10, "2026-07-01", identity=nobody), same_patient=True)
    assert stated.verdict == "growth"


def test_two_phantoms_of_one_size_are_within_the_error_and_a_grown_one_is_not() -> None:
    """8 mm twice (other noise, other place on the grid); then 8 to 9.5 mm: +67 %."""
    spacing = (1.25, 0.7, 0.7)

    def at(mm: float, day: str, seed: int, shift: float) -> NoduleMeasure:
        one = Nodule((30 + shift, 30 - shift, 30 + shift), mm)
        volume = volume_of(
            block([one], spacing=spacing, seed=seed), spacing, day=day, identity=ANNA
        )
        facts = volume.facts.model_copy(update={"series": day})
        made = type(volume)(
            hu=volume.hu, spacing_mm=spacing, affine_lps=volume.affine_lps, facts=facts
        )
        return measure_nodule(made, (30, 30, 30)).measure

    first, again = at(8, "2026-01-01", 1, 0), at(8, "2026-07-01", 2, 0.4)
    assert ct_nodule_growth(first, again).verdict == "within error"
    grown = ct_nodule_growth(first, at(9.5, "2026-07-01", 3, -0.3))
    assert grown.verdict == "growth"
    assert grown.volume_change_percent == pytest.approx(67.5, abs=6)
    # 181 ln 2 / ln 1.6748 = 243 days
    assert grown.doubling_days == pytest.approx(243, abs=18)
