"""What an ECG recorder can put out: a file that says more is not believed."""

import numpy as np
from numpy.typing import NDArray

MAX_MV = 1000.0
"""Beyond every recorder: besides the heart's few mV they bear 300 mV of electrode offset (IEC
60601-2-25)."""

MAX_SPAN_MV = 30.0
"""Peak to peak of one lead. The widest of 210 real records spans 16.2 mV, baseline wander included;
a wider one has most likely a wrong gain or unit."""


def is_beyond_recorders(signal_mv: NDArray[np.float64]) -> bool:
    """Return whether a sample is infinite or larger than any recorder can put out.

    Args:
        signal_mv: (samples, leads) mV; NaN is an invalid sample and no amplitude.
    """
    return bool((np.abs(signal_mv) > MAX_MV).any())


def span_doubt(leads: tuple[str, ...], signal_mv: NDArray[np.float64]) -> str | None:
    """Return why the gain cannot be trusted where a lead spans more than `MAX_SPAN_MV`.

    Args:
        leads: Names of the columns.
        signal_mv: (samples, leads) mV; NaN where invalid.
    """
    span = np.fmax.reduce(signal_mv, axis=0) - np.fmin.reduce(signal_mv, axis=0)
    wide = [f"{name} {mv:.0f} mV" for name, mv in zip(leads, span, strict=True) if mv > MAX_SPAN_MV]
    if not wide:
        return None
    return f"wider than any ECG from peak to peak: {', '.join(wide)}"
