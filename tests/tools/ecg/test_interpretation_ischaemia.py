"""ST depression, T inversion, posterior and multivessel patterns, Q waves, hypertrophy."""

from typing import Any

import pytest

from knowledge.finding import Why
from tests.tools.ecg.hand_made import ecg, rbbb_ecg, read, state

TALL_R = {"r_mv": 1.2, "s_mv": -0.4, "r_ms": 45.0, "t_mv": 0.4}


@pytest.mark.parametrize(
    ("leads", "mm_value", "slope", "expected"),
    [
        pytest.param(("V5", "V6"), -0.5, 0.0, "present", id="horizontal half a mm"),
        pytest.param(("II", "aVF"), -1.0, -0.8, "present", id="downsloping"),
        pytest.param(("V5", "V6"), -2.0, 1.5, "absent", id="upsloping"),
        pytest.param(("V5", "V6"), -0.4, 0.0, "absent", id="too small"),
        pytest.param(("V5",), -2.0, 0.0, "absent", id="one lead"),
        pytest.param(("V5", "II"), -2.0, 0.0, "absent", id="not contiguous"),
    ],
)
def test_st_depression_is_horizontal_half_a_mm_in_two_contiguous_leads(
    leads: tuple[str, ...], mm_value: float, slope: float, expected: str
) -> None:
    report = read(ecg(dict.fromkeys(leads, mm_value), slope=slope))
    assert state(report, "st-depression") == expected
    assert state(report, "ecg_new_ischaemia") == expected
    if expected == "present":
        assert "not-known-to-be-new" in report.finding("ecg_new_ischaemia").flags
        assert report.finding("ecg_heart_category").choice == "st_deviation"


def test_upsloping_depression_is_no_ischaemia_and_no_normal_ecg() -> None:
    report = read(ecg({"V5": -1.0, "V6": -0.8}, slope=1.5))
    assert state(report, "ecg_new_ischaemia") == "absent"
    assert report.finding("ecg_heart_category").choice == "nonspecific"
    assert "no horizontal or downsloping ST depression" in report.headline
    assert "upsloping ST depression at the J point" in report.headline


@pytest.mark.parametrize(
    ("t_mv", "r_mv", "expected"),
    [
        pytest.param(-0.15, 1.0, "present", id="deeper than 1 mm over a tall R"),
        pytest.param(-0.10, 1.0, "absent", id="1 mm exactly is not more than 1 mm"),
        pytest.param(-0.30, 0.1, "absent", id="small R"),
    ],
)
def test_t_inversion_counts_where_the_r_wave_is_prominent(
    t_mv: float, r_mv: float, expected: str
) -> None:
    wave = {"t_mv": t_mv, "r_mv": r_mv, "s_mv": -0.2}
    report = read(ecg(waves={"V5": wave, "V6": wave}))
    assert state(report, "t-inversion") == expected
    if expected == "present":
        assert report.finding("ecg_heart_category").choice == "nonspecific"
        assert state(report, "st_deviation") == "absent"


def test_t_wave_that_was_not_found_is_not_an_upright_one() -> None:
    wave = {"t_mv": None}
    report = read(ecg(waves={"V4": wave, "V5": wave, "V6": wave}))
    assert state(report, "t-inversion") == "not_assessed"
    assert state(report, "ecg_new_ischaemia") == "not_assessed"
    assert state(report, "ecg_heart_category") == "not_assessed"


def test_posterior_pattern_is_present_and_asks_for_confirmation() -> None:
    report = read(ecg(dict.fromkeys(("V1", "V2", "V3"), -1.0), waves={"V2": TALL_R}))
    found = report.finding("omi_equivalent")
    assert found.state.value == "present"
    assert "confirm-v7-v9" in found.flags
    assert any("V7-V9" in text for text in report.advice)
    assert "Pattern equivalent" in report.headline


def test_depression_without_a_tall_r_leaves_posterior_infarction_open() -> None:
    report = read(ecg(dict.fromkeys(("V1", "V2", "V3"), -1.0)))
    for code in ("posterior-pattern", "omi_equivalent"):
        found = report.finding(code)
        assert found.not_assessed is not None, code
        assert found.not_assessed.why is Why.MISSING
    assert state(report, "st-depression") == "present"
    assert any("V7-V9" in text for text in report.advice)
    assert "posterior infarction not excluded" in report.headline


@pytest.mark.parametrize(("mm_value", "expected"), [(0.6, "present"), (0.0, "absent")])
def test_recorded_posterior_leads_settle_the_question(mm_value: float, expected: str) -> None:
    st = dict.fromkeys(("V1", "V2", "V3"), -1.0) | {"V7": mm_value, "V8": mm_value}
    waves = dict.fromkeys(("V2", "V3", "V4"), TALL_R)
    report = read(ecg(st, extra=("V7", "V8", "V9"), waves=waves))
    assert state(report, "omi_equivalent") == expected


def test_right_bundle_branch_block_explains_depression_only_under_an_inverted_t() -> None:
    down = dict.fromkeys(("V1", "V2"), -1.0)
    inverted = {"r_mv": 0.8, "s_mv": 0.0, "t_mv": -0.3}
    expected = read(rbbb_ecg(down, waves={"V2": inverted}))
    assert state(expected, "st-depression") == "present"
    assert "secondary-to-rbbb" in expected.finding("st-depression").flags
    assert state(expected, "ecg_new_ischaemia") == "not_assessed"
    down = dict.fromkeys(("V2", "V3"), -1.0)
    upright = read(rbbb_ecg(down))
    assert state(upright, "ecg_new_ischaemia") == "present"
    assert state(upright, "omi_equivalent") == "not_assessed"


def test_strain_of_hypertrophy_is_neither_ischaemia_nor_none() -> None:
    wave = {"r_mv": 2.8, "s_mv": -0.1, "t_mv": -0.3}
    waves = {"V1": {"s_mv": -1.5}, "V5": wave, "V6": wave}
    report = read(ecg({"V5": -1.0, "V6": -1.0}, waves=waves))
    assert state(report, "lvh") == "present"
    assert state(report, "st-depression") == "present"
    assert state(report, "st_deviation") == "present"
    found = report.finding("ecg_new_ischaemia")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.CONFLICTING
    assert state(report, "ecg_heart_category") == "not_assessed"
    assert any("earlier ECG" in text for text in report.advice)


SIX = ("I", "II", "aVL", "V4", "V5", "V6")


@pytest.mark.parametrize(
    ("depressed", "avr", "expected"),
    [
        pytest.param(SIX, 1.0, "present", id="six leads and aVR"),
        pytest.param(SIX[:5], 1.0, "absent", id="five leads"),
        pytest.param(SIX, 0.5, "absent", id="aVR too low"),
    ],
)
def test_multivessel_pattern_needs_six_leads_and_avr_or_v1(
    depressed: tuple[str, ...], avr: float, expected: str
) -> None:
    report = read(ecg(dict.fromkeys(depressed, -1.0) | {"aVR": avr}))
    assert state(report, "multivessel_ischaemia_pattern") == expected


def test_multivessel_pattern_takes_v1_for_avr() -> None:
    report = read(ecg(dict.fromkeys(SIX, -1.0) | {"V1": 1.0}))
    assert state(report, "multivessel_ischaemia_pattern") == "present"
    assert "Widespread ST depression" in report.headline


# V1 S, V5 R, V3 S, aVL R in mm, sex: Sokolow-Lyon from 35, Cornell above 28 (men) and 20 (women)
VOLTAGES = [
    pytest.param({"V1": 15, "V5": 20}, "male", "present", id="Sokolow 35"),
    pytest.param({"V1": 14, "V5": 20}, "male", "absent", id="Sokolow 34"),
    pytest.param({"V3": 20, "aVL": 9}, "male", "present", id="Cornell 29 man"),
    pytest.param({"V3": 20, "aVL": 8}, "male", "absent", id="Cornell 28 man"),
    pytest.param({"V3": 15, "aVL": 6}, "female", "present", id="Cornell 21 woman"),
    pytest.param({"V3": 15, "aVL": 5}, "female", "absent", id="Cornell 20 woman"),
    pytest.param({"V3": 19, "aVL": 6}, None, "not_assessed", id="Cornell 25, sex unknown"),
    pytest.param({"aVL": 12}, "male", "present", id="R in aVL 12"),
]


@pytest.mark.parametrize(("mm_by_lead", "of", "expected"), VOLTAGES)
def test_hypertrophy_by_voltage(
    mm_by_lead: dict[str, float], of: str | None, expected: str
) -> None:
    waves = {
        lead: {"s_mv": -mm_value / 10} if lead in ("V1", "V3") else {"r_mv": mm_value / 10}
        for lead, mm_value in mm_by_lead.items()
    }
    assert state(read(ecg(waves=waves), of=of), "lvh") == expected


def test_qs_in_v1_counts_as_its_s_wave() -> None:
    waves = {"V1": {"r_mv": 0.0, "s_mv": 0.0, "q_mv": -1.6}, "V5": {"r_mv": 2.0}}
    assert state(read(ecg(waves=waves)), "lvh") == "present"


@pytest.mark.parametrize(
    ("waves", "expected"),
    [
        pytest.param({"II": {"q_mv": -0.2, "q_ms": 35.0}, "aVF": {"q_mv": -0.2, "q_ms": 35.0}},
                     "present", id="inferior 35 ms and 2 mm"),
        pytest.param({"II": {"q_mv": -0.2, "q_ms": 25.0}, "aVF": {"q_mv": -0.2, "q_ms": 25.0}},
                     "absent", id="25 ms"),
        pytest.param({"III": {"q_mv": -0.3, "q_ms": 50.0}}, "absent", id="III alone"),
        pytest.param({"V2": {"q_mv": -0.1, "q_ms": 20.0}, "V3": {"q_mv": -0.1, "q_ms": 20.0}},
                     "present", id="V2-V3 20 ms"),
        pytest.param({n: {"r_mv": 0.0, "s_mv": 0.0, "q_mv": -1.0} for n in ("V1", "V2")},
                     "present", id="QS"),
    ],
)  # fmt: skip
def test_pathological_q_waves(waves: dict[str, Any], expected: str) -> None:
    report = read(ecg(waves=waves))
    assert state(report, "pathological-q") == expected
    category = "nonspecific" if expected == "present" else "normal"
    assert report.finding("ecg_heart_category").choice == category


def test_low_voltage_needs_all_limb_or_all_chest_leads() -> None:
    low = {"r_mv": 0.3, "s_mv": -0.1, "q_mv": 0.0}
    limb = ("I", "II", "III", "aVR", "aVL", "aVF")
    assert state(read(ecg(waves=dict.fromkeys(limb, low))), "low-voltage") == "present"
    assert state(read(ecg(waves=dict.fromkeys(limb[:5], low))), "low-voltage") == "absent"
