"""An ECG with a lost lead, exchanged leads or a stretch without a beat is no quiet ECG.

The base case ends low; its ECG is spoilt by hand. A STEMI of V1 to V4 may show least where a lead
is lost, and exchanged leads are read by the limits of others (UDMI-4, 10.1161/CIR.0000000000000617:
the limits of V2 and V3 differ from those of all other leads): no rule may take it for normal.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from agent.assessment import Assessment
from knowledge.low_risk import block_table
from knowledge.pathways import Urgency, pathway
from tests.agent.cases import assessed, change_case, low_risk_case, risk
from tests.agent.test_never_low import is_low

Samples = NDArray[np.int16]
V1, V2, V6 = 6, 7, 11


def lost(*leads: int) -> Callable[[Samples], None]:
    def change(signal: Samples) -> None:
        signal[:, list(leads)] = 0

    return change


def exchanged(signal: Samples) -> None:
    signal[:, [V1, V6]] = signal[:, [V6, V1]]


def cut(signal: Samples) -> None:
    signal[len(signal) // 2 :] = 0


def spoilt(case: Path, change: Callable[[Samples], None]) -> Assessment:
    """Return the assessment of the case with its ECG changed."""
    data = dcmread(case / "ecg.dcm")
    wave = data.WaveformSequence[0]
    signal = np.frombuffer(wave.WaveformData, "<i2").reshape(-1, 12).copy()
    change(signal)
    wave.WaveformData = signal.tobytes()
    data.save_as(case / "ecg.dcm")
    return assessed(case)


def said(found: Assessment, name: str) -> str:
    return next((r.text for r in found.recommendations if r.id == name), "")


SPOILT = [
    pytest.param(lost(V2), "V2", id="V2 lost"),
    pytest.param(exchanged, "V1 and V6", id="V1 and V6 exchanged"),
    pytest.param(cut, "no QRS for", id="second half flat"),
]


@pytest.mark.parametrize(("change", "reason"), SPOILT)
def test_no_rule_is_low_on_a_doubtful_ecg(
    tmp_path: Path, change: Callable[[Samples], None], reason: str
) -> None:
    found = spoilt(low_risk_case(tmp_path), change)
    assert not is_low(found)
    assert {risk(found, tool).category for tool in ("heart_pathway", "edacs_adp")}.isdisjoint(
        {"low"}
    )
    assert risk(found, "grace_in_hospital").value is None
    assert risk(found, "grace_in_hospital").range is not None
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert "recorded again" in found.narrative.headline
    assert reason in said(found, "ecg_again")
    assert bool(said(found, "ecg_no_qrs")) is (change is cut)


def test_signal_that_cannot_be_read_has_its_time_all_the_same(tmp_path: Path) -> None:
    found = spoilt(low_risk_case(tmp_path), lost(*range(12)))
    words = " ".join(s.text for s in found.narrative.sentences)
    assert "time of the ECG is not established" not in words
    assert "ECG: " in words
    assert said(found, "ecg_again")


def test_only_what_is_open_is_named_as_open(tmp_path: Path) -> None:
    """Known coronary disease, dialysis and the ECG are answered; pain now is not."""
    case = low_risk_case(tmp_path)
    change_case(case, "  pain_ongoing: no\n", "")
    found = assessed(case)
    named = found.narrative.headline.partition("Still open before discharge can be considered: ")[2]
    assert named == "freedom from pain."


def test_discharge_asks_for_every_block_of_the_low_conclusion() -> None:
    assert set(block_table().blocks) <= set(pathway("chest_pain").discharge)
