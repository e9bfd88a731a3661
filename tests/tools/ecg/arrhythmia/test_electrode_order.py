"""Electrodes exchanged by formula on drawn and real recordings; the mirror image of the heart."""

from collections.abc import Callable, Mapping

import pytest

from tests.data_folder import shared_data
from tests.tools.ecg.arrhythmia.rhythm_strip import relabelled, sinus
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import age, sex, state
from tools.ecg.analysis import ecg_analysis
from tools.ecg.model import EcgRecording
from tools.ecg.report import EcgReport

# With the arm electrodes exchanged I turns over, II and III, aVR and aVL change places
# (Batchvarov 2007, 10.1093/europace/eum198).
ARMS = {
    "I": ("I", -1.0), "II": ("III", 1.0), "III": ("II", 1.0),
    "aVR": ("aVL", 1.0), "aVL": ("aVR", 1.0),
}  # fmt: skip
# Right arm and right leg exchanged: II between two legs is zero, I is -III, III stays,
# aVL is -III = I', aVR and aVF are half of III with their signs (Goldberger with II = 0).
RIGHT_LEG = {
    "I": ("III", -1.0), "II": ("II", 0.0), "III": ("III", 1.0),
    "aVR": ("III", 0.5), "aVL": ("III", -1.0), "aVF": ("III", 0.5),
}  # fmt: skip
# The heart mirrored left to right: limb leads as with exchanged arms, chest leads shrinking
# towards V6 as V1, V1R... would; drawn here with V1-V6 of a tenth to half their size reversed.
MIRRORED = ARMS | {
    "V1": ("V2", 1.0), "V2": ("V1", 0.9), "V3": ("V1", 0.7), "V4": ("V1", 0.5),
    "V5": ("V1", 0.35), "V6": ("V1", 0.25),
}  # fmt: skip


def report(recording: EcgRecording) -> EcgReport:
    return ecg_analysis(recording, age_years=age(60), sex=sex("male"))


def swapped(first: str, second: str) -> dict[str, tuple[str, float]]:
    return {first: (second, 1.0), second: (first, 1.0)}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(RIGHT_LEG, "leg-electrode-reversal", id="right arm and right leg"),
        pytest.param(ARMS, "limb-lead-reversal", id="arms"),
        pytest.param(MIRRORED, "dextrocardia", id="dextrocardia"),
        pytest.param(swapped("V1", "V3"), "chest-lead-order", id="V1 and V3"),
        pytest.param(swapped("V2", "V5"), "chest-lead-order", id="V2 and V5"),
    ],
)
def test_an_exchange_is_suspected_and_no_other(
    change: Mapping[str, tuple[str, float]], code: str
) -> None:
    found = report(relabelled(sinus(), change))
    assert state(found, code) == "present"
    others = {"leg-electrode-reversal", "limb-lead-reversal", "dextrocardia"} - {code}
    if code == "leg-electrode-reversal":  # its lead I may be upside down as with exchanged arms
        others -= {"limb-lead-reversal"}
    assert all(state(found, other) != "present" for other in others)


@pytest.mark.parametrize(
    "code", ["leg-electrode-reversal", "limb-lead-reversal", "dextrocardia", "chest-lead-order"]
)
def test_electrodes_in_place_are_left_alone(code: str) -> None:
    assert state(report(sinus()), code) == "absent"


def real() -> list[EcgRecording]:
    """Return the CPSC records labelled Normal."""
    folder = shared_data("ecg-cpsc2018") / "records"
    return [read_path(p) for p in sorted(folder.glob("*.hea")) if "Dx: Normal" in p.read_text()]


def test_exchanged_electrodes_of_real_normal_recordings(
    record_property: Callable[[str, object], None],
) -> None:
    """What was exchanged is known; V5 with V6 is not tried, it is seldom seen."""
    recordings = real()
    assert len(recordings) == 8
    changes = {
        "chest-lead-order": swapped("V2", "V4"),
        "leg-electrode-reversal": RIGHT_LEG,
        "limb-lead-reversal": ARMS,
    }
    for code, change in changes.items():
        states = [state(report(relabelled(r, change)), code) for r in recordings]
        untouched = [state(report(r), code) for r in recordings]
        record_property(code, f"{states.count('present')} of {len(states)}")
        assert untouched.count("present") == 0
        assert states.count("present") >= len(states) / 2
