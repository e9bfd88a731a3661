"""Measuring drawn ECGs with known answers, and refusing or flagging what cannot be measured."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import ContractError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.gaussian_ecg import gaussian_ecg, recording_of
from tools.ecg.measure import measure
from tools.ecg.model import LEADS_12, EcgMeasurements, EcgRecording, LeadMeasurement


def _codes(m: EcgMeasurements) -> set[str]:
    return {p.code for p in m.problems}


def _lead(m: EcgMeasurements, name: str) -> LeadMeasurement:
    found = m.of(name)
    assert found is not None
    return found


def _with(recording: EcgRecording, lead: str, values: np.ndarray | float) -> EcgRecording:
    signal = recording.signal_mv.copy()
    signal[:, recording.leads.index(lead)] = values
    return replace(recording, signal_mv=signal)


# ---- normal


def test_drawn_rate_intervals_and_amplitudes_are_measured() -> None:
    m = measure(gaussian_ecg())
    assert m.heart_rate_per_min == pytest.approx(75, abs=0.1)
    assert m.beats_found == 12
    assert m.qrs_ms == pytest.approx(90, abs=20)
    assert m.pr_ms == pytest.approx(160 + 40 - 45, abs=20)  # P is drawn 40 ms to each side
    assert _lead(m, "V5").r_mv == pytest.approx(1.2, abs=0.03)
    assert _lead(m, "V2").q_mv == pytest.approx(-1.1, abs=0.03)  # QS: all depth in Q
    assert _lead(m, "II").t_mv == pytest.approx(0.3, abs=0.03)
    assert _lead(m, "II").p_mv == pytest.approx(0.15, abs=0.03)
    assert m.axis_deg == pytest.approx(np.degrees(np.arctan2(0.75 * 2 / 3**0.5, 0.7)), abs=3)
    assert m.p_wave_share == 1
    assert m.rr_irregularity == pytest.approx(0, abs=0.01)
    assert m.ectopic_beats == 0
    assert m.problems == ()
    assert m.not_measured == {}


@pytest.mark.parametrize("wander_mv", [0.0, 0.5])
@pytest.mark.parametrize("level", [-0.2, 0.0, 0.05, 0.1, 0.3])
def test_st_level_is_measured_also_under_baseline_wander(level: float, wander_mv: float) -> None:
    recording = gaussian_ecg(
        st_mv={"II": level, "V3": level}, wander_mv=wander_mv, noise_mv=0.01, seconds=20
    )
    m = measure(recording)
    for name, expected in (("V3", level), ("II", level), ("III", level), ("aVR", -level / 2)):
        assert _lead(m, name).st_60_mv == pytest.approx(expected, abs=0.025), name


@pytest.mark.parametrize("rate_hz", [257.0, 360.0, 1000.0, 2000.0])
def test_sampling_rate_hardly_changes_the_result(rate_hz: float) -> None:
    at_500, other = measure(gaussian_ecg()), measure(gaussian_ecg(rate_hz=rate_hz))
    assert other.sampling_rate_hz == 500
    assert other.qrs_ms == pytest.approx(at_500.qrs_ms, abs=8)
    assert other.pr_ms == pytest.approx(at_500.pr_ms, abs=8)
    assert other.qt_ms == pytest.approx(at_500.qt_ms, abs=8)
    assert _lead(other, "V5").r_mv == pytest.approx(_lead(at_500, "V5").r_mv, abs=0.02)


def test_qtc_formulas_at_a_heart_rate_of_60_give_qt_itself() -> None:
    m = measure(gaussian_ecg(rr_s=(1.0,)))
    assert m.qt_ms is not None
    assert m.qtcb_ms == pytest.approx(m.qt_ms, rel=0.005)
    assert m.qtcf_ms == pytest.approx(m.qt_ms, rel=0.005)


def test_same_recording_gives_the_same_numbers() -> None:
    first, second = measure(gaussian_ecg(noise_mv=0.02)), measure(gaussian_ecg(noise_mv=0.02))
    assert first.lead == second.lead
    np.testing.assert_array_equal(first.beat_mv, second.beat_mv)


# ---- abnormal rhythm


def test_irregular_rhythm_without_p_has_no_pr_and_says_why() -> None:
    m = measure(gaussian_ecg(rr_s=(0.62, 0.95, 0.7, 1.1, 0.8), p_wave=False, seconds=20))
    assert m.pr_ms is None
    assert m.fiducials.p_on is None
    assert "P wave" in m.not_measured["pr_ms"]
    assert m.p_wave_share == 0
    assert m.rr_irregularity is not None
    assert m.rr_irregularity > 0.2


def test_early_beats_are_counted_and_left_out_of_the_irregularity() -> None:
    m = measure(gaussian_ecg(rr_s=(0.8, 0.8, 0.8, 0.8, 0.5, 1.1), seconds=20))
    assert m.ectopic_beats == 4
    assert m.rr_irregularity == pytest.approx(0, abs=0.01)


def test_beats_of_another_shape_are_ectopic_and_not_in_the_median_beat() -> None:
    """PVC record of CPSC: beats wide and different, at least every fourth."""
    path = shared_data("ecg-cpsc2018") / "records"
    m = next(
        measure(read_path(p)) for p in sorted(path.glob("*.hea")) if "#Dx: PVC" in p.read_text()
    )
    assert m.ectopic_beats >= 3
    assert m.beats_used < m.beats_found


def test_pacing_spikes_before_each_qrs_are_found() -> None:
    recording = gaussian_ecg()
    signal = recording.signal_mv.copy()
    at = (np.arange(0.5, 10, 0.8) * 500).astype(int) - 40
    signal[at] += 1.5
    m = measure(replace(recording, signal_mv=signal))
    np.testing.assert_allclose(m.pacing_spikes, at, atol=1)


def test_one_or_two_artefacts_are_no_pacing_spikes() -> None:
    recording = gaussian_ecg()
    signal = recording.signal_mv.copy()
    signal[[700, 2900]] += 1.5
    assert len(measure(replace(recording, signal_mv=signal)).pacing_spikes) == 0


# ---- quality


def test_absent_limb_leads_are_computed_and_said() -> None:
    leads = tuple(n for n in LEADS_12 if n not in {"III", "aVR", "aVL", "aVF"})
    full, part = measure(gaussian_ecg()), measure(gaussian_ecg(leads=leads))
    assert part.leads == LEADS_12
    assert {"lead-missing", "lead-derived"} <= _codes(part)
    np.testing.assert_allclose(part.beat_mv, full.beat_mv, atol=1e-6)


def test_wrong_gain_in_one_limb_lead_breaks_einthovens_law_and_blocks_amplitudes() -> None:
    recording = gaussian_ecg()
    m = measure(_with(recording, "II", recording.signal_mv[:, 1] * 1.3))
    (problem,) = (p for p in m.problems if p.code == "einthoven-residual")
    assert problem.blocks == ("amplitude",)
    assert set(problem.leads) == set(LEADS_12[:6])


def test_leads_that_all_span_the_same_were_scaled_and_block_amplitudes() -> None:
    signal = gaussian_ecg().signal_mv
    m = measure(recording_of(signal / np.ptp(signal, axis=0)))
    (problem,) = (p for p in m.problems if p.code == "leads-scaled-alike")
    assert problem.leads == ()
    assert problem.blocks == ("amplitude",)


def test_gain_doubt_of_the_reader_blocks_amplitudes() -> None:
    m = measure(replace(gaussian_ecg(), gain_doubt="the header states no gain"))
    assert [(p.code, p.blocks) for p in m.problems] == [("gain-doubt", ("amplitude",))]


@pytest.mark.parametrize(
    ("lead", "factor", "code"),
    [("V4", 0.0, "flat-lead"), ("V4", 0.05, "implausible-gain"), ("V4", 20.0, "implausible-gain")],
)
def test_lead_with_a_defect_blocks_its_own_amplitudes_only(
    lead: str, factor: float, code: str
) -> None:
    recording = gaussian_ecg()
    column = recording.signal_mv[:, recording.leads.index(lead)]
    m = measure(_with(recording, lead, column * factor))
    assert [(p.code, p.leads, p.blocks) for p in m.problems] == [(code, (lead,), ("amplitude",))]


def test_clipped_lead_is_seen() -> None:
    recording = gaussian_ecg()
    clipped = np.clip(recording.signal_mv[:, 10], -5, 0.7)  # V5, R of 1.2 mV
    assert "clipped" in _codes(measure(_with(recording, "V5", clipped)))


def test_noise_on_the_st_segment_blocks_the_lead() -> None:
    recording = gaussian_ecg()
    noise = np.random.default_rng(3).normal(0, 0.25, len(recording.signal_mv))
    m = measure(_with(recording, "V1", recording.signal_mv[:, 6] + noise))
    (problem,) = (p for p in m.problems if p.code == "noise")
    assert problem.leads == ("V1",)


def test_invalid_samples_are_bridged_and_said() -> None:
    recording = gaussian_ecg()
    column = recording.signal_mv[:, 8].copy()
    column[1000:1600] = np.nan
    m = measure(_with(recording, "V3", column))
    assert "invalid-samples" in _codes(m)
    assert np.isfinite(m.baseline_mv).all()
    assert m.beats_found == 12


def test_swapped_arm_electrodes_are_suspected() -> None:
    recording = gaussian_ecg()
    one, two, three, avr, avl, avf = recording.signal_mv[:, :6].T
    signal = recording.signal_mv.copy()
    signal[:, :6] = np.stack([-one, three, two, avl, avr, avf], axis=1)
    assert "limb-lead-reversal" in _codes(measure(replace(recording, signal_mv=signal)))
    assert "limb-lead-reversal" not in _codes(measure(recording))


def test_mirror_heart_is_not_called_an_electrode_swap() -> None:
    """With the heart on the right V6 is inverted too."""
    recording = gaussian_ecg()
    one, two, three, avr, avl, avf = recording.signal_mv[:, :6].T
    signal = recording.signal_mv.copy()
    signal[:, :6] = np.stack([-one, three, two, avl, avr, avf], axis=1)
    signal[:, 6:] *= -1
    assert "limb-lead-reversal" not in _codes(measure(replace(recording, signal_mv=signal)))


def test_low_sampling_rate_blocks_timing() -> None:
    m = measure(gaussian_ecg(rate_hz=125))
    assert [(p.code, p.blocks) for p in m.problems] == [("low-sampling-rate", ("timing",))]


# ---- unusable


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (gaussian_ecg(leads=("I", "II", "V1")), "not a 12-lead ECG"),
        (gaussian_ecg(leads=("II", *LEADS_12[6:])), "1 limb leads"),
        (gaussian_ecg(seconds=4), "4.0 s long"),
        (gaussian_ecg(seconds=301), "301.0 s long"),
        (gaussian_ecg(rate_hz=90), "sampled at 90 Hz"),
        (gaussian_ecg(rr_s=(6.0,)), "beats found"),
        (recording_of(np.zeros((5000, 12))), "no signal in"),
        (recording_of(np.full((5000, 12), np.nan)), "no signal in"),
    ],
    ids=["3 leads", "1 limb lead", "short", "long", "coarse", "two beats", "zeros", "all NaN"],
)
def test_recording_is_refused_with_the_reason(recording: EcgRecording, reason: str) -> None:
    with pytest.raises(ContractError, match=reason) as caught:
        measure(recording)
    assert caught.value.way_out


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([1e-9, 1e-3, 1.0, 1e6]),
    rate=st.sampled_from([100.0, 250.0, 333.3, 500.0]),
)
def test_noise_gives_numbers_or_a_refusal_but_no_crash(
    seed: int, scale: float, rate: float
) -> None:
    signal = np.random.default_rng(seed).normal(0, scale, (int(6 * rate), 12)).cumsum(axis=0)
    try:
        m = measure(recording_of(signal, rate_hz=rate))
    except ContractError:
        return
    assert np.isfinite(m.beat_mv).all()
    assert m.heart_rate_per_min > 0
