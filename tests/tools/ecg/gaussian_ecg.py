"""A drawn ECG whose waves, levels and intervals are known exactly."""

import numpy as np
from numpy.typing import NDArray

from knowledge.patient import Identity
from tools.ecg.model import LEADS_12, EcgRecording

# Projection of one drawn cardiac vector on the leads: (P, QRS, T) sizes, mV.
_I, _II = (0.08, 0.7, 0.2), (0.15, 1.1, 0.3)
_CHEST = {
    "V1": (0.06, -0.9, -0.1),
    "V2": (0.06, -1.1, 0.3),
    "V3": (0.06, -0.4, 0.4),
    "V4": (0.06, 0.9, 0.4),
    "V5": (0.06, 1.2, 0.35),
    "V6": (0.06, 1.0, 0.25),
}


def gaussian_ecg(
    *,
    rate_hz: float = 500.0,
    seconds: float = 10.0,
    rr_s: tuple[float, ...] = (0.8,),
    st_mv: dict[str, float] | None = None,
    p_wave: bool = True,
    wander_mv: float = 0.0,
    noise_mv: float = 0.0,
    leads: tuple[str, ...] = LEADS_12,
) -> EcgRecording:
    """Return a recording with P 160 ms and T 300 ms from R, QRS 90 ms wide.

    Args:
        rate_hz: Sampling rate.
        seconds: Length.
        rr_s: RR intervals, repeated.
        st_mv: ST level from 45 to 180 ms after R, by independent lead, limb leads following.
        p_wave: Whether there are P waves.
        wander_mv: Amplitude of a 0.2 Hz baseline wander.
        noise_mv: Standard deviation of white noise, from a fixed seed.
        leads: Leads recorded.
    """
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    beats = [0.5]
    while beats[-1] < seconds:
        beats.append(beats[-1] + rr_s[(len(beats) - 1) % len(rr_s)])
    st = {"I": 0.0, "II": 0.0} | dict.fromkeys(_CHEST, 0.0) | (st_mv or {})
    sizes = {"I": _I, "II": _II} | _CHEST
    signal = {
        name: sum(_beat(t - r, size, st[name], p_wave) for r in beats)
        for name, size in sizes.items()
    }
    one, two = np.asarray(signal["I"]), np.asarray(signal["II"])
    signal |= {"III": two - one, "aVR": -(one + two) / 2}
    signal |= {"aVL": one - two / 2, "aVF": two - one / 2}
    columns = np.stack([np.asarray(signal[name]) for name in leads], axis=1)
    columns = columns + (wander_mv * np.sin(2 * np.pi * 0.2 * t))[:, None]
    columns = columns + np.random.default_rng(7).normal(0, noise_mv or 1e-12, columns.shape)
    return recording_of(columns, leads=leads, rate_hz=rate_hz)


def recording_of(
    signal: NDArray[np.float64], *, leads: tuple[str, ...] = LEADS_12, rate_hz: float = 500.0
) -> EcgRecording:
    """Return a recording without identity."""
    return EcgRecording(
        id="0" * 16,
        file="drawn.hea",
        source_format="wfdb",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=rate_hz,
        identity=Identity(source="drawn.hea"),
    )


def _beat(
    t: NDArray[np.float64], sizes: tuple[float, float, float], st: float, p_wave: bool
) -> NDArray[np.float64]:
    p, qrs, wave = sizes
    hump = np.where(np.abs(t) < 0.045, np.cos(np.pi * t / 0.09) ** 2, 0.0)
    # The ST level starts with the end of the QRS and fades under the T wave.
    rise = np.clip((t + 0.01) / 0.055, 0, 1)
    plateau = np.where((t > -0.01) & (t < 0.40), rise * np.clip((0.40 - t) / 0.22, 0, 1), 0.0)
    total = qrs * hump + wave * np.exp(-(((t - 0.30) / 0.045) ** 2)) + st * plateau
    if p_wave:
        total = total + p * np.exp(-(((t + 0.16) / 0.022) ** 2))
    return np.asarray(total)
