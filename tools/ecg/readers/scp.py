"""Reading SCP-ECG (EN 1064), with ecgdatakit decoding it; not verified on a real file."""

import struct
from collections.abc import Iterator

from knowledge.errors import UnreadableError
from tools.ecg.model import EcgRecording
from tools.ecg.readers import decoded, limits
from tools.ecg.readers.lead_names import in_standard_order

MAX_SCP_BYTES = 4 * 1024 * 1024
"""A 12-lead resting ECG is below 0.2 MiB; each bit is decoded in Python."""

MAX_SECTIONS = 256
"""Pointers followed: section numbers beyond 255 are not given out."""

_NAME = (16, b"SCPECG")
"""The reserved bytes of the header of section 0 hold this text (EN 1064, 5.2)."""

_RECORD_HEADER, _SECTION_HEADER, _POINTER, _LEAD = 6, 16, 10, 9


def is_scp(content: bytes) -> bool:
    """Return whether the bytes begin like an SCP-ECG record."""
    at, name = _NAME
    return content[at : at + len(name)] == name


def read_scp(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the rhythm recording of an SCP-ECG record.

    Args:
        content: The whole record.
        file: Its name.
        zone: IANA zone declared for its naive times.

    Raises:
        UnreadableError: Damaged or truncated.
        UnsupportedError: Of a form that is not taken.
        TooLargeError: Over a size limit.
    """
    from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

    limits.check_bytes(file, content, MAX_SCP_BYTES)
    try:
        counts = list(_declared_samples(content))
    except struct.error as error:
        raise UnreadableError(file, "damaged SCP-ECG (truncated)", decoded.AGAIN) from error
    limits.check_shape(file, samples=max(counts, default=0), leads=max(len(counts), 1))
    record, notes = decoded.decode(
        SCPECGParser(), content, file=file, name="ecg.scp", what="SCP-ECG"
    )
    names, signal, doubt = decoded.columns(record.leads, file=file)
    leads, signal = in_standard_order(names, signal)
    start = decoded.start_of(record, file=file, zone=zone, notes=notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="scp-ecg",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=float(record.leads[0].sampling_rate),
        start=start,
        identity=decoded.identity_of(record, file=file, zone=zone, notes=notes),
        device_said=tuple(dict.fromkeys(decoded.said_by(record, file=file, time=start))),
        gain_doubt=doubt,
        format_caution=decoded.NOT_VERIFIED,
        notes=tuple(dict.fromkeys(notes)),
    )


def _declared_samples(content: bytes) -> Iterator[int]:
    """Yield the samples each lead declares (section 3), before memory is taken for them."""
    length = struct.unpack_from("<I", content, _RECORD_HEADER + 4)[0]
    pointers = min((length - _SECTION_HEADER) // _POINTER, MAX_SECTIONS)
    for number in range(max(pointers, 0)):
        at = _RECORD_HEADER + _SECTION_HEADER + number * _POINTER
        section, size, index = struct.unpack_from("<HII", content, at)
        if section == 3 and size and index:
            body = index - 1 + _SECTION_HEADER
            leads = struct.unpack_from("<B", content, body)[0]
            for lead in range(leads):
                first, last = struct.unpack_from("<II", content, body + 2 + lead * _LEAD)
                yield max(last - first + 1, 0)
