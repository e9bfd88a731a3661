"""Reading DICOM ECG waveforms (PS3.3 A.34.3 and A.34.4, C.10.9)."""

import io
import logging
import struct
import warnings
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError, UnreadableError, UnsupportedError
from tools.ecg.model import EcgRecording
from tools.ecg.readers import dicom_channel, limits
from tools.ecg.readers.device_said import clean
from tools.ecg.readers.dicom_header import device_said, identity, recording_time
from tools.ecg.readers.lead_names import in_standard_order

_ECG_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG Waveform Storage",
}
_LITTLE_ENDIAN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
# PS3.5 A: WaveformSampleInterpretation of the sample formats taken; companded audio is not.
_PREAMBLE_BYTES = 132  # PS3.10 7.1: 128 bytes and "DICM"
_META_GROUP = 0x0002
_SAMPLE_TYPES = {"SB": 1, "UB": 1, "SS": 2, "US": 2, "SL": 4, "UL": 4}
_NOT_RHYTHM = ("median", "average", "template", "representative")

# What pydicom 3 raises on damaged files beside its own errors, seen or read in its source.
_PARSE_ERRORS = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_dicom(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the rhythm recording of a DICOM ECG.

    The group of original samples is taken, never a median beat. A sample equal to the padding
    value is NaN.

    Args:
        content: The whole file.
        file: Its name, for messages and evidence.
        zone: IANA zone declared for times without an offset.

    Raises:
        UnreadableError: Corrupted, truncated or inconsistent.
        UnsupportedError: DICOM, but no ECG, or of a form not taken.
        TooLargeError: Over a limit of `limits`.
    """
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of every odd value; those used are checked
        try:
            _check_syntax(content, file)
            return _read(content, file, zone)
        except InputError:
            raise
        except parse_errors() as error:
            raise UnreadableError(
                file,
                f"damaged DICOM ({type(error).__name__} while decoding)",
                "export the ECG again from the ECG system",
            ) from error


def silence_pydicom() -> None:
    """Keep pydicom's own log messages from every handler: they quote values of the file.

    Set at each call, because pydicom sets its level when it is imported.
    """
    import pydicom

    pydicom.config.logger.setLevel(logging.CRITICAL + 1)


def _check_syntax(content: bytes, file: str) -> None:
    """Refuse a transfer syntax that is not taken, before the data set is read.

    pydicom inflates a deflated data set as a whole, however large it becomes; only the file meta
    information is read here, which is never compressed (PS3.10 7.1).

    Raises:
        UnsupportedError: Deflated, big endian or another syntax that is not taken.
    """
    from pydicom.filereader import read_dataset

    stream = io.BytesIO(content)
    stream.seek(_PREAMBLE_BYTES)
    meta = read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: tag.group != _META_GROUP,
    )
    for element in list(meta.elements())[:1]:
        meta[element.tag]  # where this fails pydicom would read the meta as implicit VR; we refuse
    syntax = str(meta.get("TransferSyntaxUID", _LITTLE_ENDIAN[0]))
    if syntax not in _LITTLE_ENDIAN:
        raise UnsupportedError(
            file, f"transfer syntax: {known_uid(syntax)}", "export it as Explicit VR Little Endian"
        )


def parse_errors() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on damaged files; its own errors derive from nothing narrower."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*_PARSE_ERRORS, BytesLengthException, InvalidDicomError)


def known_uid(uid: str) -> str:
    """Return the name of a UID of the standard; of another one nothing is repeated."""
    from pydicom.uid import UID

    name = UID(uid).name
    return "not one of the standard" if name == uid else name


def _read(content: bytes, file: str, zone: str | None) -> EcgRecording:
    import pydicom

    ds = pydicom.dcmread(io.BytesIO(content))
    sop_class = str(ds.get("SOPClassUID", ""))
    if sop_class not in _ECG_CLASSES:
        if not sop_class:
            raise UnreadableError(file, "DICOM without a SOP class", "export the ECG again")
        raise UnsupportedError(
            file,
            f"DICOM, but not a resting ECG: {known_uid(sop_class)}",
            "give a 12-lead or general ECG object",
        )
    groups = list(ds.get("WaveformSequence") or [])
    if not groups:
        raise UnreadableError(file, "no waveform in the object", "export it with the waveform")
    notes: list[str] = []
    doubts: list[str] = []
    chosen = _rhythm_groups(groups)
    parts = [_group_signal(group, file, notes, doubts) for group in chosen]
    names = [name for leads, _ in parts for name in leads]
    leads, signal = in_standard_order(names, np.concatenate([s for _, s in parts], axis=1))
    if len(leads) < len(names):
        notes.append("a lead is stored more than once; the first was taken")
    time = recording_time(ds, clock=file, zone=zone, notes=notes)
    patient = identity(ds, file=file, zone=zone, notes=notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="dicom",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=float(chosen[0].SamplingFrequency),
        start=time,
        identity=patient,
        sop_instance_uid=str(ds.get("SOPInstanceUID", "")) or None,
        device_said=device_said(ds, file=file, time=time),
        gain_doubt="; ".join(dict.fromkeys(doubts)) or None,
        notes=tuple(dict.fromkeys(notes)),
        low_cut_hz=dicom_channel.low_cut_hz(chosen),
    )


def _rhythm_groups(groups: list[Any]) -> list[Any]:
    """Return the multiplex groups that together are the rhythm recording.

    That is the group with most channels, then most samples, among the original ones, with every
    other original group of the same rate, length and time offset (a general ECG may spread its
    leads over several groups).
    """
    rhythm = [group for group in groups if not _is_derived(group)] or groups
    best = max(rhythm, key=lambda g: (int(g.NumberOfWaveformChannels), _samples(g)))
    return [best] + [g for g in rhythm if g is not best and _frame(g) == _frame(best)]


def _is_derived(group: Any) -> bool:
    label = str(group.get("MultiplexGroupLabel", "")).lower()
    return str(group.get("WaveformOriginality", "")).upper() == "DERIVED" or any(
        word in label for word in _NOT_RHYTHM
    )


def _frame(group: Any) -> tuple[float, int, float]:
    offset = float(group.get("MultiplexGroupTimeOffset") or 0)
    return float(group.SamplingFrequency), _samples(group), offset


def _samples(group: Any) -> int:
    return int(group.NumberOfWaveformSamples)


def _group_signal(
    group: Any, file: str, notes: list[str], doubts: list[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the lead names and (samples, leads) mV of one multiplex group."""
    raw = _raw_samples(group, file)
    values = raw.astype(np.float64)
    padding = group.get("WaveformPaddingValue")
    if padding is not None:
        values[raw == _padding(padding, raw.dtype)] = np.nan
    channels = list(group.ChannelDefinitionSequence)
    if len(channels) != raw.shape[1]:
        raise UnreadableError(
            file, "the channels described are not the channels stored", "export the ECG again"
        )
    names = []
    for column, channel in enumerate(channels):
        name, sign = dicom_channel.lead(channel, notes)
        names.append(name)
        values[:, column] = sign * dicom_channel.millivolts(
            values[:, column], channel, name, file=file, doubts=doubts
        )
    return names, values


def _raw_samples(group: Any, file: str) -> NDArray[Any]:
    """Return the stored integers (samples, channels) after checking that all are there."""
    n, channels = _samples(group), int(group.NumberOfWaveformChannels)
    kind = str(group.WaveformSampleInterpretation)
    size = _SAMPLE_TYPES.get(kind)
    if size is None or int(group.WaveformBitsAllocated) != 8 * size:
        raise UnsupportedError(
            file, f"sample format {clean(kind, 20)}", "export linear integer samples"
        )
    if n <= 0 or channels <= 0:
        raise UnreadableError(file, "no samples", "export the ECG again")
    limits.check_rate(file, float(group.SamplingFrequency))
    limits.check_shape(file, samples=n, leads=channels)
    data = group.WaveformData
    if len(data) < n * channels * size:
        raise UnreadableError(
            file,
            f"truncated: {len(data)} of {n * channels * size} waveform bytes",
            "export the ECG again",
        )
    dtype = np.dtype(f"<{'u' if kind[0] == 'U' else 'i'}{size}")
    return np.frombuffer(data, dtype=dtype, count=n * channels).reshape(n, channels)


def _padding(value: Any, dtype: np.dtype[Any]) -> int:
    """Return the padding value, which pydicom gives as bytes (OB/OW) or as a number."""
    if isinstance(value, bytes):
        return int(np.frombuffer(value[: dtype.itemsize], dtype=dtype)[0])
    return int(value)
