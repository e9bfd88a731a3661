"""Reading EDF and EDF+ (Kemp 1992, Kemp 2003), with ecgdatakit decoding the samples.

Only the channels that are named as ECG or as a standard lead are taken; a recording with gaps
(EDF+D) is refused, because its samples are not evenly spaced in time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from tools.ecg.model import EcgRecording
from tools.ecg.readers import decoded, limits
from tools.ecg.readers.device_said import MAX_STATEMENTS, clean, device_text
from tools.ecg.readers.lead_names import in_standard_order, is_standard_lead, lead_of_text

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord, Lead

MAGIC = b"0       "
"""The version field of every EDF file."""

_FIXED = 256
"""Bytes of the fixed header, and of the header of each signal."""

_BEFORE_COUNTS = 216
"""Bytes of a signal's fields before its samples in a record: 16 + 80 + 8 + 4 * 8 + 80."""

_GAPS = "EDF+D"
_UNKNOWN_START = "Startdate X"
_ANNOTATIONS = "EDF Annotations"
_ECG_LABEL = re.compile(r"e[ck]g\b", re.IGNORECASE)
_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What is needed before the samples are decoded."""

    kind: str
    recording: str
    records: int
    seconds: float
    samples: tuple[int, ...]
    labels: tuple[str, ...]


def is_edf(content: bytes) -> bool:
    """Return whether the bytes begin like an EDF file."""
    return content.startswith(MAGIC)


def read_edf(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the ECG channels of an EDF or EDF+ file.

    Args:
        content: The whole file.
        file: Its name.
        zone: IANA zone declared for its naive times.

    Raises:
        UnreadableError: Damaged or truncated.
        UnsupportedError: Without an ECG channel, or with gaps.
        TooLargeError: Over a size limit.
    """
    from ecgdatakit.parsing.parsers.edf import EDFParser

    header = _header(content, file)
    if header.kind.startswith(_GAPS):
        raise UnsupportedError(
            file, "EDF+D, a recording with gaps", "export the part without gaps as EDF+C"
        )
    limits.check_shape(file, samples=max(header.records, 1) * sum(header.samples), leads=1)
    if not any(map(_is_ecg, header.labels)):
        raise UnsupportedError(file, _no_ecg(header.labels), "give the ECG channels")
    record, notes = decoded.decode(EDFParser(), content, file=file, name="ecg.edf", what="EDF")
    chosen = [lead for lead in record.leads if _is_ecg(lead.label)]
    left_out = [clean(lead.label, 40) for lead in record.leads if not _is_ecg(lead.label)]
    if left_out:
        notes.append(f"channels that are no ECG were left out: {', '.join(left_out[:_SHOWN])}")
    names, signal, doubt = decoded.columns(chosen, file=file)
    leads, signal = in_standard_order(names, signal)
    start = None
    if header.recording.startswith(_UNKNOWN_START):
        notes.append("the file says that its start is not known")
    else:
        start = decoded.start_of(record, file=file, zone=zone, notes=notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="edf",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=_rate(header, chosen[0], file),
        start=start,
        identity=decoded.identity_of(record, file=file, zone=zone, notes=notes),
        device_said=tuple(dict.fromkeys(_annotations(record, file, start))),
        gain_doubt=doubt,
        notes=tuple(dict.fromkeys(notes)),
    )


def _header(content: bytes, file: str) -> _Header:
    """Return what the header declares.

    Raises:
        UnreadableError: Truncated, or a number that is none.
    """
    try:
        count = int(content[252:256])
        if not 0 < count <= limits.MAX_LEADS * 8 or len(content) < _FIXED * (count + 1):
            raise ValueError("signals")
        counts = _FIXED + count * _BEFORE_COUNTS
        return _Header(
            kind=_text(content, 192, 44),
            recording=_text(content, 88, 80),
            records=int(content[236:244]),
            seconds=float(content[244:252]),
            samples=tuple(int(content[counts + 8 * i : counts + 8 * i + 8]) for i in range(count)),
            labels=tuple(_text(content, _FIXED + 16 * i, 16) for i in range(count)),
        )
    except ValueError as error:
        raise UnreadableError(file, "damaged EDF (the header)", decoded.AGAIN) from error


def _text(content: bytes, at: int, length: int) -> str:
    return content[at : at + length].decode("latin-1").strip("\x00 ")


def _is_ecg(label: str) -> bool:
    return bool(_ECG_LABEL.match(label.strip())) or is_standard_lead(lead_of_text(label))


def _no_ecg(labels: tuple[str, ...]) -> str:
    shown = ", ".join(clean(label, 40) for label in labels[:_SHOWN] if label != _ANNOTATIONS)
    return f"EDF without a channel named as ECG (channels: {shown or 'none'})"


def _rate(header: _Header, lead: "Lead", file: str) -> float:
    """Return samples a second, exact where the library rounded."""
    rates = {n / header.seconds for n in header.samples if header.seconds > 0}
    exact = [rate for rate in rates if round(rate) == lead.sampling_rate]
    if len(exact) != 1:
        raise UnreadableError(file, "no single sampling rate", decoded.AGAIN)
    return exact[0]


def _annotations(record: "ECGRecord", file: str, time: ClinicalTime | None) -> Iterator[Finding]:
    """Yield the annotations of an EDF+ file: seconds from the start and a text, never ours."""
    events = record.raw_metadata.get("edf_annotations") or []
    for event in events[:MAX_STATEMENTS]:
        text = f"{float(event.get('onset', 0)):g} s: {event.get('text', '')}"
        place = RecordEvidence(file=file, record="EDF Annotations")
        said = device_text("annotation", text, place, time=time)
        yield from (said,) if said is not None else ()
