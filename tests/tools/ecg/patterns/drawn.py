"""A drawn 12-lead ECG, every lead a formula: P, QRS, ST level and slope, one or two T waves.

V(t) = sum over waves of size * exp(-((t - centre) / width)^2) and a QRS of raised cosines, with R
at t = 0, one beat every 0.8 s unless stated. Limb leads follow from I and II.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tests.tools.ecg.gaussian_ecg import recording_of
from tests.tools.ecg.hand_made import age, sex
from tools.ecg.analysis import ecg_analysis
from tools.ecg.model import LEADS_12, EcgRecording
from tools.ecg.report import EcgReport

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lead:
    """One lead, mV and s.

    Args:
        p, r, s: P wave, R at 0 s, S at 30 ms.
        q: Q at -32 ms.
        st, st_end, st_fade: Level from 24 ms after R; it fades over `st_fade` before `st_end`.
        t, t_at, t_width: First T wave.
        t2, t2_at: A second wave behind it.
        pr: Level of the PR segment against TP.
        notch: A J wave at 38 ms.
    """

    p: float = 0.1
    r: float = 1.0
    s: float = -0.3
    q: float = 0.0
    st: float = 0.0
    st_end: float = 0.40
    st_fade: float = 0.15
    t: float = 0.3
    t_at: float = 0.30
    t_width: float = 0.045
    t2: float = 0.0
    t2_at: float = 0.36
    pr: float = 0.0
    notch: float = 0.0


USUAL: Mapping[str, Lead] = {
    "I": Lead(r=0.7, s=-0.1, t=0.2),
    "II": Lead(r=1.1, s=-0.1, t=0.3),
    "V1": Lead(r=0.2, s=-0.9, t=0.1),
    "V2": Lead(r=0.4, s=-1.1, t=0.35),
    "V3": Lead(r=0.7, s=-0.8, t=0.4),
    "V4": Lead(r=1.2, s=-0.5, t=0.4),
    "V5": Lead(r=1.3, s=-0.2, t=0.35),
    "V6": Lead(r=1.0, s=-0.1, t=0.25),
}


def drawn(
    changes: Mapping[str, Mapping[str, float]] | None = None,
    *,
    rate_hz: float = 500.0,
    seconds: float = 10.0,
    rr_s: float = 0.8,
    gain: float = 1.0,
    noise_mv: float = 0.0,
    seed: int = 3,
    extra: Mapping[str, Lead] | None = None,
) -> EcgRecording:
    """Return a recording; `changes` are fields of `Lead` by independent lead."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    leads = {n: replace(w, **(changes or {}).get(n, {})) for n, w in USUAL.items()} | dict(
        extra or {}
    )
    beats = np.arange(0.5, seconds, rr_s)
    signal = {n: sum((_beat(t - b, w) for b in beats), np.zeros_like(t)) for n, w in leads.items()}
    one, two = signal["I"], signal["II"]
    signal |= {"III": two - one, "aVR": -(one + two) / 2}
    signal |= {"aVL": one - two / 2, "aVF": two - one / 2}
    names = (*LEADS_12, *(extra or {}))
    columns = gain * np.stack([signal[name] for name in names], axis=1)
    noise = np.random.default_rng(seed).normal(0, noise_mv or 1e-12, columns.shape)
    return recording_of(columns + noise, leads=names, rate_hz=rate_hz)


def said(
    recording: EcgRecording, *, years: float | None = 60, of: str | None = "male"
) -> EcgReport:
    """Return the report of a recording."""
    return ecg_analysis(recording, age_years=age(years), sex=sex(of))


def _beat(t: Values, w: Lead) -> Values:
    def bell(centre: float, width: float) -> Values:
        return np.asarray(np.exp(-(((t - centre) / width) ** 2)))

    def hump(centre: float, half: float) -> Values:
        inside = np.abs(t - centre) < half
        return np.where(inside, np.cos(np.pi * (t - centre) / (2 * half)) ** 2, 0.0)

    rise, fade = 1 - hump(0.0, 0.024), np.clip((w.st_end - t) / w.st_fade, 0, 1)
    st = np.where((t > 0) & (t < w.st_end), rise * fade, 0.0)
    ramp = np.clip((t + 0.13) / 0.02, 0, 1) * np.clip((-0.01 - t) / 0.02, 0, 1)
    return np.asarray(
        w.p * bell(-0.16, 0.02)
        + w.q * hump(-0.032, 0.024)
        + w.r * hump(0.0, 0.024)
        + w.s * hump(0.030, 0.016)
        + w.notch * hump(0.038, 0.016)
        + w.st * st
        + w.t * bell(w.t_at, w.t_width)
        + w.t2 * bell(w.t2_at, w.t_width / 1.5)
        + w.pr * ramp
    )
