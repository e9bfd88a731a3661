"""Rhythm and intervals; limits of the AHA/ACCF/HRS recommendations of 2009."""

from typing import Any

import pytest

from knowledge.finding import Why
from tests.tools.ecg.hand_made import ecg, lbbb_ecg, read, state
from tools.ecg.model import Problem


@pytest.mark.parametrize(
    ("changes", "fibrillation", "sinus", "irregular"),
    [
        pytest.param({}, "absent", "present", "absent", id="regular with P"),
        pytest.param({"rr_irregularity": 0.25, "p_wave_share": 0.1, "pr_ms": None},
                     "present", "not_assessed", "absent", id="irregular without P"),
        pytest.param({"rr_irregularity": 0.25, "p_wave_share": 0.9},
                     "not_assessed", "not_assessed", "present", id="irregular with P"),
        pytest.param({"rr_irregularity": 0.25, "p_wave_share": None},
                     "not_assessed", "not_assessed", "present", id="irregular, P unknown"),
        pytest.param({"p_wave_share": 0.1, "pr_ms": None}, "absent", "absent", "absent",
                     id="regular without P"),
        pytest.param({"rr_irregularity": None}, "not_assessed", "not_assessed", "not_assessed",
                     id="irregularity unknown"),
    ],
)  # fmt: skip
def test_fibrillation_needs_irregularity_and_absent_p_waves(
    changes: dict[str, Any], fibrillation: str, sinus: str, irregular: str
) -> None:
    report = read(ecg(**changes))
    assert state(report, "atrial-fibrillation") == fibrillation
    assert state(report, "irregular-unclassified") == irregular
    assert (state(report, "sinus-rhythm") == "present") == (sinus == "present")


def test_ectopy_is_counted_in_a_regular_rhythm_and_not_in_fibrillation() -> None:
    early = read(ecg(ectopic_beats=2))
    assert state(early, "ectopy") == "present"
    assert early.rhythm == "sinus rhythm with ectopic beats, 70/min"
    mixed = read(ecg(ectopic_beats=2, rr_irregularity=0.3, p_wave_share=0.0, pr_ms=None))
    assert state(mixed, "ectopy") == "not_assessed"
    assert mixed.rhythm == "atrial fibrillation, 70/min"


def test_p_wave_upside_down_in_ii_is_not_sinus_rhythm() -> None:
    report = read(ecg(waves={"II": {"p_mv": -0.1}}))
    assert state(report, "sinus-rhythm") == "absent"
    assert report.rhythm == "regular rhythm, not classified, 70/min"


@pytest.mark.parametrize(
    ("rate", "name", "flags"),
    [
        pytest.param(45.0, "sinus bradycardia, 45/min", (), id="slow"),
        pytest.param(60.0, "sinus rhythm, 60/min", (), id="60 is not slow"),
        pytest.param(100.0, "sinus rhythm, 100/min", (), id="100 is not fast"),
        pytest.param(110.0, "sinus tachycardia, 110/min", (), id="fast"),
        pytest.param(150.0, "sinus tachycardia (2:1 flutter not excluded), 150/min",
                     ("flutter-not-excluded",), id="flutter rate"),
    ],
)  # fmt: skip
def test_rate_words(rate: float, name: str, flags: tuple[str, ...]) -> None:
    report = read(ecg(heart_rate_per_min=rate))
    assert report.rhythm == name
    assert report.finding("sinus-rhythm").flags == flags


def test_fast_wide_rhythm_is_told_first() -> None:
    report = read(ecg(qrs_ms=140, heart_rate_per_min=160.0, p_wave_share=0.0, pr_ms=None))
    assert state(report, "wide-complex-tachycardia") == "present"
    assert report.headline.startswith("Fast rhythm with wide QRS")
    assert "ventricular tachycardia" in report.advice[0]


def test_rhythm_that_cannot_be_read_is_not_called_regular() -> None:
    few = Problem(code="too-few-beats", detail="2 beats", blocks=("rhythm",))
    report = read(ecg(problems=(few,)))
    for code in ("sinus-rhythm", "atrial-fibrillation", "ectopy", "bradycardia", "tachycardia"):
        found = report.finding(code)
        assert found.not_assessed is not None, code
        assert found.not_assessed.why is Why.QUALITY
    assert report.rhythm.startswith("rhythm not assessed")


@pytest.mark.parametrize(
    ("qtcf", "of", "expected"),
    [
        pytest.param(450.0, "male", "present", id="man 450"),
        pytest.param(449.0, "male", "absent", id="man 449"),
        pytest.param(459.0, "female", "absent", id="woman 459"),
        pytest.param(460.0, "female", "present", id="woman 460"),
        pytest.param(455.0, None, "not_assessed", id="455, sex unknown"),
        pytest.param(470.0, None, "present", id="470, sex unknown"),
        pytest.param(400.0, None, "absent", id="400, sex unknown"),
    ],
)
def test_prolonged_qtc_by_sex(qtcf: float, of: str | None, expected: str) -> None:
    assert state(read(ecg(qtcf_ms=qtcf), of=of), "prolonged-qtc") == expected


def test_qtc_near_a_limit_is_flagged_and_far_from_it_is_not() -> None:
    assert "borderline" in read(ecg(qtcf_ms=455.0)).finding("prolonged-qtc").flags
    assert "borderline" not in read(ecg(qtcf_ms=480.0)).finding("prolonged-qtc").flags


@pytest.mark.parametrize(
    ("qtcf", "code", "expected"),
    [
        (501.0, "qtc-above-500", "present"),
        (500.0, "qtc-above-500", "absent"),
        (360.0, "short-qtc", "present"),
        (370.0, "short-qtc", "absent"),
    ],
)
def test_very_long_and_short_qtc(qtcf: float, code: str, expected: str) -> None:
    assert state(read(ecg(qtcf_ms=qtcf)), code) == expected


def test_qtc_long_only_by_a_wide_qrs_is_not_assessed() -> None:
    # QT 460, QRS 150: QT without the share of the QRS (Bogossian) is 460 - 0.485 * 150 = 387 ms
    report = read(lbbb_ecg(qt_ms=460.0, qtcf_ms=470.0))
    found = report.finding("prolonged-qtc")
    assert found.not_assessed is not None
    assert "wide-qrs" in found.flags
    assert "QTcF is 396 ms" in found.not_assessed.detail
    long = read(lbbb_ecg(qt_ms=560.0, qtcf_ms=572.0))
    assert state(long, "prolonged-qtc") == "present"


@pytest.mark.parametrize(
    ("pr", "long", "short"),
    [
        pytest.param(201.0, "present", "absent", id="201"),
        pytest.param(200.0, "absent", "absent", id="200"),
        pytest.param(119.0, "absent", "present", id="119"),
        pytest.param(120.0, "absent", "absent", id="120"),
        pytest.param(None, "not_assessed", "not_assessed", id="no P wave"),
    ],
)
def test_pr_limits(pr: float | None, long: str, short: str) -> None:
    report = read(ecg(pr_ms=pr, not_measured={} if pr else {"pr_ms": "no P wave"}))
    assert state(report, "prolonged-pr") == long
    assert state(report, "short-pr") == short


@pytest.mark.parametrize(
    ("degrees", "code"),
    [(-30.0, None), (90.0, None), (-31.0, "left-axis"), (91.0, "right-axis"),
     (180.0, "right-axis"), (-91.0, "extreme-axis"), (-179.0, "extreme-axis")],
)  # fmt: skip
def test_axis_words(degrees: float, code: str | None) -> None:
    report = read(ecg(axis_deg=degrees))
    present = [
        c for c in ("left-axis", "right-axis", "extreme-axis") if state(report, c) == "present"
    ]
    assert present == ([code] if code else [])


def test_axis_that_was_not_measured_is_not_normal() -> None:
    report = read(ecg(axis_deg=None, not_measured={"axis_deg": "net areas too small"}))
    assert state(report, "left-axis") == "not_assessed"
