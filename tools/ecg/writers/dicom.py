"""Writing a DICOM ECG: 12-lead (PS3.3 A.34.3), or general (A.34.4) where that does not hold it."""

import io
from typing import TYPE_CHECKING

import numpy as np

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.errors import ContractError
from tools.ecg.model import LEADS_12, EcgRecording
from tools.ecg.writers.quantised import Quantised, quantised, stamp

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TWELVE, _GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.840.10008.5.1.4.1.1.9.1.2"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_MAX_12_LEAD_CHANNELS, _MAX_12_LEAD_SAMPLES = 13, 16_384  # PS3.3 A.34.3.4
_MAX_GENERAL_CHANNELS = 24  # PS3.3 A.34.4.4
_RATES_HZ = (200, 1000)  # both
_TIMES = (Precision.MINUTE, Precision.SECOND)  # C.10.8: date and time are of type 1
_PADDING = -32_768
_SEX = {"female": "F", "male": "M"}


def dicom_ecg(recording: EcgRecording) -> bytes:
    """Return a DICOM file of the recording; the same recording gives the same bytes.

    Invalid samples are written as the padding value. UIDs are derived from the recording's id.

    Raises:
        ContractError: The scale or the time is not known, or rate or leads are outside what the
            object holds.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, generate_uid

    low, high = _RATES_HZ
    if not low <= recording.sampling_rate_hz <= high:
        raise ContractError(
            recording.file,
            f"{recording.sampling_rate_hz:g} Hz",
            f"a DICOM ECG holds {low} to {high} Hz; resample it first",
        )
    if recording.start is None or recording.start.precision not in _TIMES:
        raise ContractError(
            recording.file,
            "the time of the recording is not known, which a DICOM ECG must state",
            "give it, or write the ECG as aECG or FHIR",
        )
    whole = quantised(recording)
    if len(whole.leads) > _MAX_GENERAL_CHANNELS:
        raise ContractError(
            recording.file, f"{len(whole.leads)} leads", f"at most {_MAX_GENERAL_CHANNELS} fit"
        )
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(_sop_class(whole))
    ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["ecg", recording.id])
    ds.file_meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE_ENDIAN)
    ds.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", recording.id])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", recording.id])
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.Modality, ds.Manufacturer = "ECG", "Epicrisis"
    ds.SeriesNumber = ds.InstanceNumber = "1"
    ds.AccessionNumber = ds.StudyID = ds.ReferringPhysicianName = ""
    ds.AcquisitionContextSequence = []
    _who(ds, recording)
    _when(ds, recording.start)
    ds.WaveformSequence = [_group(whole, recording)]
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _sop_class(whole: Quantised) -> str:
    fits = (
        len(whole.leads) <= _MAX_12_LEAD_CHANNELS
        and len(whole.values) <= _MAX_12_LEAD_SAMPLES
        and set(whole.leads) <= set(LEADS_12)
    )
    return _TWELVE if fits else _GENERAL


def _who(ds: "Dataset", recording: EcgRecording) -> None:
    who = recording.identity
    system, number = who.identifiers[0] if who.identifiers else ("", "")
    ds.PatientID = number
    if system:
        ds.IssuerOfPatientID = system
    ds.PatientName = f"{who.family or ''}^{' '.join(who.given)}".rstrip("^")
    born = who.birth_date
    whole_day = born is not None and born.precision not in (Precision.YEAR, Precision.MONTH)
    ds.PatientBirthDate = born.at.strftime("%Y%m%d") if born is not None and whole_day else ""
    ds.PatientSex = _SEX.get(who.sex or "", "")


def _when(ds: "Dataset", start: ClinicalTime) -> None:
    text = stamp(start)
    ds.StudyDate = ds.ContentDate = text[:8]
    ds.StudyTime = ds.ContentTime = text[8:].partition("+")[0]
    ds.AcquisitionDateTime = text
    if start.at.tzinfo is not None:
        ds.TimezoneOffsetFromUTC = "+0000"


def _group(whole: Quantised, recording: EcgRecording) -> "Dataset":
    from pydicom.dataset import Dataset

    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(whole.leads)
    group.NumberOfWaveformSamples = len(whole.values)
    group.SamplingFrequency = f"{recording.sampling_rate_hz:g}"
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = [
        _channel(lead, number, whole.step_uv, recording.low_cut_hz)
        for lead, number in zip(whole.leads, whole.numbers, strict=True)
    ]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    values = np.where(whole.invalid, _PADDING, whole.values).astype("<i2")
    group.WaveformPaddingValue = np.array([_PADDING], dtype="<i2").tobytes()
    group["WaveformPaddingValue"].VR = "OW"
    group.WaveformData = values.tobytes()
    group["WaveformData"].VR = "OW"
    return group


def _channel(lead: str, number: int, step_uv: int, low_cut_hz: float | None) -> "Dataset":
    from pydicom.dataset import Dataset

    channel = Dataset()
    channel.ChannelLabel = lead
    channel.ChannelSourceSequence = [_code(f"2:{number}", "MDC", f"Lead {lead}")]
    channel.ChannelSensitivity = str(step_uv)
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    if low_cut_hz is not None:
        channel.FilterLowFrequency = f"{low_cut_hz:g}"
    return channel


def _code(value: str, scheme: str, meaning: str) -> "Dataset":
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
