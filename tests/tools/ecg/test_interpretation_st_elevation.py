"""ST-elevation criteria, by the Fourth Universal Definition (10.1161/CIR.0000000000000617)."""

import pytest

from knowledge.finding import Why
from tests.tools.ecg.hand_made import ecg, lbbb_ecg, rbbb_ecg, read, state
from tools.ecg.model import Problem

# (leads, age, sex, limit in mm): UDMI-4, table of ST-elevation limits
LIMITS = [
    pytest.param(("V2", "V3"), 40, "male", 2.0, id="V2-V3 man of 40"),
    pytest.param(("V2", "V3"), 39, "male", 2.5, id="V2-V3 man of 39"),
    pytest.param(("V2", "V3"), 39, "female", 1.5, id="V2-V3 woman of 39"),
    pytest.param(("V2", "V3"), 70, "female", 1.5, id="V2-V3 woman of 70"),
    pytest.param(("II", "aVF"), 30, "male", 1.0, id="inferior"),
    pytest.param(("III", "aVF"), 70, "female", 1.0, id="inferior woman"),
    pytest.param(("I", "aVL"), 60, "male", 1.0, id="high lateral"),
    pytest.param(("V5", "V6"), 60, "male", 1.0, id="lateral"),
    pytest.param(("V4", "V5"), 60, "male", 1.0, id="anterolateral neighbours"),
    pytest.param(("V7", "V8"), 39, "male", 1.0, id="V7-V8 man of 39"),
    pytest.param(("V7", "V8"), 40, "male", 0.5, id="V7-V8 man of 40"),
    pytest.param(("V8", "V9"), 30, "female", 0.5, id="V8-V9 woman"),
    pytest.param(("V3R", "V4R"), 29, "male", 1.0, id="V3R-V4R man of 29"),
    pytest.param(("V3R", "V4R"), 30, "male", 0.5, id="V3R-V4R man of 30"),
    pytest.param(("V3R", "V4R"), 25, "female", 0.5, id="V3R-V4R woman"),
]
EXTRA = ("V7", "V8", "V9", "V3R", "V4R")


@pytest.mark.parametrize(("leads", "years", "of", "limit"), LIMITS)
def test_criteria_are_met_from_the_limit_of_lead_age_and_sex(
    leads: tuple[str, str], years: int, of: str, limit: float
) -> None:
    report = read(ecg(dict.fromkeys(leads, limit), extra=EXTRA), years=years, of=of)
    assert state(report, "stemi_criteria") == "present"
    assert report.finding("stemi_criteria").body_site == ", ".join(leads)
    assert state(report, "st_deviation") == "present"


@pytest.mark.parametrize(("leads", "years", "of", "limit"), LIMITS)
def test_criteria_are_not_met_just_below_the_limit_and_say_so(
    leads: tuple[str, str], years: int, of: str, limit: float
) -> None:
    below = read(ecg(dict.fromkeys(leads, limit - 0.05), extra=EXTRA), years=years, of=of)
    assert state(below, "stemi_criteria") == "absent"
    assert "borderline" in below.finding("stemi_criteria").flags
    far = read(ecg(dict.fromkeys(leads, limit - 0.4), extra=EXTRA), years=years, of=of)
    assert "borderline" not in far.finding("stemi_criteria").flags


@pytest.mark.parametrize(
    "st_mm",
    [
        pytest.param({"II": 3.0}, id="one lead"),
        pytest.param({"II": 2.0, "V5": 2.0}, id="two leads of different regions"),
        pytest.param({"III": 2.0, "V1": 2.0}, id="III and V1"),
        pytest.param({"aVR": 3.0, "V1": 0.9}, id="aVR has no limit"),
        pytest.param({"V3": 1.9, "V4": 0.9}, id="V3 and V4 each below their own limit"),
    ],
)
def test_two_contiguous_leads_are_needed(st_mm: dict[str, float]) -> None:
    assert state(read(ecg(st_mm)), "stemi_criteria") == "absent"


def test_normal_ecg_has_no_st_statement_and_is_a_normal_category() -> None:
    report = read(ecg())
    for code in ("stemi_criteria", "st_deviation", "ecg_new_ischaemia", "omi_equivalent"):
        assert state(report, code) == "absent", code
    assert report.finding("ecg_heart_category").choice == "normal"
    assert report.headline.startswith("No ST-elevation criteria")


def test_inferior_elevation_asks_for_the_right_leads_and_names_the_region() -> None:
    report = read(ecg({"II": 2.0, "III": 3.0, "aVF": 2.5}))
    assert report.headline.startswith(
        "ST-elevation criteria of infarction are met: inferior (II, III, aVF)"
    )
    assert state(report, "st-elevation-inferior") == "present"
    assert state(report, "st-elevation-right") == "not_assessed"
    assert any("V4R" in text for text in report.advice)
    assert report.finding("ecg_heart_category").choice == "st_deviation"


def test_the_numbers_that_decided_are_in_the_finding() -> None:
    found = read(ecg({"II": 2.0, "aVF": 1.2})).finding("stemi_criteria")
    assert found.reported == "II +2.00 mm (limit 1.0); aVF +1.20 mm (limit 1.0)"
    assert found.method is not None
    assert "Fourth Universal Definition" in found.method


@pytest.mark.parametrize("group", ["posterior", "right"])
def test_leads_not_recorded_are_never_absent(group: str) -> None:
    found = read(ecg()).finding(f"st-elevation-{group}")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.MISSING


@pytest.mark.parametrize(
    ("mm_value", "years", "of", "expected"),
    [
        pytest.param(2.6, 60, None, "present", id="above every limit"),
        pytest.param(1.2, 60, None, "absent", id="below every limit"),
        pytest.param(1.7, 60, None, "not_assessed", id="between, sex unknown"),
        pytest.param(2.2, None, "male", "not_assessed", id="between, age unknown"),
        pytest.param(1.6, None, "female", "present", id="woman of any age"),
        pytest.param(2.6, None, None, "present", id="above every limit, nothing known"),
    ],
)
def test_unknown_sex_or_age_is_judged_at_every_limit_that_may_apply(
    mm_value: float, years: int | None, of: str | None, expected: str
) -> None:
    report = read(ecg({"V2": mm_value, "V3": mm_value}), years=years, of=of)
    found = report.finding("stemi_criteria")
    assert found.state.value == expected
    if found.not_assessed is not None:
        assert found.not_assessed.why is Why.MISSING
        assert ("sex" if of is None else "age") in found.not_assessed.detail


def test_hypertrophy_alone_does_not_make_or_hide_an_anterior_infarction() -> None:
    waves = {"V1": {"r_mv": 0.1, "s_mv": -2.5}, "V2": {"r_mv": 0.2, "s_mv": -3.0},
             "V3": {"r_mv": 0.3, "s_mv": -3.2}, "V5": {"r_mv": 2.0}}  # fmt: skip
    report = read(ecg({"V1": 1.5, "V2": 2.5, "V3": 2.5}, waves=waves))
    assert state(report, "lvh") == "present"
    found = report.finding("stemi_criteria")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.CONFLICTING
    assert "lvh-mimic" in found.flags
    assert state(report, "st_deviation") == "present"
    assert state(report, "ecg_new_ischaemia") == "not_assessed"
    assert state(report, "ecg_heart_category") == "not_assessed"
    assert "hypertrophy" in report.headline


def test_elevation_outside_the_leads_hypertrophy_explains_stays_present() -> None:
    waves = {"V1": {"s_mv": -2.5}, "V5": {"r_mv": 2.0}}
    inferior = read(ecg({"II": 2.0, "aVF": 2.0}, waves=waves))
    assert state(inferior, "lvh") == "present"
    assert state(inferior, "stemi_criteria") == "present"
    both = read(ecg({"II": 2.0, "aVF": 2.0, "V1": 1.5, "V2": 2.5}, waves=waves))
    assert state(both, "stemi_criteria") == "present"
    assert "lvh-mimic" in both.finding("stemi_criteria").flags


@pytest.mark.parametrize("code", ["stemi_criteria", "st-depression", "t-inversion", "lvh"])
def test_left_bundle_branch_block_closes_the_ordinary_criteria(code: str) -> None:
    found = read(lbbb_ecg({"V1": 3.0, "V2": 3.0})).finding(code)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT


def test_right_bundle_branch_block_keeps_the_st_elevation_criteria() -> None:
    report = read(rbbb_ecg({"II": 2.0, "aVF": 2.0}))
    assert state(report, "rbbb") == "present"
    assert state(report, "stemi_criteria") == "present"
    assert "rbbb" in report.finding("stemi_criteria").flags


def test_a_blocked_lead_is_not_read_and_the_rest_still_is() -> None:
    noise = Problem(code="noise", detail="V2 0.2 mV", leads=("V2",), blocks=("amplitude",))
    report = read(ecg({"II": 2.0, "aVF": 2.0, "V2": 5.0}, problems=(noise,)))
    assert state(report, "stemi_criteria") == "present"
    assert report.finding("stemi_criteria").body_site == "II, aVF"
    quiet = read(ecg({"V3": 2.5}, problems=(noise,)))
    found = quiet.finding("stemi_criteria")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.QUALITY


def test_two_estimates_of_j_that_disagree_leave_the_criteria_open() -> None:
    made = ecg({"II": 2.0, "aVF": 2.0})
    marks = made.fiducials.model_copy(update={"qrs_off": made.fiducials.qrs_off + 50})
    # 100 ms behind J the hand-made ST is on its way to the T wave: still elevated
    assert state(read(ecg({"II": 2.0, "aVF": 2.0}, fiducials=marks)), "stemi_criteria") == "present"
    drop = ecg({"II": 2.0, "aVF": 2.0}, slope=-2.5, fiducials=marks, waves={
        "II": {"t_mv": 0.0}, "aVF": {"t_mv": 0.0}})  # fmt: skip
    found = read(drop).finding("stemi_criteria")
    assert found.not_assessed is not None
    assert "J point is uncertain" in found.not_assessed.detail


def test_elevation_everywhere_without_reciprocal_depression_brings_the_mimics_to_mind() -> None:
    leads = ("I", "II", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
    report = read(ecg(dict.fromkeys(leads, 2.0)))
    assert state(report, "stemi_criteria") == "present"
    assert any("pericarditis" in text for text in report.advice)
    inferior = read(ecg({"II": 2.0, "III": 2.0, "aVF": 2.0}))
    assert not any("pericarditis" in text for text in inferior.advice)
