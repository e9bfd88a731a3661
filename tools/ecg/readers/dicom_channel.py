"""One channel of a DICOM waveform: its lead, and its samples in mV (PS3.3 C.10.9.1.4)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import UnreadableError
from tools.ecg.readers.device_said import clean
from tools.ecg.readers.lead_names import lead_of_code, lead_of_text

_MV = {"uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "mv": 1.0, "v": 1e3, "nv": 1e-6}


def lead(channel: Any, notes: list[str]) -> tuple[str, float]:
    """Return the lead name and the sign that turns the stored lead into it."""
    sources = channel.get("ChannelSourceSequence") or []
    for source in sources:
        found = lead_of_code(
            str(source.get("CodingSchemeDesignator", "")), str(source.get("CodeValue", ""))
        )
        if found is not None:
            name, sign, derived = found
            if derived or str(channel.get("ChannelDerivationDescription", "")):
                notes.append(f"lead {name} was derived by the device, not recorded")
            return name, sign
    meaning = str(sources[0].get("CodeMeaning", "")) if sources else ""
    return lead_of_text(str(channel.get("ChannelLabel", "")) or meaning or "?"), 1.0


def millivolts(
    raw: NDArray[np.float64], channel: Any, name: str, *, file: str, doubts: list[str]
) -> NDArray[np.float64]:
    """Return mV: (raw x sensitivity x correction + baseline) in the stated unit (C.10.9.1.4.2).

    Where the sensitivity is missing, 0, negative or in no unit of voltage, the reason is added to
    `doubts`: neither the size nor the direction of a deflection is known then.

    Args:
        raw: (samples,) stored values, NaN where invalid.
        channel: The item of the channel definition sequence.
        name: Its lead.
        file: Name for messages.
        doubts: Collects why the amplitudes cannot be trusted.

    Raises:
        UnreadableError: The sensitivity or baseline is not a finite number.
    """
    stated = _number(channel.get("ChannelSensitivity"))
    correction = _number(channel.get("ChannelSensitivityCorrectionFactor"))
    baseline = _number(channel.get("ChannelBaseline")) or 0.0
    units = channel.get("ChannelSensitivityUnitsSequence") or []
    unit = str(units[0].get("CodeValue", "")) if units else ""
    factor = _MV.get(unit.strip().lower())
    scale = (1.0 if stated is None else stated) * (1.0 if correction is None else correction)
    if not (math.isfinite(scale) and math.isfinite(baseline)):
        raise UnreadableError(
            file, f"lead {name}: a channel sensitivity that is no number", "export the ECG again"
        )
    if stated is None or factor is None:
        doubts.append(
            f"lead {name}: the file states no channel sensitivity in volts"
            + (f" (unit {clean(unit, 20)!r})" if unit else "")
        )
    elif scale <= 0:
        doubts.append(
            f"lead {name}: a channel sensitivity of {scale:g}, which is not positive: size and "
            "direction are not known"
        )
    with np.errstate(over="ignore"):  # what overflows is refused as beyond every recorder
        values = raw * (scale or 1.0) + baseline
        return values * (1e-3 if factor is None else factor)


def low_cut_hz(groups: list[Any]) -> float | None:
    """Return the lower edge of the pass band (003A,0220) that all channels state, else None."""
    stated = {
        _number(channel.get("FilterLowFrequency"))
        for group in groups
        for channel in group.ChannelDefinitionSequence
    }
    found = stated.pop() if len(stated) == 1 else None
    return found if found is not None and math.isfinite(found) and found >= 0 else None


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)
