"""A block is said first and makes no normal ECG; what is no heartbeat has no rate; flutter waves.

Definitions: ACC/AHA/HRS 2018, 10.1161/CIR.0000000000000628 (dissociated P and QRS have no PR).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from tests.data_folder import shared_data
from tests.tools.ecg.arrhythmia.rhythm_strip import INDEPENDENT, even, recording_of, sinus, strip
from tests.tools.ecg.arrhythmia.test_drawn_rhythms import (
    report,
    third_degree,
    two_to_one,
    wenckebach,
)
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import state
from tools.ecg.model import LEADS_12, EcgRecording

RATE = 500.0
TIMES = np.arange(5000) / RATE
RATES = ("tachycardia", "bradycardia", "marked-bradycardia", "sinus-rhythm", "atrial-flutter",
         "ectopy", "premature-ventricular", "low-voltage", "wide-complex-tachycardia")  # fmt: skip


def noise(name: str) -> EcgRecording:
    """Return ten seconds without a QRS.

    Asystole: 10 uV of white noise. Disconnected: 0.3 mV of it. Fibrillation: noise of 3 to 7 Hz,
    of its own in each lead (`fine`) or one in all (`coarse`). Wave: a sine of 5 Hz.
    """
    b, a = butter(2, (3, 7), "band", fs=RATE)
    white = [np.random.default_rng(k).normal(0, 1, 5000) for k in range(9)]
    made: Mapping[str, Sequence[np.ndarray]] = {
        "asystole": [0.01 * w for w in white],
        "disconnected": [0.3 * w for w in white],
        "fine": [1.2 * filtfilt(b, a, w) for w in white],
        "coarse": [filtfilt(b, a, white[8]) * (0.5 + 0.2 * k) for k in range(8)],
        "wave": [(0.5 + 0.05 * k) * np.sin(2 * np.pi * 5 * TIMES) for k in range(8)],
    }
    return recording_of(dict(zip(INDEPENDENT, made[name], strict=False)), rate_hz=RATE)


@pytest.mark.parametrize("name", ["asystole", "disconnected", "fine", "coarse", "wave"])
def test_no_statement_on_what_is_no_heartbeat(name: str) -> None:
    found = report(noise(name))
    assert found.headline.startswith("No QRS was reliably found (asystole")
    assert "look at the patient" in found.headline
    assert {state(found, code) for code in RATES} == {"not_assessed"}
    assert state(found, "ecg_heart_category") == "not_assessed"


def test_flat_recording_is_no_asystole_in_silence() -> None:
    flat = {name: np.zeros(5000) for name in INDEPENDENT}
    assert report(recording_of(flat, rate_hz=RATE)).headline.startswith("No QRS was reliably found")


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_impossible_gain_leaves_voltage_open_and_rhythm_as_it_is(gain: float) -> None:
    drawn = sinus()
    found = report(replace(drawn, signal_mv=drawn.signal_mv * gain))
    voltage = ("lvh", "rvh", "low-voltage", "low-voltage-limb", "low-voltage-chest",
               "right-atrial-enlargement", "left-atrial-enlargement", "stemi_criteria")  # fmt: skip
    assert {state(found, code) for code in voltage} == {"not_assessed"}
    assert state(found, "tachycardia") == "absent"


def test_third_degree_block_has_no_pr_and_comes_first() -> None:
    found = report(third_degree())
    assert found.headline.startswith("Third-degree atrioventricular block suspected; no ST-elev")
    assert state(found, "prolonged-pr") == state(found, "short-pr") == "not_assessed"
    pr = next(m for m in found.measurements if m.concept.codings[0].code == "pr")
    assert pr.not_assessed is not None
    assert "independent" in pr.not_assessed.detail
    assert found.finding("ecg_heart_category").choice == "nonspecific"


def test_two_to_one_block_is_no_normal_ecg() -> None:
    found = report(two_to_one())
    assert found.headline.startswith("2:1 atrioventricular block; ")
    assert found.finding("ecg_heart_category").choice == "nonspecific"


def test_wenckebach_without_one_pr_is_not_called_fibrillation() -> None:
    """P every 0.8 s, PR 180, 240, 300 ms, then none: the median beat has no P wave."""
    p = even(0.8, 9.8, 0.3)
    pr = (0.18, 0.24, 0.30, None)
    beats = [at + gap for k, at in enumerate(p) if (gap := pr[k % 4]) is not None]
    found = report(strip(p_at=p, qrs_at=beats))
    for each in (found, report(wenckebach())):
        assert each.headline.startswith("Second-degree atrioventricular block, type 1; ")
        assert "fibrillation" not in each.headline
        assert state(each, "atrial-fibrillation") != "present"


def flutter(rate: float = 150.0) -> EcgRecording:
    """QRS at 150/min over a sawtooth of 300/min (5 Hz) in the inferior leads, T waves on it."""
    return strip(qrs_at=even(60 / rate, 9.8, 0.4), flutter_hz=rate / 30)


def test_st_in_possible_flutter_carries_the_caution() -> None:
    found = report(flutter())
    assert state(found, "atrial-flutter") in {"not_assessed", "present"}
    assert state(found, "pre-excitation") != "present"
    for code in ("multivessel_ischaemia_pattern", "st-depression", "stemi_criteria"):
        if state(found, code) == "present":
            assert "flutter-waves" in found.finding(code).flags
    assert "flutter" in found.headline or "ST" not in found.headline.split(";")[0]


def swapped(recording: EcgRecording) -> EcgRecording:
    """Return the recording with the arm electrodes exchanged: I turns over, II and III, aVR and
    aVL change places."""
    at = {name: recording.signal_mv[:, recording.leads.index(name)] for name in LEADS_12}
    new = at | {"I": -at["I"], "II": at["III"], "III": at["II"], "aVR": at["aVL"],
                "aVL": at["aVR"]}  # fmt: skip
    return replace(recording, leads=LEADS_12, signal_mv=np.stack([new[n] for n in LEADS_12], 1))


@pytest.mark.parametrize("name", ["A0002", "A0020", "A0029", "A0030", "A0037", "A0038"])
def test_exchanged_arms_of_real_normal_records_are_suspected(name: str) -> None:
    """CPSC 2018 records labelled normal; three have a steep axis, where aVR stays negative."""
    recording = read_path(shared_data("ecg-cpsc2018") / "records" / f"{name}.hea")
    assert state(report(swapped(recording)), "limb-lead-reversal") == "present"
    own = report(recording).finding("limb-lead-reversal")
    assert own.state.value == "absent"
    assert "upright P in I" in (own.reported or "")


@pytest.mark.parametrize(("millivolt", "samples"), [(0.5, 1), (1.0, 1), (2.0, 2), (5.0, 1)])
def test_spikes_behind_the_onset_found_are_pacing(millivolt: float, samples: int) -> None:
    """Spikes 78 ms before the top of a QRS of raised cosines 160 ms wide, at every beat."""
    size = dict(zip(INDEPENDENT, (0.9, -0.8, -1.2, -2.0, -1.9, -1.4, -0.6, -0.3), strict=True))
    leads: dict[str, np.ndarray] = {}
    for name, height in size.items():
        signal = np.random.default_rng(len(leads)).normal(0, 0.004, 5000)
        for at in np.arange(0.5, 9.9, 0.8):
            inside = np.abs(TIMES - at) < 0.08
            signal += height * np.where(inside, np.cos(np.pi * (TIMES - at) / 0.16) ** 2, 0)
            signal -= 0.3 * height * np.exp(-(((TIMES - at - 0.28) / 0.06) ** 2))
            start = round((at - 0.078) * RATE)
            signal[start : start + samples] += millivolt * (0.4 if name == "I" else 1.0)
        leads[name] = signal
    found = report(recording_of(leads, rate_hz=RATE))
    assert state(found, "paced_rhythm") == "present"
    assert {state(found, c) for c in ("lvh", "pathological-q")} == {"not_assessed"}
    assert state(found, "lbbb") != "present"
    assert "no pacing spikes" not in found.headline
