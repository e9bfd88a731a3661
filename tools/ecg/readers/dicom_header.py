"""What a DICOM ECG says beside its samples: who, when, and what the device measured.

Only listed attributes are read, each turned into a number, a date, an enumeration or a cleaned
text; private attributes and free comments are not.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.evidence import DicomEvidence
from knowledge.finding import Finding
from knowledge.patient import Identity, Sex
from tools.ecg.readers.device_said import MAX_STATEMENTS, clean, device_number, device_text
from tools.ecg.readers.lead_names import lead_of_code
from tools.ecg.readers.placed import placed

# (scheme, code) of measurements: SCP-ECG sections as DICOM names them, and CID 3227-3229 (MDC).
_MEASURED = {
    ("SCPECG", "5.10.2.1-3"): "rr",
    ("SCPECG", "5.10.2.1-5"): "pp",
    ("SCPECG", "5.13.5-7"): "pr",
    ("SCPECG", "5.13.5-9"): "qrs",
    ("SCPECG", "5.13.5-11"): "qt",
    ("SCPECG", "5.10.2.5-5"): "qtc",
    ("SCPECG", "5.10.3-11"): "p_axis",
    ("SCPECG", "5.10.3-13"): "axis",
    ("SCPECG", "5.10.3-15"): "t_axis",
    ("MDC", "2:16168"): "rr",
    ("MDC", "2:16000"): "rr",
    ("MDC", "2:16140"): "pp",
    ("MDC", "2:16184"): "p_duration",
    ("MDC", "2:15872"): "pr",
    ("MDC", "2:16156"): "qrs",
    ("MDC", "2:16160"): "qt",
    ("MDC", "2:15876"): "qtc",
    ("MDC", "2:15880"): "qtc",
    ("MDC", "2:15892"): "qtc",
    ("MDC", "2:16128"): "p_axis",
    ("MDC", "2:16132"): "axis",
    ("MDC", "2:16136"): "t_axis",
    ("MDC", "2:1024"): "st_j",
}
_RATE_MEANINGS = ("heart rate", "ventricular heart rate", "ventricular rate")
# Unit code (UCUM, and spellings seen) to (UCUM unit of the finding, factor).
_UNITS = {
    "ms": ("ms", 1.0),
    "s": ("ms", 1000.0),
    "deg": ("deg", 1.0),
    "mV": ("mV", 1.0),
    "uV": ("mV", 1e-3),
    "/min": ("/min", 1.0),
    "{H.B.}/min": ("/min", 1.0),
    "{beats}/min": ("/min", 1.0),
    "bpm": ("/min", 1.0),
}
_EXPECTED = {"heart_rate": "/min", "st_j": "mV", "axis": "deg", "p_axis": "deg", "t_axis": "deg"}
_DATE_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.\d{1,6})?([+-]\d{4})?")
_LENGTH_TO_PRECISION = {
    1: Precision.YEAR,
    2: Precision.MONTH,
    3: Precision.DAY,
    4: Precision.DAY,  # an hour alone is no precision of ours; its day is certain
    5: Precision.MINUTE,
    6: Precision.SECOND,
}


def recording_time(
    ds: Any, *, clock: str, zone: str | None, notes: list[str]
) -> ClinicalTime | None:
    """Return the start of the recording, or None where no usable date is given.

    AcquisitionDateTime is taken first, then ContentDate and ContentTime. An offset in the value,
    else TimezoneOffsetFromUTC, else the declared zone places it; else it stays on its own clock.
    A time that cannot be is told in `notes`.
    """
    offset = str(ds.get("TimezoneOffsetFromUTC", "") or "").strip()
    for text in (
        str(ds.get("AcquisitionDateTime", "") or ""),
        f"{ds.get('ContentDate', '') or ''}{ds.get('ContentTime', '') or ''}",
    ):
        time = _time(
            text.strip(),
            "the start of the recording",
            offset=offset,
            clock=clock,
            zone=zone,
            notes=notes,
        )
        if time is not None:
            return time
    return None


def identity(ds: Any, *, file: str, zone: str | None, notes: list[str]) -> Identity:
    """Return who the object says the patient is; a date that cannot be is told in `notes`."""
    number = clean(str(ds.get("PatientID", "") or ""))
    issuer = clean(str(ds.get("IssuerOfPatientID", "") or ""))
    name = ds.get("PatientName")
    family = clean(str(getattr(name, "family_name", "") or ""))
    given = clean(str(getattr(name, "given_name", "") or ""))
    return Identity(
        source=file,
        identifiers=((issuer, number),) if number else (),
        family=family or None,
        given=tuple(given.split()),
        birth_date=_time(
            str(ds.get("PatientBirthDate", "") or "").strip(),
            "the date of birth",
            offset="",
            clock=file,
            zone=zone,
            notes=notes,
        ),
        sex=_sex(str(ds.get("PatientSex", "") or "")),
    )


def device_said(ds: Any, *, file: str, time: ClinicalTime | None) -> tuple[Finding, ...]:
    """Return the annotations of the object that state a measurement or a text."""
    evidence = DicomEvidence(file=file, sop_instance_uid=str(ds.get("SOPInstanceUID", "")) or "?")
    found: list[Finding] = []
    texts = 0
    for annotation in ds.get("WaveformAnnotationSequence") or []:
        text = str(annotation.get("UnformattedTextValue", "") or "")
        if text:
            texts += 1
            said = device_text("statement", text, evidence, time=time)
            if said is not None and texts <= MAX_STATEMENTS:
                found.append(said)
            continue
        number = _measurement(annotation, evidence, time)
        if number is not None:
            found.append(number)
    return tuple(dict.fromkeys(found))


def _measurement(
    annotation: Any, evidence: DicomEvidence, time: ClinicalTime | None
) -> Finding | None:
    names = annotation.get("ConceptNameCodeSequence") or []
    value = annotation.get("NumericValue")
    units = annotation.get("MeasurementUnitsCodeSequence") or []
    if not names or not units or value is None or isinstance(value, str):
        return None
    scheme, code = (
        str(names[0].get(k, "")).strip() for k in ("CodingSchemeDesignator", "CodeValue")
    )
    key = _MEASURED.get((scheme.upper(), code))
    if key is None and str(names[0].get("CodeMeaning", "")).strip().lower() in _RATE_MEANINGS:
        key = "heart_rate"
    unit = _UNITS.get(str(units[0].get("CodeValue", "")).strip())
    if key is None or unit is None or unit[0] != _EXPECTED.get(key, "ms"):
        return None
    numbers = value if hasattr(value, "__len__") else [value]
    if len(numbers) != 1:
        return None
    return device_number(
        key,
        round(float(numbers[0]) * unit[1], 6),
        unit[0],
        evidence,
        lead=_lead_of(annotation) if key == "st_j" else None,
        time=time,
    )


def _lead_of(annotation: Any) -> str | None:
    """Return the lead named by a modifier of the concept (TID 3708)."""
    for modifier in annotation.get("ModifierCodeSequence") or []:
        found = lead_of_code(
            str(modifier.get("CodingSchemeDesignator", "")), str(modifier.get("CodeValue", ""))
        )
        if found is not None:
            return found[0]
    return None


def _time(
    text: str, what: str, *, offset: str, clock: str, zone: str | None, notes: list[str]
) -> ClinicalTime | None:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    parts = [int(group) for group in match.groups()[:6] if group is not None]
    precision = _LENGTH_TO_PRECISION[len(parts)]
    year, month, day, hour, minute, second = (
        *parts,
        *(0, 1, 1, 0, 0, 0)[len(parts) :],
    )
    if precision not in (Precision.MINUTE, Precision.SECOND):
        hour = 0
    try:
        naive = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - placed below
    except ValueError:
        return None
    stated = _offset(match.group(7) or offset)
    if stated is not None and precision in (Precision.MINUTE, Precision.SECOND):
        naive = naive.replace(tzinfo=timezone(stated))
    return placed(naive, what, clock=clock, zone=zone, notes=notes, precision=precision)


def _offset(text: str) -> timedelta | None:
    if re.fullmatch(r"[+-]\d{4}", text) is None or int(text[1:3]) > 14 or int(text[3:]) > 59:
        return None
    size = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return -size if text[0] == "-" else size


def _sex(text: str) -> Sex | None:
    match text.strip().upper():
        case "F":
            return "female"
        case "M":
            return "male"
        case _:
            return None
