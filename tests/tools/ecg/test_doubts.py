"""What is lost or misplaced is never normal: leads, electrodes, stretches without a beat.

Inputs are drawn by formula or real records of CPSC 2018. A pause is more than 3 s without a QRS
(ACC/AHA/HRS 2018, 10.1161/CIR.0000000000000628). Right arm and right leg exchanged: lead II lies
between the two legs and is zero, I becomes -III, III stays (Batchvarov 2007,
10.1093/europace/eum198).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import state
from tests.tools.ecg.patterns.drawn import USUAL, drawn, said
from tools.ecg.model import LEADS_12, EcgRecording

Values = NDArray[np.float64]
RATE = 500
ANTERIOR: Mapping[str, Mapping[str, float]] = {
    "V1": {"st": 0.2}, "V2": {"st": 0.35}, "V3": {"st": 0.4}, "V4": {"st": 0.3},
}  # fmt: skip
INFERIOR: Mapping[str, Mapping[str, float]] = {"II": {"st": 0.25}, "I": {"st": -0.05}}
RATES = ("tachycardia", "bradycardia", "sinus-rhythm", "wide-complex-tachycardia", "wide-qrs",
         "premature-ventricular", "atrial-fibrillation", "prolonged-qtc")  # fmt: skip
READ_BY_RULES = ("stemi_criteria", "omi_equivalent", "multivessel_ischaemia_pattern",
                 "st_deviation", "ecg_new_ischaemia")  # fmt: skip


def at(name: str) -> int:
    return LEADS_12.index(name)


def changed(recording: EcgRecording, signal: Values) -> EcgRecording:
    return replace(recording, signal_mv=signal)


def einthoven(one: Values, two: Values, chest: Values) -> Values:
    """Return (samples, 12) from I, II and V1 to V6."""
    limb = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
    return np.column_stack([*limb, chest])


def on_the_right_leg(recording: EcgRecording) -> EcgRecording:
    """Return the recording with right arm and right leg exchanged."""
    signal = recording.signal_mv
    one, noise = signal[:, at("I")] - signal[:, at("II")], np.zeros(len(signal))
    return changed(recording, einthoven(one, noise, signal[:, 6:]))


def with_beats(times: tuple[float, ...]) -> EcgRecording:
    """Return ten seconds with the drawn beat at these times, cut out of an even recording."""
    whole = drawn(noise_mv=0.0).signal_mv
    beat = whole[int(4.0 * RATE) : int(4.8 * RATE)]  # 4.5 s is a beat: 0.5 s before, 0.3 s after
    signal = np.random.default_rng(4).normal(0, 0.004, (5000, 8))
    columns = [at(name) for name in USUAL]
    for time in times:
        first = round((time - 0.2) * RATE)
        piece = beat[int(0.3 * RATE) :, columns]
        tail = whole[int(4.8 * RATE) : int(5.0 * RATE), columns]
        part = np.concatenate([piece, tail])[: len(signal) - first]
        signal[first : first + len(part)] += part
    return changed(drawn(), einthoven(signal[:, 0], signal[:, 1], signal[:, 2:]))


def test_formula_within_its_error_is_no_normal_ecg() -> None:
    """A0020, labelled normal: the four-variable formula gives 18.4, its limit is 18.2."""
    record = read_path(shared_data("ecg-cpsc2018") / "records" / "A0020.hea")
    report = said(record)
    assert "borderline" in report.finding("subtle-occlusion-4").flags
    assert report.finding("ecg_heart_category").choice == "nonspecific"
    assert state(report, "ecg_new_ischaemia") == "not_assessed"


@pytest.mark.parametrize("value", [np.nan, 0.0])
@pytest.mark.parametrize("lead", ["V1", "V2", "V6"])
def test_ecg_without_a_lead_is_not_called_normal(lead: str, value: float) -> None:
    signal = drawn(noise_mv=0.006).signal_mv.copy()
    signal[:, at(lead)] = value
    report = said(changed(drawn(), signal), of="female")
    category = report.finding("ecg_heart_category")
    assert category.choice is None
    assert category.not_assessed is not None
    assert lead in category.not_assessed.detail
    assert report.headline.startswith("ST-elevation criteria not assessed: ")
    assert lead in report.headline
    assert {state(report, code) for code in READ_BY_RULES} == {"not_assessed"}


def test_wellens_that_a_lost_lead_leaves_open_is_no_absent_ischaemia() -> None:
    """Wellens type A in V3 needs V2 beside it, and V2 is lost."""
    recording = drawn({"V3": {"t": 0.25, "t2": -0.35}}, noise_mv=0.006)
    signal = recording.signal_mv.copy()
    signal[:, at("V2")] = np.nan
    report = said(changed(recording, signal))
    assert state(report, "wellens") == "not_assessed"
    assert state(report, "ecg_new_ischaemia") == "not_assessed"


def test_limb_leads_of_a_leg_electrode_say_nothing() -> None:
    report = said(on_the_right_leg(drawn(INFERIOR, noise_mv=0.004)))
    assert state(report, "leg-electrode-reversal") == "present"
    silent = ("stemi_criteria", "st-elevation-inferior", "st-elevation-lateral", "pathological-q",
              "ecg_new_ischaemia", "ecg_heart_category")  # fmt: skip
    assert {state(report, code) for code in silent} == {"not_assessed"}
    assert "infarction are met" not in report.headline


def test_anterior_infarction_is_seen_with_a_leg_electrode_on_the_arm() -> None:
    report = said(on_the_right_leg(drawn(ANTERIOR, noise_mv=0.004)))
    assert state(report, "leg-electrode-reversal") == "present"
    assert state(report, "stemi_criteria") == "present"


def test_exchanged_chest_leads_are_no_normal_ecg() -> None:
    recording = drawn(noise_mv=0.006)
    signal = recording.signal_mv.copy()
    signal[:, [at("V1"), at("V3")]] = signal[:, [at("V3"), at("V1")]]
    report = said(changed(recording, signal))
    assert state(report, "chest-lead-order") == "present"
    assert state(report, "ecg_heart_category") == "not_assessed"
    assert {state(report, code) for code in READ_BY_RULES} == {"not_assessed"}


def test_clean_recording_has_every_answer_that_rules_read() -> None:
    report = said(drawn(noise_mv=0.006))
    assert {state(report, code) for code in READ_BY_RULES} == {"absent"}


def test_half_a_recording_without_a_beat_is_no_sinus_rhythm() -> None:
    """Beats to 4.5 s, then 5.5 s flat."""
    signal = drawn(noise_mv=0.006).signal_mv.copy()
    signal[2500:] = 0.0
    report = said(changed(drawn(), signal))
    assert report.headline.startswith("No QRS for 5.5 s of the recording (a pause, or a lost")
    assert {state(report, code) for code in ("sinus-rhythm", "bradycardia", "tachycardia")} == {
        "not_assessed"
    }
    assert state(report, "ecg_heart_category") == "not_assessed"
    assert {state(report, code) for code in READ_BY_RULES} == {"not_assessed"}


def test_infarction_before_the_electrodes_came_off_is_told() -> None:
    signal = drawn(ANTERIOR, noise_mv=0.006).signal_mv.copy()
    signal[2500:] = 0.0
    report = said(changed(drawn(), signal))
    assert state(report, "stemi_criteria") == "present"
    assert "ST-elevation criteria of infarction are met" in report.headline


@pytest.mark.parametrize(("resumed", "told"), [(6.9, True), (5.6, False)])
def test_pause_between_beats_comes_first(resumed: float, *, told: bool) -> None:
    """Beats to 2.9 s; the next at 6.9 s, 4.0 s later, or at 5.6 s, 2.7 s later."""
    times = (0.5, 1.3, 2.1, 2.9, *np.arange(resumed, 9.5, 0.8))
    report = said(with_beats(times))
    assert report.headline.startswith("No QRS for 4.0 s") is told
    assert report.finding("ecg_heart_category").choice != "normal" or not told
    assert state(report, "stemi_criteria") == "absent"  # the beats on both sides are whole


@pytest.mark.parametrize("value", [np.nan, 0.0])
@pytest.mark.parametrize("columns", [4, 2])
def test_strips_one_after_the_other_are_not_measured_together(columns: int, value: float) -> None:
    """Four strips of 2.5 s of three leads, or two of 5 s of six."""
    signal = drawn(noise_mv=0.006).signal_mv.copy()
    long, each = 5000 // columns, 12 // columns
    for k in range(columns):
        lost = np.ones(5000, dtype=bool)
        lost[k * long : (k + 1) * long] = False
        signal[lost, k * each : (k + 1) * each] = value
    report = said(changed(drawn(), signal))
    assert {state(report, code) for code in (*RATES, "stemi_criteria", "ecg_heart_category")} == {
        "not_assessed"
    }
    assert any(problem.code == "leads-not-simultaneous" for problem in report.quality)


def test_lead_lost_for_half_the_time_gives_no_level() -> None:
    recording = drawn(ANTERIOR, noise_mv=0.006)
    signal = recording.signal_mv.copy()
    signal[2500:, at("V2")] = 0.0
    report = said(changed(recording, signal))
    levels = [m for m in report.measurements if m.body_site == "V2"]
    assert len(levels) == 3
    assert {m.state.value for m in levels} == {"not_assessed"}
    assert state(report, "sinus-rhythm") == "present"


def test_one_live_lead_among_noise_has_no_rhythm() -> None:
    signal = np.random.default_rng(1).normal(0, 0.004, (5000, 12))
    signal[:, at("V2")] = drawn().signal_mv[:, at("V2")]
    report = said(changed(drawn(), signal))
    assert {state(report, code) for code in RATES} == {"not_assessed"}


def test_fast_wide_rhythm_is_sent_to_the_patient_without_a_word_on_electrodes() -> None:
    """Ventricular beats of 200 ms at 140 a minute, I down and V6 up, as with exchanged arms."""
    size = (-0.6, -0.9, 1.2, 1.3, 1.1, 0.5, 0.4, 0.3)
    times = np.arange(5000) / RATE
    near = times[:, None] - np.arange(0.3, 9.8, 60 / 140)[None]

    def bell(centre: float, width: float) -> Values:
        return np.asarray(np.exp(-(((near - centre) / width) ** 2)).sum(axis=1))

    wave = bell(0, 0.045) + 0.6 * bell(0.055, 0.04) - 0.45 * bell(0.2, 0.06)
    leads = wave[:, None] * np.array(size) + np.random.default_rng(5).normal(0, 0.006, (5000, 8))
    report = said(changed(drawn(), einthoven(leads[:, 0], leads[:, 1], leads[:, 2:])))
    assert "a fast wide rhythm" in report.headline
    assert "look at the patient" in report.headline
    assert state(report, "limb-lead-reversal") == "not_assessed"
