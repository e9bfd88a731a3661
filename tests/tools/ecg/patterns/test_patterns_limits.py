"""Named patterns at their limits, on measured values as a textbook states them (in mm).

Limits: UDMI-4 2018 (Q waves), de Winter 2008 and ACC 2022, de Zwaan 1982 (Wellens), McGinn and
White 1935 with the depths of later scores, AHA/ACCF/HRS 2009 part IV, HRS 2013 (Brugada).
"""

from typing import Any

import pytest

from knowledge.finding import Why
from tests.tools.ecg.hand_made import ecg, lbbb_ecg, rbbb_ecg, read, state
from tools.ecg.report import EcgReport

EVERY_ST = (
    "t-inversion-inferior", "t-inversion-lateral", "t-inversion-anterior", "de-winter", "wellens",
    "t-over-qrs", "subtle-occlusion-4", "subtle-occlusion-3", "terminal-qrs-distortion",
    "early-repolarisation", "pericarditis-pattern", "peaked-t", "hyperkalaemia-pattern",
    "brugada-type-1", "s1q3t3", "right-ventricular-strain", "v4r-elevation",
    "posterior-lead-elevation",
)  # fmt: skip
Q35 = {"q_mv": -0.2, "q_ms": 35.0}


def why(report: EcgReport, code: str) -> Why | None:
    reason = report.finding(code).not_assessed
    return None if reason is None else reason.why


@pytest.mark.parametrize("code", EVERY_ST)
def test_bundle_branch_block_and_children_are_outside_the_contract(code: str) -> None:
    assert why(read(lbbb_ecg()), code) is Why.OUTSIDE_CONTRACT
    assert why(read(ecg(), years=12), code) is Why.OUTSIDE_CONTRACT


@pytest.mark.parametrize(
    ("leads", "code", "expected"),
    [
        (("II", "aVF"), "q-waves-inferior", "present"),
        (("I", "aVL"), "q-waves-high-lateral", "present"),
        (("V4", "V5"), "q-waves-anterior", "present"),
        (("III",), "q-waves-inferior", "absent"),
        (("II", "V5"), "q-waves-anterior", "absent"),
    ],
)
def test_q_waves_are_told_by_region(leads: tuple[str, ...], code: str, expected: str) -> None:
    assert state(read(ecg(waves=dict.fromkeys(leads, Q35))), code) == expected


def test_posterior_q_waves_are_never_absent_where_v7_to_v9_are_not_recorded() -> None:
    assert why(read(ecg()), "q-waves-posterior") is Why.MISSING
    made = ecg(extra=("V7", "V8", "V9"), waves=dict.fromkeys(("V7", "V8"), Q35))
    assert state(read(made), "q-waves-posterior") == "present"


@pytest.mark.parametrize(
    ("wave", "expected"),
    [
        ({"r_mv": 0.8, "s_mv": -0.8, "r_ms": 40.0, "t_mv": 0.3}, "present"),
        ({"r_mv": 0.7, "s_mv": -0.8, "r_ms": 45.0, "t_mv": 0.3}, "absent"),
        ({"r_mv": 0.8, "s_mv": -0.8, "r_ms": 39.0, "t_mv": 0.3}, "absent"),
        ({"r_mv": 0.8, "s_mv": -0.8, "r_ms": 45.0, "t_mv": -0.3}, "absent"),
        ({"r_mv": 0.8, "s_mv": -0.8, "r_ms": 45.0, "t_mv": None}, "not_assessed"),
    ],
)
def test_broad_r_in_v2_is_a_q_equivalent(wave: dict[str, Any], expected: str) -> None:
    """R at least 40 ms, R/S at least 1, T upright."""
    assert state(read(ecg(waves={"V2": wave})), "q-equivalent") == expected


def test_right_bundle_branch_block_makes_a_broad_r_by_itself() -> None:
    assert why(read(rbbb_ecg()), "q-equivalent") is Why.OUTSIDE_CONTRACT


@pytest.mark.parametrize(
    ("t_mv", "word"), [(-0.2, "(inverted)"), (-0.5, "(deep)"), (-1.2, "(giant)")]
)
def test_depth_of_an_inversion_is_told_in_words(t_mv: float, word: str) -> None:
    """AHA/ACCF/HRS 2009 part IV: deep from 0.5 mV, giant above 1.0 mV."""
    found = read(ecg(waves={key: {"t_mv": t_mv} for key in ("V5", "V6")}))
    assert word in (found.finding("t-inversion-lateral").reported or "")
    assert state(found, "t-inversion-lateral") == "present"
    assert state(found, "t-inversion-inferior") == "absent"


@pytest.mark.parametrize(
    ("i_s", "iii", "expected"),
    [
        (-0.15, {"q_mv": -0.15, "t_mv": -0.1}, "present"),
        (-0.14, {"q_mv": -0.15, "t_mv": -0.1}, "absent"),
        (-0.15, {"q_mv": -0.14, "t_mv": -0.1}, "absent"),
        (-0.15, {"q_mv": -0.15, "t_mv": 0.1}, "absent"),
        (-0.15, {"q_mv": -0.15, "t_mv": None}, "not_assessed"),
    ],
)
def test_s1q3t3_at_its_limits(i_s: float, iii: dict[str, Any], expected: str) -> None:
    waves = {"I": {"s_mv": i_s}, "III": iii}
    assert state(read(ecg(waves=waves)), "s1q3t3") == expected


def test_inferior_infarction_beside_s1q3t3_is_pointed_out() -> None:
    waves = {"I": {"s_mv": -0.3}, "III": Q35 | {"t_mv": -0.2}, "aVF": Q35}
    found = read(ecg(waves=waves)).finding("s1q3t3")
    assert "inferior-infarction-may-cause-it" in found.flags


def test_strain_of_the_right_ventricle_needs_v1_to_v3_and_no_block() -> None:
    down = {"t_mv": -0.2}
    waves = dict.fromkeys(("V1", "V2", "V3"), down) | {"III": down}
    found = read(ecg(waves=waves)).finding("right-ventricular-strain")
    assert (found.state.value, found.flags) == ("present", ("t-inverted-in-iii-too",))
    two = read(ecg(waves=dict.fromkeys(("V1", "V2"), down)))
    assert state(two, "right-ventricular-strain") == "absent"
    blocked = read(rbbb_ecg(waves={"V2": down, "V3": down}))
    assert why(blocked, "right-ventricular-strain") is Why.CONFLICTING


@pytest.mark.parametrize(
    ("lead", "mm_value", "years", "of", "code", "expected"),
    [
        ("V4R", 0.5, 60, "male", "v4r-elevation", "present"),
        ("V4R", 0.5, 25, "male", "v4r-elevation", "absent"),
        ("V4R", 1.0, 25, "male", "v4r-elevation", "present"),
        ("V4R", 0.5, 25, "female", "v4r-elevation", "present"),
        ("V4R", 0.7, 25, None, "v4r-elevation", "not_assessed"),
        ("V8", 0.5, 60, "male", "posterior-lead-elevation", "present"),
        ("V8", 0.5, 39, "male", "posterior-lead-elevation", "absent"),
        ("V8", 0.4, 60, "male", "posterior-lead-elevation", "absent"),
    ],
)
def test_single_right_and_posterior_leads_by_age_and_sex(
    lead: str, mm_value: float, years: int, of: str | None, code: str, expected: str
) -> None:
    """V3R-V4R from 0.5 mm, men under 30 from 1; V7-V9 from 0.5 mm, men under 40 from 1 (UDMI-4)."""
    extra = ("V4R", "V7", "V8", "V9")
    report = read(ecg({lead: mm_value}, extra=extra), years=years, of=of)
    assert state(report, code) == expected


def test_single_posterior_lead_that_was_not_recorded_is_never_below_its_limit() -> None:
    assert why(read(ecg()), "posterior-lead-elevation") is Why.MISSING
    assert why(read(ecg({"V7": 0.2}, extra=("V7",))), "posterior-lead-elevation") is Why.MISSING
    report = read(ecg({"V7": 1.2}, extra=("V7",)))
    assert state(report, "posterior-lead-elevation") == "present"
    assert report.headline.startswith("ST elevation in a posterior lead (V7)")


@pytest.mark.parametrize(
    ("waves", "st", "expected"),
    [
        pytest.param({}, {"V3": 1.5, "V2": 1.5}, None, id="applied"),
        pytest.param({}, {}, "the question is not asked", id="no ST elevation"),
        pytest.param({}, {"V3": 1.5, "III": -0.5}, "inferior ST depression", id="inferior"),
        pytest.param({}, {"V3": 1.5, "V6": -0.5}, "anterior ST depression", id="anterior"),
        pytest.param({}, {"V3": 5.2}, "above 5 mm", id="obvious"),
        pytest.param({"V5": {"t_mv": -0.2}}, {"V3": 1.5}, "T inversion", id="T inversion"),
        pytest.param(
            {"V3": {"q_mv": -0.2, "q_ms": 30.0}}, {"V3": 1.5}, "pathological Q", id="Q wave"
        ),
        pytest.param(
            {"V3": {"s_mv": 0.0}}, {"V3": 2.0, "V2": 1.0}, "QRS distortion", id="distortion"
        ),
        pytest.param({"V5": {"r_mv": 3.0}}, {"V3": 1.5}, "hypertrophy", id="hypertrophy"),
    ],
)  # fmt: skip
def test_formulas_are_refused_where_their_study_did_not_apply_them(
    waves: dict[str, dict[str, Any]], st: dict[str, float], expected: str | None
) -> None:
    report = read(ecg(st, waves=waves, slope=0.8))
    for code in ("subtle-occlusion-4", "subtle-occlusion-3"):
        reason = report.finding(code).not_assessed
        if expected is None:
            assert reason is None, reason
        else:
            assert reason is not None
            assert reason.why is Why.OUTSIDE_CONTRACT
            assert expected in reason.detail


def test_wide_qrs_and_a_missing_qt_leave_the_formulas_open() -> None:
    wide = read(rbbb_ecg({"V3": 1.5}))
    assert why(wide, "subtle-occlusion-4") is Why.OUTSIDE_CONTRACT
    made = ecg({"V3": 1.5}, slope=0.8, qt_ms=None, qtcb_ms=None, not_measured={"qt_ms": "no T"})
    assert why(read(made), "subtle-occlusion-4") is Why.QUALITY


def test_value_of_the_formulas_by_hand() -> None:
    """V3 ST at J 1.5 mm, slope 0.8 mV/s: at J+60 ms 1.5 + 0.48 = 1.98 mm; QTc 420.6 ms; R V4 12 mm;
    QRS V2 4 + 12 = 16 mm.

    Four variables: 1.062 x 1.98 + 0.052 x 420.6 - 0.268 x 12 - 0.151 x 16
                  = 2.103 + 21.871 - 3.216 - 2.416 = 18.342 >= 18.2.
    Three variables: 1.196 x 1.98 + 0.059 x 420.6 - 0.326 x 12 = 2.368 + 24.815 - 3.912 = 23.271,
    which is not above 23.4.
    """
    report = read(ecg({"V2": 1.5, "V3": 1.5}, slope=0.8))
    four, three = report.finding("subtle-occlusion-4"), report.finding("subtle-occlusion-3")
    assert (four.state.value, three.state.value) == ("present", "absent")
    assert "value 18.34" in (four.reported or "")
    assert "value 23.27" in (three.reported or "")
    assert {"borderline"} <= set(four.flags) & set(three.flags)


def test_slow_rate_is_pointed_out_because_bazett_lowers_the_value() -> None:
    report = read(ecg({"V2": 1.5, "V3": 1.5}, slope=0.8, heart_rate_per_min=52.0))
    assert "rate-below-60" in report.finding("subtle-occlusion-4").flags


def test_patterns_change_no_criterion_and_are_heard_in_ischaemia() -> None:
    """The criteria themselves are as before; a Wellens pattern is ischaemia beside them."""
    waves = {key: {"t_mv": -0.6, "r_mv": 0.4, "s_mv": -1.2} for key in ("V2", "V3")}
    report = read(ecg(waves=waves))
    assert state(report, "t-inversion") == "absent"  # R/S below 1: no UDMI criterion
    assert state(report, "t-inversion-anterior") == "present"
    assert state(report, "wellens") == "present"
    assert state(report, "ecg_new_ischaemia") == "present"
