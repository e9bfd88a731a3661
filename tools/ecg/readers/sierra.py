"""Reading Philips Sierra ECG XML (1.03 to 1.04.02), with ecgdatakit decoding the waveforms.

Only ecgdatakit's parser module is used, on a copy in a temporary folder, after the document passed
a parser that refuses entities and document types.
"""

import codecs
import struct
import tempfile
import warnings
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from knowledge.patient import Identity, Sex
from tools.ecg.model import EcgRecording
from tools.ecg.readers import decoded, limits
from tools.ecg.readers.device_said import MAX_STATEMENTS, clean, device_number, device_text
from tools.ecg.readers.lead_names import in_standard_order, lead_of_text
from tools.ecg.readers.placed import placed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ecgdatakit.models import ECGRecord, Lead

MAX_XML_BYTES = 4 * 1024 * 1024
"""The largest real file seen is 0.25 MiB; the waveform compression expands up to 600-fold."""

_ROOT = "<restingecgdata"
_CHANNELS = frozenset({"numberchannelsallocated", "numberchannelsvalid"})
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What ecgdatakit 2.0.3 and its codecs raise on damaged files, beside its own errors.
_PARSE_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ExpatError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def is_sierra(content: bytes) -> bool:
    """Return whether the bytes begin like a Sierra document: XML, in UTF-8 or UTF-16."""
    head = content[:4096]
    for mark, code in _ENCODINGS:
        text = head.removeprefix(mark).decode(code, errors="ignore").lstrip()
        if text.startswith("<") and _ROOT in text:
            return True
    return False


def read_sierra(content: bytes, *, file: str, zone: str | None) -> EcgRecording:
    """Return the recording of a Philips Sierra XML document.

    Args:
        content: The whole document.
        file: Its name.
        zone: IANA zone declared for its naive times.

    Raises:
        UnreadableError: Damaged, truncated, or with entities or a document type.
        UnsupportedError: A version or waveform encoding that is not taken.
        TooLargeError: Over a size limit, or of more channels than an ECG has.
    """
    limits.check_bytes(file, content, MAX_XML_BYTES)
    record, notes = _parse(content, file)
    if not record.leads:
        raise UnreadableError(file, "no waveform", "export it with the waveform")
    rates = {lead.sampling_rate for lead in record.leads}
    lengths = {len(lead.samples) for lead in record.leads}
    if len(rates) != 1 or len(lengths) != 1:
        raise UnreadableError(file, "leads of different rate or length", "export the ECG again")
    limits.check_shape(file, samples=lengths.pop(), leads=len(record.leads))
    doubt = None if all(_in_volts(lead) for lead in record.leads) else "no signal resolution stated"
    leads, signal = in_standard_order(
        [lead_of_text(lead.label) for lead in record.leads],
        decoded.scaled([_millivolts(lead) for lead in record.leads], file=file),
    )
    length = _before_calibration(signal)
    if length < len(signal):
        notes.append("the calibration pulse at the end was left out")
    start = _start(record, file, zone, notes)
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="philips-sierra-xml",
        leads=leads,
        signal_mv=signal[:length],
        sampling_rate_hz=float(rates.pop()),
        start=start,
        identity=_identity(record, file, zone, notes),
        device_said=tuple(dict.fromkeys(_device_said(record, file, start))),
        gain_doubt=doubt,
        notes=tuple(notes),
        low_cut_hz=_number(record.recording.acquisition.filters.highpass),
    )


def _parse(content: bytes, file: str) -> "tuple[ECGRecord, list[str]]":
    """Return ecgdatakit's record and what it warned of; every error becomes one of ours."""
    from defusedxml import ElementTree  # type: ignore[import-untyped]
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
    from ecgdatakit.exceptions import ECGDataKitError, UnsupportedFormatError
    from ecgdatakit.parsing.parsers.sierra_xml import SierraXMLParser

    again = "export the ECG again from the ECG system"
    try:
        _check_channels(ElementTree.fromstring(content, forbid_dtd=True), file)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            path = Path(folder) / "ecg.xml"
            path.write_bytes(content)
            record = SierraXMLParser().parse(path)
    except DefusedXmlException as error:
        raise UnreadableError(file, "a document type or entities in the XML", again) from error
    except UnsupportedFormatError as error:
        raise UnsupportedError(file, clean(str(error), 200), again) from error
    except InputError:
        raise
    except (ECGDataKitError, ParseError, *_PARSE_ERRORS) as error:
        raise UnreadableError(
            file, f"damaged Sierra XML ({type(error).__name__} while decoding)", again
        ) from error
    return record, [clean(str(warning.message), 200) for warning in heard]


def _check_channels(root: "Element", file: str) -> None:
    """Refuse a number of channels over the limit: ecgdatakit makes a name for each of them.

    Raises:
        TooLargeError: More than `limits.MAX_LEADS`.
    """
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        stated = _number(element.text) if name in _CHANNELS else None
        if stated is not None and stated > limits.MAX_LEADS:
            raise TooLargeError(
                file, f"declares {stated:g} channels", "export the resting 12-lead ECG alone"
            )


def _in_volts(lead: "Lead") -> bool:
    return bool(lead.resolution) and lead.resolution_unit == "uV"


def _millivolts(lead: "Lead") -> decoded.Scaled:
    samples = np.asarray(lead.samples, dtype=np.float64)
    scale = (lead.resolution * 1e-3, lead.offset * 1e-3) if _in_volts(lead) else (1e-3, 0.0)
    return (samples, *scale)


def _before_calibration(signal: NDArray[np.float64]) -> int:
    """Return how many samples come before the pulse that PageWriters append to every lead.

    There all leads hold the same value; in a recording they never do for long.
    """
    differ = np.flatnonzero(np.ptp(signal, axis=1) > 0)
    return int(differ[-1]) + 1 if len(differ) else len(signal)


def _start(
    record: "ECGRecord", file: str, zone: str | None, notes: list[str]
) -> ClinicalTime | None:
    at = record.recording.date
    if at is None:
        return None
    return placed(at, "the start of the recording", clock=file, zone=zone, notes=notes)


def _identity(record: "ECGRecord", file: str, zone: str | None, notes: list[str]) -> Identity:
    patient = record.patient
    numbers = [
        (system, clean(str(value)))
        for system, value in (
            ("", patient.patient_id),
            ("MRN", record.raw_metadata.get("mrn")),
            ("uniquepatientid", record.raw_metadata.get("uniquepatientid")),
        )
        if value
    ]
    born = patient.birth_date
    return Identity(
        source=file,
        identifiers=tuple({value: (system, value) for system, value in reversed(numbers)}.values()),
        family=clean(patient.last_name or "") or None,
        given=tuple(clean(patient.first_name or "").split()),
        birth_date=None
        if born is None
        else placed(
            born, "the date of birth", clock=file, zone=zone, notes=notes, precision=Precision.DAY
        ),
        sex=_sex(patient.sex),
    )


def _sex(text: str | None) -> Sex | None:
    return "female" if text == "F" else "male" if text == "M" else None


def _device_said(record: "ECGRecord", file: str, time: ClinicalTime | None) -> Iterator[Finding]:
    measured = record.measurements
    for code, value, unit in (
        ("heart_rate", measured.heart_rate, "/min"),
        ("rr", measured.rr_interval, "ms"),
        ("pr", measured.pr_interval, "ms"),
        ("qrs", measured.qrs_duration, "ms"),
        ("qt", measured.qt_interval, "ms"),
        ("qtc", _qtc(record), "ms"),
        ("p_axis", measured.p_axis, "deg"),
        ("axis", measured.qrs_axis, "deg"),
        ("t_axis", measured.t_axis, "deg"),
    ):
        if value is not None:
            yield from _said(device_number(code, float(value), unit, _at(file, code), time=time))
    leads: Mapping[str, Mapping[str, str]] = record.raw_metadata.get("lead_measurements") or {}
    for name, fields in leads.items():
        level = _number(fields.get("ston"))
        if level is not None:
            lead = lead_of_text(name)
            place_in_file = _at(file, f"leadmeasurement {lead} ston")
            yield from _said(
                device_number("st_j", level / 1000, "mV", place_in_file, lead=lead, time=time)
            )
    for left, right in record.interpretation.statements[:MAX_STATEMENTS]:
        text = f"{left}: {right}" if left and right else left or right
        yield from _said(device_text("statement", text, _at(file, "interpretation"), time=time))
    severity = record.interpretation.severity
    if severity:
        yield from _said(device_text("severity", severity, _at(file, "severity"), time=time))


def _qtc(record: "ECGRecord") -> float | None:
    """Return the device's QTc: Bazett as stated, else the one whose formula is not stated."""
    if record.measurements.qtc_bazett is not None:
        return float(record.measurements.qtc_bazett)
    return _number(str(record.annotations.get("qtc", "")).partition(" ")[0])


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _at(file: str, record: str) -> RecordEvidence:
    return RecordEvidence(file=file, record=record)


def _said(finding: Finding | None) -> Iterator[Finding]:
    if finding is not None:
        yield finding
