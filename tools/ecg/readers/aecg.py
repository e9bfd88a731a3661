"""Reading HL7 annotated ECG (aECG, ANSI/HL7 V3 ECG R1-2004), with ecgdatakit decoding it.

The rhythm series is taken, never the representative beat derived from it.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import UnreadableError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from tools.ecg.model import EcgRecording
from tools.ecg.readers import decoded, limits
from tools.ecg.readers.device_said import clean, device_number, device_text
from tools.ecg.readers.lead_names import in_standard_order

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

MAX_XML_BYTES = 8 * 1024 * 1024
"""The largest real document seen is 0.5 MiB; ten seconds at 1000 Hz in 12 leads are about 1 MiB."""

_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?AnnotatedECG[\s>/]")

_SUBJECT = (
    "{*}componentOf/{*}timepointEvent/{*}componentOf/{*}subjectAssignment/{*}subject/"
    "{*}trialSubject/{*}id"
)
_INITIALS = re.compile(r"[A-Z]{2,3}")
_QTC = "MDC_ECG_TIME_PD_QTc"
_MILLISECONDS = re.compile(r"(\d{1,5}(?:\.\d{1,6})?) ms")


def is_aecg(content: bytes) -> bool:
    """Return whether the bytes begin like an aECG document: XML, in UTF-8 or UTF-16."""
    return decoded.is_xml_of(content, _ROOT)


def read_aecg(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the rhythm recording of an aECG document.

    Args:
        content: The whole document.
        file: Its name.
        zone: IANA zone declared for its naive times.

    Raises:
        UnreadableError: Damaged, truncated, or with entities.
        UnsupportedError: Of a form that is not taken.
        TooLargeError: Over a size limit.
    """
    from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser

    limits.check_bytes(file, content, MAX_XML_BYTES)
    root = decoded.check_xml(content, file=file, what="aECG")
    record, notes = decoded.decode(HL7aECGParser(), content, file=file, name="ecg.xml", what="aECG")
    names, signal, doubt = decoded.columns(record.leads, file=file)
    leads, signal = in_standard_order(names, signal)
    if len(leads) < len(names):
        notes.append("a lead is stored more than once; the first was taken")
    length = decoded.before_calibration(signal)
    if length < len(signal):
        notes.append("the calibration pulse at the end was left out")
    start = decoded.start_of(record, file=file, zone=zone, notes=notes)
    _without_initials(record, notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="hl7-aecg",
        leads=leads,
        signal_mv=signal[:length],
        sampling_rate_hz=_rate(record, file),
        start=start,
        identity=decoded.identity_of(
            record, file=file, zone=zone, notes=notes, system=_assigner(root)
        ),
        device_said=tuple(dict.fromkeys(_said(record, file, start))),
        gain_doubt=doubt,
        notes=tuple(dict.fromkeys(notes)),
    )


def _rate(record: "ECGRecord", file: str) -> float:
    """Return samples a second, as the time sequence states it."""
    rate = float(record.raw_metadata["rhythm_time"].get("sampling_rate_exact") or 0)
    if not rate:
        raise UnreadableError(file, "no sampling rate", decoded.AGAIN)
    return round(rate, 6)


def _assigner(root: Any) -> str:
    """Return who numbers the subjects (trialSubject/id), as a system, or nothing.

    It is the root, or the name of the authority where there is no root.
    """
    place = root.find(_SUBJECT)
    if place is None:
        return ""
    oid = clean(place.get("root", ""), 128)
    if not oid:
        return clean(place.get("assigningAuthorityName", ""), 128)
    return f"urn:oid:{oid}" if re.fullmatch(r"\d+(?:\.\d+)+", oid) else oid


def _without_initials(record: "ECGRecord", notes: list[str]) -> None:
    """Leave out a name that is only initials, as trials write it: it would match no real name."""
    patient = record.patient
    if not patient.first_name and _INITIALS.fullmatch((patient.last_name or "").strip()):
        record.patient = replace(patient, last_name="")
        notes.append("the name in the file is initials and is not compared")


def _said(record: "ECGRecord", file: str, time: ClinicalTime | None) -> Iterator[Finding]:
    yield from decoded.said_by(record, file=file, time=time)
    stated = _MILLISECONDS.fullmatch(str(record.annotations.get(_QTC, "")))
    if record.measurements.qtc_bazett is None and stated is not None:
        place = RecordEvidence(file=file, record="qtc")
        qtc = device_number("qtc", float(stated.group(1)), "ms", place, time=time)
        yield from (qtc,) if qtc is not None else ()
    rhythm = str(record.annotations.get("rhythm", ""))
    said = device_text("statement", rhythm, RecordEvidence(file=file, record="rhythm"), time=time)
    yield from (said,) if said is not None else ()
