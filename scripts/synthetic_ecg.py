"""A synthetic 12-lead ECG as DICOM 12-lead ECG Waveform Storage, for the bundled examples.

Eight independent leads are drawn as sums of Gaussian waves plus an ST segment; the limb leads III,
aVR, aVL and aVF follow from I and II, so Einthoven's law holds exactly before rounding to 1 uV.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

RATE_HZ = 500
SECONDS = 10
TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
SCPECG = ("1", "2", "61", "62", "63", "64", "3", "4", "5", "6", "7", "8")

# Peak amplitudes in mV of P, Q, R, S, T of an unremarkable adult tracing, for eight leads.
NORMAL: Mapping[str, tuple[float, float, float, float, float]] = {
    "I": (0.07, -0.04, 0.65, -0.10, 0.20),
    "II": (0.12, -0.05, 1.05, -0.14, 0.30),
    "V1": (0.05, 0.0, 0.22, -0.85, -0.04),
    "V2": (0.06, 0.0, 0.45, -1.20, 0.40),
    "V3": (0.06, 0.0, 0.75, -0.85, 0.42),
    "V4": (0.06, -0.03, 1.30, -0.45, 0.40),
    "V5": (0.06, -0.05, 1.25, -0.20, 0.32),
    "V6": (0.06, -0.06, 1.00, -0.08, 0.26),
}
# Centre and width (standard deviation) of each wave, ms from the R peak.
WAVES = ((-165.0, 20.0), (-24.0, 7.0), (0.0, 10.0), (26.0, 9.0), (265.0, 42.0))


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """What to draw.

    Args:
        seed: Seed of noise and beat-to-beat variation.
        rate_per_min: Heart rate.
        st_mv: Lead to ST level, mV, for the eight independent leads.
        t_mv: Lead to T amplitude, mV, where it differs from `NORMAL`.
        start: Zoned or naive start time.
        patient: DICOM patient attributes.
    """

    seed: int
    rate_per_min: float
    start: datetime
    patient: Mapping[str, str]
    st_mv: Mapping[str, float] = field(default_factory=dict)
    t_mv: Mapping[str, float] = field(default_factory=dict)


def signal_mv(tracing: Tracing) -> NDArray[np.float64]:
    """Return (samples, 12) amplitudes in mV in the order of `LEADS`."""
    rng = np.random.default_rng(tracing.seed)
    time_ms = np.arange(RATE_HZ * SECONDS) * 1000.0 / RATE_HZ
    rr_ms = 60000.0 / tracing.rate_per_min
    peaks = np.arange(rr_ms * 0.45, time_ms[-1] + rr_ms, rr_ms)
    peaks = peaks + rng.normal(0.0, 0.012 * rr_ms, peaks.size)
    drawn = {lead: _lead(lead, tracing, time_ms, peaks) for lead in NORMAL}
    wander = 0.03 * np.sin(2 * np.pi * 0.22 * time_ms / 1000 + rng.uniform(0, 6.28))
    for lead in drawn:
        drawn[lead] = drawn[lead] + wander + rng.normal(0.0, 0.006, time_ms.size)
    first, second = drawn["I"], drawn["II"]
    drawn["III"] = second - first
    drawn["aVR"] = -(first + second) / 2
    drawn["aVL"] = first - second / 2
    drawn["aVF"] = second - first / 2
    return np.stack([drawn[lead] for lead in LEADS], axis=1)


def dicom_bytes(tracing: Tracing) -> bytes:
    """Return the tracing as the bytes of a DICOM file; equal tracings give equal bytes."""
    samples = np.round(signal_mv(tracing) * 1000).astype("<i2")
    dataset = Dataset()
    for name, value in tracing.patient.items():
        setattr(dataset, name, value)
    _header(dataset, tracing)
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(LEADS)
    group.NumberOfWaveformSamples = len(samples)
    group.SamplingFrequency = str(RATE_HZ)
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = [
        _channel(lead, code) for lead, code in zip(LEADS, SCPECG, strict=True)
    ]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.WaveformData = samples.tobytes()
    dataset.WaveformSequence = [group]
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _lead(
    lead: str, tracing: Tracing, time_ms: NDArray[np.float64], peaks: NDArray[np.float64]
) -> NDArray[np.float64]:
    amplitudes = list(NORMAL[lead])
    amplitudes[4] = tracing.t_mv.get(lead, amplitudes[4])
    stretch = min(1.0, (60.0 / tracing.rate_per_min) ** 0.5)
    total = np.zeros_like(time_ms)
    for peak in peaks:
        since = time_ms - peak
        for amplitude, (centre, width) in zip(amplitudes, WAVES, strict=True):
            late = centre > 100
            middle, spread = (centre * stretch, width * stretch) if late else (centre, width)
            total += amplitude * np.exp(-0.5 * ((since - middle) / spread) ** 2)
        total += tracing.st_mv.get(lead, 0.0) * _plateau(since, 38.0, 265.0 * stretch)
    return total


def _plateau(since: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    return _step((since - start) / 3.0) * _step((end - since) / 18.0)


def _step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(x / 2.0)))


def _header(dataset: Dataset, tracing: Tracing) -> None:
    seed = f"epicrisis-example-{tracing.seed}"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = TWELVE_LEAD
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[seed, "instance"])
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["epicrisis", "examples"])
    dataset.file_meta = meta
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = TWELVE_LEAD
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[seed, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[seed, "series"])
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", "1", "1"
    dataset.Modality = "ECG"
    dataset.Manufacturer = "Epicrisis synthetic example"
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    start = tracing.start
    dataset.StudyDate = dataset.ContentDate = start.strftime("%Y%m%d")
    dataset.StudyTime = dataset.ContentTime = start.strftime("%H%M%S")
    dataset.AcquisitionDateTime = start.strftime("%Y%m%d%H%M%S")
    if start.tzinfo is not None:
        dataset.TimezoneOffsetFromUTC = start.strftime("%z")
    dataset.AcquisitionContextSequence = []


def _channel(lead: str, code: str) -> Dataset:
    source = Dataset()
    source.CodeValue = f"5.6.3-9-{code}"
    source.CodingSchemeDesignator = "SCPECG"
    source.CodeMeaning = f"Lead {lead}"
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
    channel = Dataset()
    channel.ChannelSourceSequence = [source]
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = [unit]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelTimeSkew = "0"
    channel.WaveformBitsStored = 16
    channel.FilterLowFrequency = "0.05"
    channel.FilterHighFrequency = "150"
    return channel
