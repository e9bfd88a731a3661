"""Pacing spikes: deflections that rise and fall within a few milliseconds."""

import numpy as np
from numpy.typing import NDArray

_REACH_S = 0.004  # a spike has left and come back within 4 ms; of a QRS wave only the very tip has
_MIN_LEADS = 3
_MIN_MV = 0.10
_SHARE_OF_SPAN = 0.20  # unpaced LUDB, CPSC and CinC records stay below 0.19, spikes reach 0.24
_SEPARATION_S = 0.02
_MARGIN_S = 0.05  # filters of the recorder ring at both ends of a recording
_MIN_SPIKES = 3  # one or two in 10 s are electrical artefacts (5 of 96 unpaced LUDB records)


def pacing_spikes(
    signal: NDArray[np.float64], rate_hz: float, independent: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return (spikes,) sample indices of narrow spikes seen in several leads at once.

    None are returned where there are fewer than three.

    Args:
        signal: (samples, leads) mV at the working rate.
        rate_hz: The rate.
        independent: Columns of the eight independent leads.
    """
    reach = max(1, int(_REACH_S * rate_hz + 1e-9))
    leads = signal[:, independent]
    if len(leads) <= 2 * reach:
        return np.empty(0, dtype=np.int64)
    middle = leads[reach:-reach]
    before, after = middle - leads[: -2 * reach], middle - leads[2 * reach :]
    height = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0)
    low, high = np.percentile(leads, (0.5, 99.5), axis=0)
    enough = height > np.maximum(_MIN_MV, _SHARE_OF_SPAN * (high - low))
    candidates = np.flatnonzero(enough.sum(axis=1) >= _MIN_LEADS)
    margin = int(_MARGIN_S * rate_hz)
    candidates = candidates[(candidates > margin) & (candidates < len(leads) - margin)]
    groups = np.split(candidates, np.flatnonzero(np.diff(candidates) > _SEPARATION_S * rate_hz) + 1)
    if len(groups) < _MIN_SPIKES or len(candidates) == 0:
        return np.empty(0, dtype=np.int64)
    strength = height.sum(axis=1)
    return np.array([g[np.argmax(strength[g])] + reach for g in groups], dtype=np.int64)
