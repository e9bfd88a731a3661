"""The one entry for ECG files: the format is recognised by content, never by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from knowledge.clinical_time import load_zone
from knowledge.errors import UnreadableError, UnsupportedError
from tools.ecg.amplitude_range import MAX_MV, is_beyond_recorders, span_doubt
from tools.ecg.model import EcgRecording
from tools.ecg.readers import limits
from tools.ecg.readers.aecg import is_aecg, read_aecg
from tools.ecg.readers.dicom import read_dicom
from tools.ecg.readers.edf import is_edf, read_edf
from tools.ecg.readers.muse import is_muse, read_muse
from tools.ecg.readers.scp import is_scp, read_scp
from tools.ecg.readers.sierra import is_sierra, read_sierra
from tools.ecg.readers.wfdb_header import looks_like_header
from tools.ecg.readers.wfdb_record import read_wfdb


class _Reader(Protocol):
    def __call__(self, content: bytes, *, file: str, zone: str | None) -> EcgRecording: ...


_ALTERNATIVE = (
    "give a DICOM ECG, a WFDB header with its signal files, HL7 aECG, Philips Sierra XML, EDF, "
    "SCP-ECG or GE MUSE XML"
)

# Formats seen under ECG names that are not taken: (offset, first bytes, what it is).
_NOT_TAKEN = (
    (0, b"%PDF", "a PDF; numbers cannot be measured on a printed ECG"),
    (0, b"\x89PNG", "a picture; numbers cannot be measured on a printed ECG"),
    (0, b"\xff\xd8\xff", "a picture; numbers cannot be measured on a printed ECG"),
    (0, b"MATLAB 5.0", "a MATLAB file without a WFDB header; its rate and units are unknown"),
    (0, b"\x1e\x00\x00\x00", "a WFDB signal file; read its header (.hea) with this file beside it"),
    (0, b"ISHNE", "an ISHNE Holter recording"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)

_WHOLE_FILE: tuple[tuple[Callable[[bytes], bool], _Reader], ...] = (
    (is_sierra, read_sierra),
    (is_aecg, read_aecg),
    (is_muse, read_muse),
    (is_scp, read_scp),
    (is_edf, read_edf),
)
"""How each format that is one file by itself is recognised and read."""


def read_ecg(
    content: bytes,
    *,
    file: str,
    siblings: Mapping[str, bytes] | None = None,
    zone: str | None = None,
) -> EcgRecording:
    """Return the recording in a file, whichever of the formats taken it is.

    Args:
        content: The whole file; for WFDB the header.
        file: Its name relative to the case, for messages and evidence.
        siblings: Files of the same folder by base name, for the signal files of WFDB.
        zone: IANA time zone declared for times without an offset.

    Raises:
        UnreadableError: Corrupted, truncated, encrypted or mislabelled.
        UnsupportedError: A kind of file that is not taken.
        TooLargeError: Over a size limit.
        InvalidValueError: `zone` is not an IANA time zone.
    """
    if zone is not None:
        load_zone(zone)
    limits.check_bytes(file, content)
    if content[128:132] == b"DICM":
        return _believed(read_dicom(content, file=file, zone=zone))
    for recognised, reader in _WHOLE_FILE:
        if recognised(content):
            return _believed(reader(content, file=file, zone=zone))
    if looks_like_header(content):
        return _believed(read_wfdb(content, file=file, siblings=siblings or {}, zone=zone))
    raise _refusal(content, file)


def _believed(recording: EcgRecording) -> EcgRecording:
    """Return the recording with a doubt about its gain where its amplitudes cannot be right.

    Raises:
        UnreadableError: A rate or an amplitude that no recorder can put out.
    """
    limits.check_rate(recording.file, recording.sampling_rate_hz)
    if is_beyond_recorders(recording.signal_mv):
        raise UnreadableError(
            recording.file,
            f"an amplitude above {MAX_MV:g} mV, which no recorder can put out",
            "correct the gain or unit, or export the ECG again",
        )
    doubts = (recording.gain_doubt, span_doubt(recording.leads, recording.signal_mv))
    return replace(recording, gain_doubt="; ".join(d for d in doubts if d) or None)


def _refusal(content: bytes, file: str) -> UnreadableError | UnsupportedError:
    if not content.strip(b"\x00 \t\r\n"):
        return UnreadableError(file, "empty", "copy the file again")
    for offset, magic, what in _NOT_TAKEN:
        if content[offset : offset + len(magic)] == magic:
            return UnsupportedError(file, what, _ALTERNATIVE)
    return UnreadableError(
        file, "not recognised as an ECG: corrupted, encrypted or mislabelled", _ALTERNATIVE
    )
