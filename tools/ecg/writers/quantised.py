"""A recording as whole numbers of a step, as every exchange format stores it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.errors import ContractError
from tools.ecg.model import EcgRecording
from tools.ecg.readers.lead_names import number_of_lead

_STEPS_UV = (1, 2, 5, 10, 20, 50)
_LARGEST = 32_767  # of a signed 16-bit sample; -32768 marks an invalid one
_FORMATS = {
    Precision.YEAR: "%Y",
    Precision.MONTH: "%Y%m",
    Precision.DAY: "%Y%m%d",
    Precision.MINUTE: "%Y%m%d%H%M",
    Precision.SECOND: "%Y%m%d%H%M%S",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """Samples as whole numbers.

    Args:
        leads: Names.
        numbers: The number of each lead in SCP-ECG, which DICOM and MDC share.
        step_uv: What one means, uV: what is read back differs by at most half of it.
        values: (samples, leads) int16; 0 where `invalid`.
        invalid: (samples, leads) where the source marks a sample invalid.
    """

    leads: tuple[str, ...]
    numbers: tuple[int, ...]
    step_uv: int
    values: NDArray[np.int16] = field(repr=False)
    invalid: NDArray[np.bool_] = field(repr=False)


def quantised(recording: EcgRecording) -> Quantised:
    """Return the samples as whole numbers of the finest step that holds them.

    Raises:
        ContractError: The scale is not known, no sample, or a lead no standard has a code for.
    """
    if recording.gain_doubt is not None:
        raise ContractError(
            recording.file,
            f"the amplitude scale is not known ({recording.gain_doubt})",
            "export it from the system that knows it",
        )
    numbers = {name: number_of_lead(name) for name in recording.leads}
    unknown = [name for name, number in numbers.items() if number is None]
    if unknown:
        raise ContractError(
            recording.file,
            f"no standard code for lead {', '.join(unknown)}",
            "give a recording with standard leads",
        )
    signal = recording.signal_mv
    invalid = np.isnan(signal)
    if signal.size == 0 or invalid.all():
        raise ContractError(recording.file, "no valid sample", "give a recording with a signal")
    uv = np.where(invalid, 0.0, signal) * 1000
    largest = float(np.abs(uv).max())
    step = next((s for s in _STEPS_UV if largest <= _LARGEST * s), None)
    if step is None:
        raise ContractError(
            recording.file, f"an amplitude of {largest / 1000:.0f} mV", "correct the gain"
        )
    return Quantised(
        leads=recording.leads,
        numbers=tuple(n for n in numbers.values() if n is not None),
        step_uv=step,
        values=np.rint(uv / step).astype(np.int16),
        invalid=invalid,
    )


def stamp(time: ClinicalTime) -> str:
    """Return a time as DICOM and HL7 write it, to its precision, in UTC where the zone is known."""
    text = time.at.strftime(_FORMATS[time.precision])
    if time.precision is Precision.SECOND and time.at.microsecond:
        text += f".{time.at.microsecond:06d}"
    clock = time.precision in (Precision.MINUTE, Precision.SECOND)
    return text + ("+0000" if time.at.tzinfo is not None and clock else "")
