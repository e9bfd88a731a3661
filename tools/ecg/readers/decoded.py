"""What the readers that let ecgdatakit decode a file have in common.

Only the parser modules of ecgdatakit are used, on a copy in a temporary folder, after the content
passed our own checks; whatever they raise becomes one of our errors, and what they warn of is kept.
"""

import codecs
import io
import re
import struct
import tempfile
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from knowledge.patient import Identity, Sex
from tools.ecg.readers import limits
from tools.ecg.readers.device_said import MAX_STATEMENTS, clean, device_number, device_text
from tools.ecg.readers.lead_names import lead_of_text
from tools.ecg.readers.placed import placed

if TYPE_CHECKING:
    from ecgdatakit.models import ECGRecord, Lead

Scaled = tuple[NDArray[np.float64], float, float]
"""Stored numbers (samples,), mV a step, mV of a stored 0."""

AGAIN = "export the ECG again from the ECG system"

NOT_VERIFIED = "the reading of this format has not been verified on a real file of a device"
"""Said of a format of which no real file was at hand to compare with."""

# What ecgdatakit 2.0.3 and its codecs raise on damaged files, beside its own errors.
PARSE_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ExpatError,
    LookupError,
    MemoryError,
    OSError,
    ParseError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_XML_HEAD = 16384
"""Bytes in which the root element is looked for: one real document has 3 KiB of comments first."""
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MILLIVOLTS = {"nV": 1e-6, "uV": 1e-3, "mV": 1.0, "V": 1e3}
MAX_ELEMENTS = 200_000
"""Of an XML document: the largest real one seen has some 2000."""

_PULSE_SPREAD_MV = 0.02  # the leads of one real converted file differ by up to 0.015 mV in it
_PULSE_TOLERANCE_MV = 0.1
_MEASURED = (
    ("heart_rate", "heart_rate", "/min"),
    ("rr", "rr_interval", "ms"),
    ("pr", "pr_interval", "ms"),
    ("qrs", "qrs_duration", "ms"),
    ("qt", "qt_interval", "ms"),
    ("qtc", "qtc_bazett", "ms"),
    ("p_axis", "p_axis", "deg"),
    ("axis", "qrs_axis", "deg"),
    ("t_axis", "t_axis", "deg"),
)


class Decoder(Protocol):
    """A parser of ecgdatakit."""

    def parse(self, file_path: Path) -> "ECGRecord":
        """Return the record in a file."""
        ...


def decode(
    decoder: Decoder, content: bytes, *, file: str, name: str, what: str
) -> "tuple[ECGRecord, list[str]]":
    """Return ecgdatakit's record and what it warned of.

    Args:
        decoder: The parser of the format.
        content: The whole file, already within its size limits.
        file: Its name, for messages.
        name: What the copy is called.
        what: The format in words.

    Raises:
        UnreadableError: Damaged or truncated.
        UnsupportedError: A version or encoding that the parser does not take.
    """
    from ecgdatakit.exceptions import ECGDataKitError, UnsupportedFormatError

    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            path = Path(folder) / name
            path.write_bytes(content)
            record = decoder.parse(path)
    except UnsupportedFormatError as error:
        raise UnsupportedError(file, _without_path(error), AGAIN) from error
    except InputError:
        raise
    except ECGDataKitError as error:
        raise UnreadableError(file, f"damaged {what}: {_without_path(error)}", AGAIN) from error
    except PARSE_ERRORS as error:
        raise UnreadableError(
            file, f"damaged {what} ({type(error).__name__} while decoding)", AGAIN
        ) from error
    return record, [_without_path(warning.message) for warning in heard]


def is_xml_of(content: bytes, root: re.Pattern[str]) -> bool:
    """Return whether the bytes begin like an XML document with this root, in UTF-8 or UTF-16."""
    head = content[:_XML_HEAD]
    for mark, code in _ENCODINGS:
        text = head.removeprefix(mark).decode(code, errors="ignore").lstrip()
        if text.startswith("<") and root.search(text):
            return True
    return False


def check_xml(content: bytes, *, file: str, what: str) -> Any:
    """Return the root of an XML document that declares no entities.

    A document type alone is allowed: some devices write one, and nothing is fetched for it.

    Raises:
        UnreadableError: Not well-formed, or with entities.
        TooLargeError: Of more than `MAX_ELEMENTS`.
    """
    from defusedxml import ElementTree  # type: ignore[import-untyped]
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

    root = None
    try:
        for count, (_, element) in enumerate(
            ElementTree.iterparse(io.BytesIO(content), events=("start",))
        ):
            root = element if root is None else root
            if count > MAX_ELEMENTS:
                raise TooLargeError(
                    file, f"over {MAX_ELEMENTS} elements", "export the resting 12-lead ECG alone"
                )
        return root
    except DefusedXmlException as error:
        raise UnreadableError(file, "entities in the XML", AGAIN) from error
    except PARSE_ERRORS as error:
        raise UnreadableError(
            file, f"damaged {what} ({type(error).__name__} while decoding)", AGAIN
        ) from error


def columns(
    leads: "Sequence[Lead]", *, file: str
) -> tuple[list[str], NDArray[np.float64], str | None]:
    """Return lead names, (samples, leads) mV, and why the scale cannot be trusted, or None.

    Raises:
        UnreadableError: No leads, leads of different rate or length, or a scale that is no number.
        TooLargeError: Over the limits.
    """
    if not leads:
        raise UnreadableError(file, "no waveform", "export it with the waveform")
    lengths = {len(lead.samples) for lead in leads}
    if len({lead.sampling_rate for lead in leads}) != 1 or len(lengths) != 1:
        raise UnreadableError(file, "leads of different rate or length", AGAIN)
    limits.check_shape(file, samples=lengths.pop(), leads=len(leads))
    unscaled = [lead_of_text(lead.label) for lead in leads if not _is_voltage(lead)]
    doubt = f"no unit of voltage is stated for {', '.join(unscaled)}" if unscaled else None
    signal = scaled([_millivolts(lead) for lead in leads], file=file)
    return [lead_of_text(lead.label) for lead in leads], signal, doubt


def scaled(leads: Sequence[Scaled], *, file: str) -> NDArray[np.float64]:
    """Return (samples, leads) mV of leads of one length.

    Args:
        leads: Of each lead the stored numbers (samples,), mV a step, and mV of a stored 0.
        file: Its name.

    Raises:
        UnreadableError: A scale that makes no number of a stored one (infinite, or beyond range).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        signal = np.stack([stored * step + zero for stored, step, zero in leads], axis=1)
    there = np.isfinite(np.stack([stored for stored, _, _ in leads], axis=1))
    if not np.isfinite(signal[there]).all():
        raise UnreadableError(file, "an amplitude scale that is no number", AGAIN)
    return signal


def before_calibration(signal: NDArray[np.float64]) -> int:
    """Return how many samples come before a calibration pulse that ends every lead.

    Converters of PageWriter files keep that pulse: all leads show one level of 1 mV. In a recording
    they never do.

    Args:
        signal: (samples, leads) mV.
    """
    differ = np.flatnonzero(np.ptp(signal, axis=1) > _PULSE_SPREAD_MV)
    length = int(differ[-1]) + 1 if len(differ) else len(signal)
    tail = signal[length:]
    pulse = len(tail) > 1 and abs(float(tail.max()) - 1.0) <= _PULSE_TOLERANCE_MV
    return length if pulse and signal.shape[1] > 1 else len(signal)


def start_of(
    record: "ECGRecord", *, file: str, zone: str | None, notes: list[str]
) -> ClinicalTime | None:
    """Return the start of the recording, or None with the reason in `notes`."""
    at = record.recording.date
    if at is None:
        return None
    return placed(at, "the start of the recording", clock=file, zone=zone, notes=notes)


def identity_of(
    record: "ECGRecord", *, file: str, zone: str | None, notes: list[str], system: str = ""
) -> Identity:
    """Return who the file says the patient is; a part without a letter or digit is left out.

    Args:
        record: As decoded.
        file: Its name.
        zone: IANA zone declared for naive times.
        notes: Collects what cannot be used.
        system: Who assigned the patient's number, where the file says so.
    """
    patient = record.patient
    number = clean(str(patient.patient_id or ""))
    born = patient.birth_date
    date = None
    if born is not None:
        date = placed(
            born, "the date of birth", clock=file, zone=zone, notes=notes, precision=Precision.DAY
        )
    return Identity(
        source=file,
        identifiers=((system, number),) if _says_something(number) else (),
        family=_part(patient.last_name),
        given=tuple((_part(patient.first_name) or "").split()),
        birth_date=date,
        sex=_sex(patient.sex),
    )


def said_by(record: "ECGRecord", *, file: str, time: ClinicalTime | None) -> Iterator[Finding]:
    """Yield the device's own measurements and statements."""
    for code, field, unit in _MEASURED:
        value = getattr(record.measurements, field)
        if value is not None:
            place = RecordEvidence(file=file, record=code)
            yield from _if_any(device_number(code, float(value), unit, place, time=time))
    said = record.interpretation.statements[:MAX_STATEMENTS]
    place = RecordEvidence(file=file, record="interpretation")
    for left, right in said:
        text = f"{left}: {right}" if left and right else left or right
        yield from _if_any(device_text("statement", text, place, time=time))


def _without_path(error: object) -> str:
    """Return a message of the library without the name of our temporary copy."""
    return clean(str(error).replace(tempfile.gettempdir(), ""), 200)


def _is_voltage(lead: "Lead") -> bool:
    return bool(lead.resolution) and lead.resolution_unit in _MILLIVOLTS


def _millivolts(lead: "Lead") -> Scaled:
    """Return (samples,) as stored and their scale; of a lead without a unit, as if they were uV."""
    samples = np.asarray(lead.samples, dtype=np.float64)
    if not _is_voltage(lead):
        return samples, 1e-3, 0.0
    unit = _MILLIVOLTS[lead.resolution_unit]
    return samples, lead.resolution * unit, lead.offset * unit


def _part(text: str | None) -> str | None:
    shown = clean(text or "")
    return shown if _says_something(shown) else None


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _sex(text: str | None) -> Sex | None:
    return "female" if text == "F" else "male" if text == "M" else None


def _if_any(finding: Finding | None) -> Iterator[Finding]:
    if finding is not None:
        yield finding
