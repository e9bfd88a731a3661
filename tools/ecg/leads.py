"""Which leads are there, which can be computed from others, and whether they agree.

Einthoven: II = I + III. Goldberger: aVR = -(I + II) / 2, aVL = (I - III) / 2, aVF = (II + III) / 2.
"""

import numpy as np
from numpy.typing import NDArray

from tools.ecg.model import LEADS_12

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""Eight leads that carry all a 12-lead ECG says; the other four are sums of the first two."""

LIMB = LEADS_12[:6]

# Each limb lead as weights of I and II.
_WEIGHTS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def is_12_lead(leads: tuple[str, ...]) -> bool:
    """Return whether these leads carry all a 12-lead ECG says: two limb leads and V1 to V6."""
    limb = sum(name in leads for name in LIMB)
    return limb >= 2 and all(name in leads for name in INDEPENDENT[2:])


def complete(
    leads: tuple[str, ...], signal: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.float64], tuple[str, ...]]:
    """Return leads and signal with absent limb leads computed, and the names of those computed.

    Any two limb leads determine the other four. With fewer than two, nothing is added.

    Args:
        leads: Names of the columns.
        signal: (samples, leads) mV.
    """
    present = [name for name in LIMB if name in leads]
    absent = tuple(name for name in LIMB if name not in leads)
    if not absent or len(present) < 2:
        return leads, signal, ()
    weights = np.array([_WEIGHTS[name] for name in present])
    recorded = signal[:, [leads.index(name) for name in present]]
    first_two = np.linalg.pinv(weights) @ recorded.T
    added = (np.array([_WEIGHTS[name] for name in absent]) @ first_two).T
    everything = np.concatenate([signal, added], axis=1)
    names = (*leads, *absent)
    ordered = [name for name in LEADS_12 if name in names]
    ordered += [name for name in names if name not in LEADS_12]
    columns = [names.index(name) for name in ordered]
    return tuple(ordered), everything[:, columns], absent


def residual(leads: tuple[str, ...], signal: NDArray[np.float64]) -> tuple[float, float]:
    """Return how far the limb leads are from Einthoven's and Goldberger's laws.

    Args:
        leads: Names of the columns.
        signal: (samples, leads) mV, without baseline.

    Returns:
        Root mean square of the worst disagreement, in mV, and as a share of the limb leads' own
        root mean square; (0, 0) where fewer than three limb leads were recorded.
    """
    present = [name for name in LIMB if name in leads]
    if len(present) < 3:
        return 0.0, 0.0
    recorded = signal[:, [leads.index(name) for name in present]]
    weights = np.array([_WEIGHTS[name] for name in present])
    explained = recorded @ (weights @ np.linalg.pinv(weights)).T
    wrong = np.sqrt(((recorded - explained) ** 2).mean(axis=0)).max()
    size = np.sqrt((recorded**2).mean())
    return float(wrong), float(wrong / size) if size > 0 else 0.0
