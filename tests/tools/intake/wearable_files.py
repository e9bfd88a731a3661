"""Files as health apps export them, written by hand; nobody's data.

The layout of the XML and of the ECG's CSV is that of public descriptions of real exports: the ECG
begins with Name, Date of Birth, Recorded Date, Classification, Symptoms, Software Version, Device,
Sample Rate, then Lead and Unit, then one sample a line in microvolts.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

TYPE = """<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED >
<!ATTLIST Record type CDATA #REQUIRED startDate CDATA #REQUIRED <!-- not well-formed, as of 2022 -->
]>"""

Pressure = tuple[str, float, float]


def beat_train(
    rr_s: Iterable[float], *, rate_hz: float, height_uv: float = 900
) -> NDArray[np.float64]:
    """Return (samples,) uV: a narrow R wave and a low T wave at each beat, and a little noise."""
    beats = np.cumsum(list(rr_s))
    time = np.arange(int((beats[-1] + 0.5) * rate_hz)) / rate_hz
    signal = 5 * np.sin(2 * np.pi * 0.3 * time)
    for at in beats:
        signal += height_uv * np.exp(-(((time - at) / 0.012) ** 2))
        signal += 120 * np.exp(-(((time - at - 0.25) / 0.05) ** 2))
        signal += 60 * np.exp(-(((time - at + 0.16) / 0.025) ** 2))
    return signal


def ecg_csv(
    samples_uv: Sequence[float] | NDArray[np.float64],
    *,
    rate: str = "512.414 hertz",
    lead: str = "Lead I",
    unit: str = "µV",
    classification: str = "Sinus Rhythm",
    comma: bool = False,
    born: str = '"Jul 21, 1955"',
) -> bytes:
    """Return the CSV of one ECG."""
    head = (
        f"Name,Clara Muster\nDate of Birth,{born}\nRecorded Date,2026-11-19 08:14:40 +0100\n"
        f"Classification,{classification}\nSymptoms,\nSoftware Version,1.90\n"
        f'Device,"Watch5,4"\nSample Rate,{rate}\n\nLead,{lead}\nUnit,{unit}\n\n'
    )
    lines = (f"{value:.3f}" for value in samples_uv)
    text = "\n".join(line.replace(".", ",") if comma else line for line in lines)
    return (head + text + "\n").encode()


def record(kind: str, value: object, at: str, unit: str = "mmHg", source: str = "Cuff") -> str:
    """Return one Record element."""
    return (
        f'<Record type="HKQuantityTypeIdentifier{kind}" sourceName="{source}" unit="{unit}" '
        f'creationDate="{at}" startDate="{at}" endDate="{at}" value="{value}"/>'
    )


def pressures(readings: Iterable[Pressure]) -> str:
    """Return pairs as an export has them: each number by itself and again within its pair."""
    parts = []
    for at, systolic, diastolic in readings:
        two = record("BloodPressureSystolic", systolic, at) + record(
            "BloodPressureDiastolic", diastolic, at
        )
        pair = "HKCorrelationTypeIdentifierBloodPressure"
        parts.append(two + f'<Correlation type="{pair}" startDate="{at}">{two}</Correlation>')
    return "\n".join(parts)


def export_xml(body: str, *, born: str = "1955-07-21", head: str = TYPE) -> bytes:
    """Return the XML of an export."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n<HealthData locale="en_US">'
        '<ExportDate value="2026-11-20 09:00:00 +0100"/>'
        f'<Me HKCharacteristicTypeIdentifierDateOfBirth="{born}" '
        'HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"/>'
        f"{body}</HealthData>"
    ).encode()


def export_zip(xml: bytes, ecgs: Sequence[bytes] = ()) -> bytes:
    """Return the ZIP of an export."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("apple_health_export/export.xml", xml)
        for number, content in enumerate(ecgs):
            made.writestr(f"apple_health_export/electrocardiograms/ecg_{number}.csv", content)
    return out.getvalue()


def week(systolic: float = 140, diastolic: float = 80, days: int = 7) -> list[Pressure]:
    """Return four readings a day, 07:00, 07:02, 19:00 and 23:30, up to 2026-11-19."""
    clocks = ("07:00:00", "07:02:00", "19:00:00", "23:30:00")
    return [
        (f"2026-11-{20 - days + day:02d} {clock} +0100", systolic, diastolic)
        for day in range(days)
        for clock in clocks
    ]
