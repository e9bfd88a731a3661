"""SCP-ECG, MUSE XML and EDF files written by hand from the published layouts, for tests.

No real SCP-ECG or MUSE file is at hand; these show that the layout as documented is read, not that
a device's own files are. Layouts: EN 1064 clauses 5.2 to 5.9 (SCP-ECG); restecg.xsd elements as
listed in GE's MUSE XML Developer's Guide; Kemp et al. 1992 and 2003 (EDF, EDF+).
"""

import base64
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


def crc_ccitt(data: bytes) -> int:
    """Return the CRC-CCITT (polynomial 0x1021, start 0xFFFF) that EN 1064 uses."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def _section(number: int, body: bytes) -> bytes:
    body += b"\x00" * (len(body) % 2)
    reserved = b"SCPECG" if number == 0 else b"\x00" * 6
    rest = struct.pack("<HIBB", number, 16 + len(body), 20, 20) + reserved + body
    return struct.pack("<H", crc_ccitt(rest)) + rest


def _tag(number: int, value: bytes) -> bytes:
    return struct.pack("<BH", number, len(value)) + value


def scp(leads: dict[int, Samples], *, nanovolts: int = 2500, interval_us: int = 2000) -> bytes:
    """Return an SCP-ECG record with uncompressed rhythm data.

    Args:
        leads: Lead number of EN 1064 to its samples, all of one length.
        nanovolts: Amplitude of one step.
        interval_us: Time of one sample.
    """
    patient = (
        _tag(0, b"Muster\x00") + _tag(1, b"Clara\x00") + _tag(2, b"0012\x00")
        + _tag(5, struct.pack("<HBB", 1955, 7, 21)) + _tag(8, b"\x02")
        + _tag(14, b"\x00" * 36 + b"\x00") + _tag(25, struct.pack("<HBB", 2026, 11, 20))
        + _tag(26, bytes([13, 20, 5])) + _tag(255, b"")
    )  # fmt: skip
    count = len(next(iter(leads.values())))
    lead_list = bytes([len(leads), 0x04 | len(leads) << 3])
    lead_list += b"".join(struct.pack("<IIB", 1, count, number) for number in leads)
    rhythm = struct.pack("<HHBB", nanovolts, interval_us, 0, 0)
    rhythm += struct.pack(f"<{len(leads)}H", *(2 * len(s) for s in leads.values()))
    rhythm += b"".join(s.astype("<i2").tobytes() for s in leads.values())
    measured = bytes([1, 0]) + struct.pack("<HH", 900, 900)
    sections = {1: patient, 3: lead_list, 6: rhythm, 7: measured}
    numbers = list(range(12))
    at = 6 + len(_section(0, b"\x00" * 10 * len(numbers)))
    pointers, bodies = b"", b""
    for number in numbers:
        body = _section(number, sections[number]) if number in (1, 3, 6) else b""
        if number == 0:
            pointers += struct.pack("<HII", 0, 16 + 10 * len(numbers), 7)
            continue
        place = at + len(bodies) + 1 if body else 0
        pointers += struct.pack("<HII", number, len(body), place)
        bodies += body
    whole = _section(0, pointers) + bodies
    rest = struct.pack("<I", 6 + len(whole)) + whole
    return struct.pack("<H", crc_ccitt(rest)) + rest


def muse(leads: dict[str, Samples], *, unit: str = "MICROVOLTS", head: str = "") -> bytes:
    """Return a MUSE document with one rhythm waveform at 500 Hz, 4.88 uV a step.

    Args:
        leads: Lead name to its samples.
        unit: Of the amplitude.
        head: What stands between the XML declaration and the root, such as a document type.
    """
    data = "".join(
        f"<LeadData><LeadByteCountTotal>{2 * len(s)}</LeadByteCountTotal>"
        f"<LeadSampleCountTotal>{len(s)}</LeadSampleCountTotal>"
        f"<LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>"
        f"<LeadAmplitudeUnits>{unit}</LeadAmplitudeUnits><LeadID>{name}</LeadID>"
        f"<LeadSampleSize>2</LeadSampleSize><WaveFormData>"
        f"{base64.b64encode(s.astype('<i2').tobytes()).decode()}</WaveFormData></LeadData>"
        for name, s in leads.items()
    )
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{head}<RestingECG>'
        "<PatientDemographics><PatientID>0012</PatientID><DateofBirth>07-21-1955</DateofBirth>"
        "<Gender>FEMALE</Gender><PatientLastName>Muster</PatientLastName>"
        "<PatientFirstName>Clara</PatientFirstName></PatientDemographics>"
        "<TestDemographics><AcquisitionTime>13:20:05</AcquisitionTime>"
        "<AcquisitionDate>11-20-2026</AcquisitionDate></TestDemographics>"
        "<RestingECGMeasurements><VentricularRate>66</VentricularRate><PRInterval>150</PRInterval>"
        "<QRSDuration>90</QRSDuration><QTInterval>400</QTInterval><QTCorrected>420</QTCorrected>"
        "<RAxis>30</RAxis></RestingECGMeasurements>"
        "<Diagnosis><DiagnosisStatement><StmtFlag>ENDSLINE</StmtFlag>"
        "<StmtText>Normal sinus rhythm</StmtText></DiagnosisStatement></Diagnosis>"
        "<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase>"
        f"<SampleExponent>0</SampleExponent>{data}</Waveform></RestingECG>"
    ).encode("latin-1")


def edf(
    channels: Sequence[tuple[str, str, Samples]],
    *,
    kind: str = "",
    patient: str = "0012 F 21-JUL-1955 Muster_Clara",
    recording: str = "Startdate 20-NOV-2026 X X X",
    rate: int = 500,
) -> bytes:
    """Return an EDF file with one-second records; digital -32768..32767 is -3276.8..3276.7 units.

    Args:
        channels: (label, unit, samples), a whole number of seconds.
        kind: The reserved field: ``EDF+C``, ``EDF+D`` or nothing.
        patient: The patient field.
        recording: The recording field.
        rate: Samples a second of every channel.
    """
    count, records = len(channels), len(channels[0][2]) // rate
    fixed = (
        f"{'0':<8}{patient:<80}{recording:<80}20.11.2613.20.05"
        f"{256 * (count + 1):<8}{kind:<44}{records:<8}{1:<8}{count:<4}"
    )
    fields: list[tuple[int, list[str]]] = [
        (16, [label for label, _, _ in channels]), (80, [""] * count),
        (8, [unit for _, unit, _ in channels]), (8, ["-3276.8"] * count), (8, ["3276.7"] * count),
        (8, ["-32768"] * count), (8, ["32767"] * count), (80, [""] * count),
        (8, [str(rate)] * count), (32, [""] * count),
    ]  # fmt: skip
    header = fixed + "".join(f"{v:<{width}}" for width, values in fields for v in values)
    data = b"".join(
        samples[second * rate : (second + 1) * rate].astype("<i2").tobytes()
        for second in range(records)
        for _, _, samples in channels
    )
    return header.encode("ascii") + data
