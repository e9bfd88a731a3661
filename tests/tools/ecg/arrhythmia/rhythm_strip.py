"""12-lead ECGs drawn wave by wave: P waves and QRS complexes each at their own times.

Everything is a sum of Gaussians and ramps in the eight independent leads; the limb leads that
follow are computed by Einthoven and Goldberger. Nothing of the code under test is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from knowledge.patient import Identity
from tools.ecg.model import LEADS_12, EcgRecording

Wave = tuple[float, float, float]
"""Centre after the onset in s, standard deviation in s, height in mV."""
Shape = Mapping[str, Sequence[Wave]]

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
P_SHAPE: Shape = {
    name: [(0.05, 0.018, mv)]
    for name, mv in zip(INDEPENDENT, (0.08, 0.15, 0.05, 0.07, 0.07, 0.07, 0.06, 0.06), strict=True)
}
T_SHAPE: Shape = {
    name: [(0.27, 0.040, mv)]
    for name, mv in zip(INDEPENDENT, (0.2, 0.3, 0.05, 0.3, 0.4, 0.4, 0.3, 0.25), strict=True)
}
NORMAL: Shape = {
    "I": [(0.040, 0.010, 0.7)],
    "II": [(0.040, 0.010, 1.0)],
    "V1": [(0.025, 0.007, 0.2), (0.052, 0.010, -0.9)],
    "V2": [(0.028, 0.007, 0.4), (0.053, 0.010, -1.2)],
    "V3": [(0.032, 0.008, 0.7), (0.055, 0.010, -0.8)],
    "V4": [(0.038, 0.009, 1.2), (0.060, 0.008, -0.4)],
    "V5": [(0.040, 0.010, 1.2), (0.062, 0.008, -0.15)],
    "V6": [(0.042, 0.010, 1.0)],
}
VENTRICULAR: Shape = {
    "I": [(0.075, 0.030, -0.7), (0.32, 0.05, 0.3)],
    "II": [(0.075, 0.030, 1.5), (0.32, 0.05, -0.5)],
    "V1": [(0.075, 0.030, 1.2), (0.32, 0.05, -0.4)],
    "V2": [(0.075, 0.030, 1.6), (0.32, 0.05, -0.5)],
    "V3": [(0.075, 0.030, 1.3), (0.32, 0.05, -0.5)],
    "V4": [(0.075, 0.030, 0.7), (0.32, 0.05, -0.3)],
    "V5": [(0.075, 0.030, -0.4), (0.32, 0.05, 0.2)],
    "V6": [(0.075, 0.030, -0.9), (0.32, 0.05, 0.3)],
}


def strip(
    *,
    p_at: Sequence[float] = (),
    qrs_at: Sequence[float] = (),
    ventricular_at: Sequence[float] = (),
    spikes_at: Sequence[float] = (),
    p: Shape = P_SHAPE,
    qrs: Shape = NORMAL,
    t: Shape = T_SHAPE,
    delta: float = 0.0,
    flutter_hz: float = 0.0,
    seconds: float = 10.0,
    noise_mv: float = 0.004,
    rate_hz: float = 1000.0,
) -> EcgRecording:
    """Return the recording.

    Args:
        p_at, qrs_at, ventricular_at: Onsets, s: of P waves, of QRS complexes with their T, and of
            wide ventricular beats with theirs.
        spikes_at: Times of pacing spikes of 2 ms and 1 mV.
        p, qrs, t: Shapes.
        delta: Height of a delta wave, as a share of R, that rises over 50 ms before the QRS.
        flutter_hz: Rate of a sawtooth in the inferior leads; 0 for none.
        seconds, rate_hz: Length and sampling rate.
        noise_mv: Standard deviation of white noise, from a fixed seed.
    """
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    leads = {name: np.zeros(len(time)) for name in INDEPENDENT}
    for name in INDEPENDENT:
        signal = leads[name]
        _add(signal, time, p_at, p.get(name, ()))
        _add(signal, time, qrs_at, qrs.get(name, ()))
        _add(signal, time, qrs_at, t.get(name, ()))
        _add(signal, time, ventricular_at, VENTRICULAR.get(name, ()))
        if delta:
            top = max((wave[2] for wave in qrs[name]), key=abs)
            for at in qrs_at:
                signal += top * delta * _ramp(time - at + 0.05)
        for at in spikes_at:
            signal += np.where(np.abs(time - at) <= 0.001, 1.0, 0.0)
    if flutter_hz:
        saw = 2 * np.mod(time * flutter_hz, 1.0) - 1
        saw = saw - saw.mean()
        for name, size in (("I", 0.02), ("II", 0.15), ("V1", -0.08), ("V2", -0.04)):
            leads[name] += size * _smooth(saw, rate_hz)
    return recording_of(leads, rate_hz=rate_hz, noise_mv=noise_mv)


def sinus(
    *, rate: float = 75.0, pr: float = 0.16, seconds: float = 10.0, **changes: object
) -> EcgRecording:
    """Return an even sinus rhythm, P onset `pr` s before each QRS onset; T earlier when fast."""
    beats = even(60 / rate, seconds)
    early = min(1.0, (75 / rate) ** 0.5)
    t = {name: [(c * early, w * early, mv) for c, w, mv in ws] for name, ws in T_SHAPE.items()}
    given: dict[str, object] = {"p_at": [at - pr for at in beats], "qrs_at": beats, "t": t}
    return strip(seconds=seconds, **(given | changes))  # type: ignore[arg-type]


def even(step: float, seconds: float = 10.0, start: float = 0.5) -> list[float]:
    """Return even times from `start` on."""
    return [float(at) for at in np.arange(start, seconds - 0.05, step)]


def recording_of(
    leads: Mapping[str, NDArray[np.float64]], *, rate_hz: float, noise_mv: float = 0.0
) -> EcgRecording:
    """Return a recording of the eight leads, the other four computed."""
    one, two = leads["I"], leads["II"]
    every = {
        **leads, "III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2,
        "aVF": two - one / 2,
    }  # fmt: skip
    signal = np.stack([every[name] for name in LEADS_12], axis=1)
    if noise_mv:
        random = np.random.default_rng(11)
        noise = random.normal(0, noise_mv, (len(signal), 8))
        noisy = {n: leads[n] + noise[:, k] for k, n in enumerate(INDEPENDENT)}
        return recording_of(noisy, rate_hz=rate_hz)
    return EcgRecording(
        id="1" * 16,
        file="drawn.hea",
        source_format="wfdb",
        leads=LEADS_12,
        signal_mv=signal,
        sampling_rate_hz=rate_hz,
        identity=Identity(source="drawn.hea"),
    )


def resampled(recording: EcgRecording, rate_hz: int) -> EcgRecording:
    """Return the recording at another sampling rate."""
    signal = resample_poly(recording.signal_mv, rate_hz, int(recording.sampling_rate_hz), axis=0)
    return replace(recording, signal_mv=signal, sampling_rate_hz=float(rate_hz))


def relabelled(recording: EcgRecording, exchange: Mapping[str, tuple[str, float]]) -> EcgRecording:
    """Return the recording with leads taken from others: name to (lead, factor)."""
    signal = recording.signal_mv.copy()
    for name, (other, factor) in exchange.items():
        column = recording.signal_mv[:, recording.leads.index(other)]
        signal[:, recording.leads.index(name)] = factor * column
    return replace(recording, signal_mv=signal)


def _add(
    signal: NDArray[np.float64],
    time: NDArray[np.float64],
    onsets: Sequence[float],
    waves: Sequence[Wave],
) -> None:
    for at in onsets:
        for centre, width, mv in waves:
            signal += mv * np.exp(-(((time - at - centre) / width) ** 2) / 2)


def _ramp(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a slow rise over 70 ms that is gone 110 ms after its start."""
    rise = np.clip(time / 0.07, 0, 1) * (time > 0)
    fall = np.clip((0.11 - time) / 0.03, 0, 1)
    return np.asarray(np.minimum(rise, fall))


def _smooth(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    width = int(0.03 * rate_hz)
    return np.convolve(signal, np.ones(width) / width, mode="same")
