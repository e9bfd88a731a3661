"""Reading GE MUSE resting ECG XML, with ecgdatakit decoding it; not verified on a real file."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from tools.ecg.model import EcgRecording
from tools.ecg.readers import decoded, limits
from tools.ecg.readers.device_said import device_number
from tools.ecg.readers.lead_names import in_standard_order

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord

MAX_XML_BYTES = 8 * 1024 * 1024
"""Ten seconds at 500 Hz in 8 leads are about 0.1 MiB in base64."""

_ROOT = re.compile(r"<RestingECG[\s>/]")


def is_muse(content: bytes) -> bool:
    """Return whether the bytes begin like a MUSE document: XML with the root RestingECG."""
    return decoded.is_xml_of(content, _ROOT)


def read_muse(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the rhythm recording of a MUSE document.

    Args:
        content: The whole document.
        file: Its name.
        zone: IANA zone declared for its naive times.

    Raises:
        UnreadableError: Damaged, truncated, or with entities.
        UnsupportedError: Of a form that is not taken.
        TooLargeError: Over a size limit.
    """
    from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser

    limits.check_bytes(file, content, MAX_XML_BYTES)
    decoded.check_xml(content, file=file, what="MUSE XML")
    record, notes = decoded.decode(
        GEMuseXMLParser(), content, file=file, name="ecg.xml", what="MUSE XML"
    )
    names, signal, doubt = decoded.columns(record.leads, file=file)
    leads, signal = in_standard_order(names, signal)
    start = decoded.start_of(record, file=file, zone=zone, notes=notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="ge-muse-xml",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=float(record.leads[0].sampling_rate),
        start=start,
        identity=decoded.identity_of(record, file=file, zone=zone, notes=notes),
        device_said=tuple(dict.fromkeys(_said(record, file, start))),
        gain_doubt=doubt,
        format_caution=decoded.NOT_VERIFIED,
        notes=tuple(dict.fromkeys(notes)),
    )


def _said(record: "ECGRecord", file: str, time: ClinicalTime | None) -> Iterator[Finding]:
    """Yield what the device said; its QTc states no formula in this format."""
    yield from decoded.said_by(record, file=file, time=time)
    stated = str(record.annotations.get("QTCorrected", ""))
    if stated.isascii() and stated.isdigit():
        place = RecordEvidence(file=file, record="qtc")
        qtc = device_number("qtc", float(stated[:6]), "ms", place, time=time)
        yield from (qtc,) if qtc is not None else ()
