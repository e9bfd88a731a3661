"""Rhythm and conduction on drawn signals, whole chain: present where drawn, absent where not.

Definitions: ACC/AHA/HRS 2018 (atrioventricular block), AHA/ACCF/HRS 2009 parts III and V.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.tools.ecg.arrhythmia.rhythm_strip import (
    NORMAL,
    P_SHAPE,
    T_SHAPE,
    even,
    resampled,
    sinus,
    strip,
)
from tests.tools.ecg.hand_made import age, sex, state
from tools.ecg.analysis import ecg_analysis
from tools.ecg.model import EcgRecording
from tools.ecg.report import EcgReport

Maker = Callable[[], EcgRecording]


def report(recording: EcgRecording) -> EcgReport:
    return ecg_analysis(recording, age_years=age(60), sex=sex("male"))


def wenckebach() -> EcgRecording:
    """P every 0.86 s (70/min); PR 180, 260, 340 ms, then a P wave without a QRS."""
    p = even(0.86, 20.0, 0.3)
    pr = (0.18, 0.26, 0.34, None)
    beats = [at + gap for k, at in enumerate(p) if (gap := pr[k % 4]) is not None]
    return strip(p_at=p, qrs_at=beats, seconds=20.0)


def mobitz() -> EcgRecording:
    """P every 0.86 s, PR always 180 ms, every fourth P wave without a QRS."""
    p = even(0.86, 20.0, 0.3)
    return strip(p_at=p, qrs_at=[at + 0.18 for k, at in enumerate(p) if k % 4 != 3], seconds=20.0)


def two_to_one() -> EcgRecording:
    """P every 0.75 s (80/min), every second one followed by a QRS after 180 ms."""
    p = even(0.75, 12.0, 0.3)
    return strip(p_at=p, qrs_at=[at + 0.18 for at in p[::2]], seconds=12.0)


def third_degree() -> EcgRecording:
    """P every 0.70 s (86/min), QRS every 1.43 s (42/min), neither heeding the other."""
    return strip(p_at=even(0.70, 20.0, 0.2), qrs_at=even(1.43, 20.0, 0.55), seconds=20.0)


def blocked_premature_p() -> EcgRecording:
    """Sinus rhythm of 70/min; every fifth P wave comes 300 ms early and is not conducted."""
    p = even(0.86, 20.0, 0.3)
    early = [at - 0.30 if k % 5 == 4 else at for k, at in enumerate(p)]
    beats = [at + 0.16 for k, at in enumerate(p) if k % 5 != 4]
    return strip(p_at=early, qrs_at=beats, seconds=20.0)


def u_waves() -> EcgRecording:
    """Sinus rhythm of 45/min with a U wave midway between two P waves: half as tall, broader."""
    beats = even(60 / 45)
    middle = 60 / 90 - 0.16 + 0.05  # from QRS onset to the middle between two P waves
    t = {
        name: [*waves, (middle, 0.05, 0.5 * P_SHAPE[name][0][2])] for name, waves in T_SHAPE.items()
    }
    return strip(p_at=[at - 0.16 for at in beats], qrs_at=beats, t=t)


def with_beats(*, ventricular: tuple[int, ...] = (), early: tuple[int, ...] = ()) -> EcgRecording:
    """Sinus rhythm of 75/min; beats at these places wide and early, or early and as usual.

    A ventricular beat comes at 55 % of the interval and is followed by a compensatory pause; an
    early beat at 65 % brings its P wave along.
    """
    step, seconds = 0.8, 16.0
    normal, wide, p = [], [], []
    for k, at in enumerate(even(step, seconds)):
        if k in ventricular:
            wide.append(at - 0.45 * step)
        elif k in early:
            normal.append(at - 0.35 * step)
            p.append(at - 0.35 * step - 0.16)
        else:
            normal.append(at)
            p.append(at - 0.16)
    return strip(p_at=p, qrs_at=normal, ventricular_at=wide, seconds=seconds)


def flutter(waves: tuple[int, ...]) -> EcgRecording:
    """Flutter waves of 300/min; a QRS after so many waves in turn."""
    at, beats = 0.5, []
    while at < 11.5:
        beats.append(at)
        at += 0.2 * waves[len(beats) % len(waves)]
    low = {name: [(0.27, 0.040, 0.06)] for name in T_SHAPE}
    return strip(qrs_at=beats, t=low, flutter_hz=5.0, seconds=12.0)


def paced(*, atria: bool, ventricles: bool) -> EcgRecording:
    """70/min; a spike 40 ms before each P wave, and one just before each wide QRS."""
    beats = even(0.857, 10.0, 0.6)
    spikes = [at - 0.20 for at in beats] * atria + [at - 0.03 for at in beats] * ventricles
    return strip(
        p_at=[at - 0.16 for at in beats],
        qrs_at=[] if ventricles else beats,
        ventricular_at=beats if ventricles else [],
        spikes_at=spikes,
    )


LEFT_ANTERIOR = {
    **NORMAL,
    "I": [(0.018, 0.005, -0.12), (0.055, 0.010, 0.6)],
    "II": [(0.018, 0.005, 0.15), (0.055, 0.010, -0.7)],
}
LEFT_POSTERIOR = {
    **NORMAL,
    "I": [(0.018, 0.005, 0.15), (0.050, 0.010, -0.6)],
    "II": [(0.018, 0.005, -0.10), (0.050, 0.010, 0.6)],
}
RIGHT_BUNDLE = {
    **NORMAL,
    "I": [(0.018, 0.005, -0.12), (0.050, 0.010, 0.8), (0.110, 0.015, -0.3)],
    "II": [(0.018, 0.005, 0.15), (0.050, 0.010, -1.0), (0.110, 0.015, -0.1)],
    "V1": [(0.025, 0.007, 0.2), (0.050, 0.008, -0.4), (0.105, 0.013, 0.8)],
    "V6": [(0.042, 0.010, 0.9), (0.110, 0.015, -0.4)],
}
RIGHT_VENTRICLE = {
    **NORMAL,
    "I": [(0.030, 0.008, 0.2), (0.055, 0.010, -0.8)],
    "II": [(0.045, 0.010, 0.7)],
    "V1": [(0.045, 0.011, 1.1), (0.070, 0.007, -0.1)],
    "V5": [(0.035, 0.009, 0.8), (0.060, 0.010, -1.3)],
    "V6": [(0.035, 0.009, 0.5), (0.060, 0.010, -0.7)],
}
LEFT_ATRIUM = {**P_SHAPE, "V1": [(0.035, 0.012, 0.06), (0.085, 0.018, -0.18)]}
RIGHT_ATRIUM = {name: [(0.05, 0.018, 2.2 * w[0][2])] for name, w in P_SHAPE.items()}
LOW_LIMB = {**NORMAL, "I": [(0.040, 0.010, 0.15)], "II": [(0.040, 0.010, 0.45)]}
LOW_CHEST = {
    name: waves if name in ("I", "II") else [(c, w, 0.45 * mv) for c, w, mv in waves]
    for name, waves in NORMAL.items()
}

PRESENT: list[tuple[str, Maker]] = [
    ("av-block-1", lambda: sinus(pr=0.26)),
    ("av-block-2-type-1", wenckebach),
    ("av-block-2-type-2", mobitz),
    ("av-block-2-to-1", two_to_one),
    ("av-block-3", third_degree),
    ("left-anterior-fascicular-block", lambda: sinus(qrs=LEFT_ANTERIOR)),
    ("left-posterior-fascicular-block", lambda: sinus(qrs=LEFT_POSTERIOR)),
    ("bifascicular-block", lambda: sinus(qrs=RIGHT_BUNDLE)),
    ("rbbb", lambda: sinus(qrs=RIGHT_BUNDLE)),
    ("pre-excitation", lambda: sinus(pr=0.15, delta=0.35)),
    ("atrial-pacing", lambda: paced(atria=True, ventricles=False)),
    ("dual-chamber-pacing", lambda: paced(atria=True, ventricles=True)),
    ("premature-atrial", lambda: with_beats(early=(5, 12))),
    ("premature-ventricular", lambda: with_beats(ventricular=(5,))),
    ("ventricular-bigeminy", lambda: with_beats(ventricular=(5, 7, 9, 11))),
    ("atrial-flutter", lambda: flutter((4, 3, 5, 4, 6, 3))),
    ("sinus-bradycardia", lambda: sinus(rate=48)),
    ("marked-bradycardia", lambda: sinus(rate=45)),
    ("sinus-tachycardia", lambda: sinus(rate=112)),
    ("slow-rhythm-without-p", lambda: sinus(rate=45, p_at=[])),
    ("narrow-tachycardia-without-p", lambda: sinus(rate=185, p_at=[])),
    ("rvh", lambda: sinus(qrs=RIGHT_VENTRICLE)),
    ("left-atrial-enlargement", lambda: sinus(p=LEFT_ATRIUM)),
    ("right-atrial-enlargement", lambda: sinus(p=RIGHT_ATRIUM)),
    ("low-voltage-limb", lambda: sinus(qrs=LOW_LIMB)),
    ("low-voltage-chest", lambda: sinus(qrs=LOW_CHEST)),
    ("pathological-intervals", lambda: sinus(pr=0.26)),
    ("wide-qrs", lambda: sinus(qrs=RIGHT_BUNDLE)),
]


def couplet() -> EcgRecording:
    """Two wide beats in a row, 0.45 s apart."""
    beats = [at for k, at in enumerate(even(0.8, 16.0)) if k not in (6, 7)]
    first = 0.5 + 6 * 0.8 - 0.35
    return strip(
        p_at=[at - 0.16 for at in beats],
        qrs_at=beats,
        ventricular_at=[first, first + 0.45],
        seconds=16.0,
    )


def run() -> EcgRecording:
    """Four wide beats in a row, 0.4 s apart."""
    beats = [at for k, at in enumerate(even(0.8, 16.0)) if k not in (6, 7, 8)]
    first = 0.5 + 6 * 0.8 - 0.35
    return strip(
        p_at=[at - 0.16 for at in beats],
        qrs_at=beats,
        ventricular_at=[first + 0.4 * k for k in range(4)],
        seconds=16.0,
    )


PRESENT += [("ventricular-couplet", couplet), ("ventricular-run", run)]

ABSENT: list[tuple[str, Maker]] = [
    *((code, sinus) for code in dict(PRESENT) if code != "atrial-flutter"),
    ("atrial-flutter", lambda: with_beats(early=(5, 12))),
    ("av-block-2-type-1", mobitz),
    ("av-block-2-type-2", wenckebach),
    ("av-block-2-type-2", blocked_premature_p),
    ("av-block-2-to-1", mobitz),
    ("av-block-2-to-1", u_waves),
    ("av-block-3", lambda: sinus(rate=45)),
    ("left-anterior-fascicular-block", lambda: sinus(qrs=LEFT_POSTERIOR)),
    ("left-posterior-fascicular-block", lambda: sinus(qrs=LEFT_ANTERIOR)),
    ("left-anterior-fascicular-block", lambda: sinus(qrs=RIGHT_BUNDLE)),  # QRS is wide
    ("bifascicular-block", lambda: sinus(qrs=LEFT_ANTERIOR)),
    ("pre-excitation", lambda: sinus(pr=0.12)),  # short PR at most
    ("dual-chamber-pacing", lambda: paced(atria=True, ventricles=False)),
    ("atrial-pacing", lambda: paced(atria=False, ventricles=True)),
    ("premature-ventricular", lambda: with_beats(early=(5, 12))),
    ("premature-atrial", lambda: with_beats(ventricular=(5,))),
    ("ventricular-bigeminy", lambda: with_beats(ventricular=(4, 9, 14))),
    ("ventricular-run", couplet),
    ("ventricular-couplet", run),
    ("marked-bradycardia", lambda: sinus(rate=54)),
    ("sinus-tachycardia", lambda: sinus(rate=185, p_at=[])),
    ("rvh", lambda: sinus(qrs=LEFT_POSTERIOR)),  # right axis alone
    ("low-voltage-chest", lambda: sinus(qrs=LOW_LIMB)),
    ("low-voltage-limb", lambda: sinus(qrs=LOW_CHEST)),
]


def _ids(rows: list[tuple[str, Maker]]) -> list[str]:
    return [f"{code}-{k}" for k, (code, _) in enumerate(rows)]


@pytest.mark.parametrize(("code", "make"), PRESENT, ids=_ids(PRESENT))
def test_what_is_drawn_is_told(code: str, make: Maker) -> None:
    assert state(report(make()), code) == "present"


@pytest.mark.parametrize(("code", "make"), ABSENT, ids=_ids(ABSENT))
def test_what_is_not_drawn_is_not_told(code: str, make: Maker) -> None:
    assert state(report(make()), code) == "absent"


GAIN_FREE = [
    (code, make)
    for code, make in PRESENT
    if not code.startswith(("low-voltage", "left-atrial", "right-atrial", "rvh"))
]


@pytest.mark.parametrize("factor", [0.7, 1.4])
@pytest.mark.parametrize(("code", "make"), GAIN_FREE, ids=_ids(GAIN_FREE))
def test_the_gain_does_not_turn_what_is_no_voltage(code: str, make: Maker, factor: float) -> None:
    made = make()
    louder = replace(made, signal_mv=made.signal_mv * factor)
    assert state(report(louder), code) in ("present", "not_assessed")


@pytest.mark.parametrize("rate_hz", [250, 500])
@pytest.mark.parametrize(("code", "make"), PRESENT, ids=_ids(PRESENT))
def test_the_sampling_rate_does_not_turn_a_statement(code: str, make: Maker, rate_hz: int) -> None:
    """Spikes of 2 ms may be lost at 250 Hz: pacing is then not assessed, never absent."""
    assert state(report(resampled(make(), rate_hz)), code) in ("present", "not_assessed")


@pytest.mark.parametrize(("code", "make"), PRESENT, ids=_ids(PRESENT))
def test_noise_does_not_turn_a_statement(code: str, make: Maker) -> None:
    made = make()
    noise = np.random.default_rng(3).normal(0, 0.012, made.signal_mv.shape)
    noisy = replace(made, signal_mv=made.signal_mv + noise)
    assert state(report(noisy), code) in ("present", "not_assessed")


def test_counts_of_premature_beats_are_those_drawn() -> None:
    found = report(with_beats(ventricular=(4, 9, 14), early=(6,)))
    assert (found.finding("premature-ventricular").reported or "").startswith("3 of ")
    assert (found.finding("premature-atrial").reported or "").startswith("1 of ")


def test_fixed_four_to_one_flutter_is_not_told_from_other_waves() -> None:
    assert state(report(flutter((4,))), "atrial-flutter") != "absent"


def test_two_to_one_flutter_is_not_assessed() -> None:
    assert state(report(flutter((2,))), "atrial-flutter") == "not_assessed"


def test_the_headline_tells_a_high_degree_block_and_its_advice() -> None:
    found = report(third_degree())
    assert found.headline.startswith("Third-degree atrioventricular block suspected")
    assert any("monitor" in text for text in found.advice)
