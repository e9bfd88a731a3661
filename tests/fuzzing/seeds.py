"""The files the front door is tried with: one of every kind that is read, made here or real.

All made files are of one invented patient, so that what is read of them joins the good chart.
"""

import base64
import gzip
import io
import random
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import orjson
import pydicom
import tifffile
from openpyxl import Workbook
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.data_folder import ROOT
from tests.fuzzing.real_files import real_files
from tests.tools.ecg.waveform_files import edf, muse, scp
from tests.tools.intake.hl7v2 import messages as hl7
from tests.tools.intake.report_text.test_report_text import CHINESE, ENGLISH, pdf
from tests.tools.intake.samples import bundle, observation, patient
from tests.tools.intake.tables.samples import HEADER, MAPPING, POTASSIUM
from tests.tools.intake.wearable_files import (
    beat_train,
    ecg_csv,
    export_xml,
    export_zip,
    pressures,
    week,
)
from tools.ecg.model import LEADS_12
from tools.ecg.readers import read_ecg
from tools.ecg.writers import write_ecg

STATED = """schema: epicrisis/case/1
problem: acute chest pain
time_zone: Europe/Berlin
at: 2026-11-20T14:40:00+01:00
patient:
  identifiers: [{system: "urn:oid:1.2.3", value: "0012"}]
  family: Muster
  given: [Clara]
  birth_date: 1955-07-21
  sex: female
facts:
  onset: 2026-11-20T10:30:00+01:00
  diaphoresis: no
  heart_rate: 110 /min
  systolic_bp: {value: 105, unit: mmHg, time: 2026-11-20T13:25:00+01:00, by: nurse}
answers:
  known_cad: {value: yes, by: Dr. M, time: 2026-11-20T14:30:00+01:00}
results:
  - {analyte: hs_ctnt, value: "12 ng/L", time: 2026-11-20T13:30:00+01:00, method: Roche}
notes:
  - {title: triage, time: 2026-11-20T13:25:00+01:00, by: nurse, text: "Pale and sweating."}
attach:
  - {file: note.txt, patient: same, recorded_at: 2026-11-20T13:20:00+01:00}
"""
ROWS = (
    POTASSIUM,
    "0012;Natrium;138;mmol/L;20.11.2026 08:10;135-145;;Serum",
    "0012;Kreatinin;1.088,5;umol/L;20.11.2026 08:10;;+;Serum",
)
PLAIN = (
    "test,value,unit,collected,reference range,flag,specimen,patient id\n"
    "potassium,5.9,mmol/L,2026-11-20T08:10:00+01:00,3.5-5.1,H,serum,0012\n"
    "sodium,138,mmol/L,2026-11-20T08:10:00+01:00,135-145,,serum,0012\n"
)
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One file to be changed, and what lies beside it.

    Args:
        name: Name of the file in the folder.
        content: What is changed.
        beside: Other files it needs, by name; not changed.
        origin: Where it comes from, in words.
    """

    name: str
    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)
    origin: str = "made"


@cache
def seeds(kind: str) -> tuple[Seed, ...]:
    """Return the files of a kind: those made here first, then the real ones that are there."""
    return (*_MADE[kind](), *(Seed(**one) for one in real_files(kind)))


def pick(kind: str, rng: random.Random) -> Seed:
    """Return a file of a kind; real ones half of the time, where there are any."""
    found = seeds(kind)
    made = [seed for seed in found if seed.origin == "made"]
    real = found[len(made) :]
    return rng.choice(real if real and rng.random() < 0.5 else made)


def _signal(samples: int = 1000) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    beats = beat_train([0.8] * 6, rate_hz=250)[:samples]
    return np.resize(beats, samples).astype(np.int16)


@cache
def _recording_edf() -> bytes:
    wave = _signal()
    channels = [(f"ECG {lead}", "uV", wave + 7 * at) for at, lead in enumerate(LEADS_12)]
    return edf(channels, kind="EDF+C", rate=250)


@cache
def _written(form: str) -> bytes:
    return write_ecg(read_ecg(_recording_edf(), file="a.edf", zone="Europe/Berlin"), form)


def _one(name: str, *contents: bytes, **beside: bytes) -> tuple[Seed, ...]:
    return tuple(Seed(name=name, content=content, beside=beside) for content in contents)


def _chart() -> tuple[Seed, ...]:
    examples = [
        (ROOT / "serving" / "examples" / name / "chart.json").read_bytes()
        for name in ("laboratory", "nstemi")
    ]
    condition = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {
            "text": "diabetes",
            "coding": [{"system": "http://snomed.info/sct", "code": "44054006"}],
        },
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": "2010-05",
    }
    medicine = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "active",
        "medicationCodeableConcept": {"text": "aspirin 100 mg"},
        "subject": {"reference": "Patient/p1"},
        "effectivePeriod": {"start": "2026-11-01"},
    }
    note = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "type": {"text": "note"},
        "subject": {"reference": "Patient/p1"},
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "data": base64.b64encode(b"Pain.").decode(),
                }
            }
        ],
    }
    ranged = observation(id="o2", referenceRange=[{"high": {"value": 14, "unit": "ng/L"}}])
    own = bundle(patient(), observation(), ranged, condition, medicine, note)
    made = [orjson.dumps(own), orjson.dumps(bundle(patient(), orjson.loads(_written("fhir"))))]
    return _one("chart.json", *made, *examples)


def _ndjson() -> tuple[Seed, ...]:
    lines = [patient(), *(observation(id=f"o{n}", value=n) for n in range(1, 6))]
    return _one("chart.ndjson", b"\n".join(map(orjson.dumps, lines)) + b"\n")


def _film() -> tuple[Seed, ...]:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1.1")
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "Muster^Clara", "19550721", "F"
    ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "0012", "1.2.3", "1.2.3.1"
    ds.StudyDate, ds.StudyTime, ds.TimezoneOffsetFromUTC = "20261120", "091500", "+0100"
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "CHEST", "PA"
    ds.Rows = ds.Columns = 32
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.PixelSpacing = [0.2, 0.2]
    ds.PixelData = bytes(range(256)) * 8
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return _one("film.dcm", out.getvalue())


def _wfdb_parts() -> tuple[bytes, bytes]:
    head = ["rec 12 250 1000 13:20:05 20/11/2026"]
    head += [f"rec.dat 16 1000(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS_12]
    wave = np.stack([_signal() + at for at in range(12)], axis=1)
    text = "\n".join([*head, "# Age: 71 Sex: F"]) + "\n"
    return text.encode(), wave.astype("<i2").tobytes()


def _wfdb_header() -> tuple[Seed, ...]:
    head, signal = _wfdb_parts()
    return (Seed(name="rec.hea", content=head, beside={"rec.dat": signal}),)


def _wfdb_signal() -> tuple[Seed, ...]:
    head, signal = _wfdb_parts()
    return (Seed(name="rec.dat", content=signal, beside={"rec.hea": head}),)


def _sierra() -> tuple[Seed, ...]:
    wave = np.stack([_signal() + at for at in range(12)]).astype("<i2").tobytes()
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<restingecgdata '
        'xmlns="http://www3.medical.philips.com"><documentinfo>'
        "<documenttype>SierraECG</documenttype><documentversion>1.03</documentversion>"
        '</documentinfo><dataacquisition date="2026-11-20" time="13:20:05">'
        "<signalcharacteristics><samplingrate>250</samplingrate>"
        "<signalresolution>1</signalresolution><acquisitiontype>STD-12</acquisitiontype>"
        "<signalsigned>True</signalsigned><numberchannelsvalid>12</numberchannelsvalid>"
        "<leadset>STD-12</leadset></signalcharacteristics></dataacquisition>"
        "<patient><generalpatientdata><patientid>0012</patientid><name>"
        "<lastname>Muster</lastname><firstname>Clara</firstname></name><age>"
        "<dateofbirth>1955-07-21</dateofbirth></age><sex>Female</sex></generalpatientdata>"
        "</patient><interpretations><interpretation><globalmeasurements>"
        "<heartrate>66</heartrate><printint>150</printint></globalmeasurements>"
        "<statement><leftstatement>Sinus rhythm</leftstatement></statement></interpretation>"
        '</interpretations><waveforms><parsedwaveforms dataencoding="Base64" '
        'compression="Uncompressed" durationperchannel="4000" samplespersecond="250" '
        f'numberofleads="12">{base64.b64encode(wave).decode()}</parsedwaveforms></waveforms>'
        "</restingecgdata>"
    )
    return _one("ecg.xml", text.encode())


def _muse() -> tuple[Seed, ...]:
    return _one("ecg.xml", muse({lead: _signal(500) for lead in ("I", "II", "V1", "V2", "V5")}))


def _messages() -> tuple[Seed, ...]:
    coded = hl7.obx("<^3", number=2, kind="SN")
    text = ("TXA|1|DS|TX|20261120||||||||D1|D0", "OBX|1|TX|1^n||a\\T\\b")
    picture = "OBX|2|ED|1^p||^AP^PDF^Base64^QUFB"
    visit = "PV1|1|E" + "|" * 17 + "V1"
    order = ("ORC|NW|P1", hl7.obr(status=""), "SPM|1|||BLD", hl7.obx("1", kind="CWE"))
    ill = ("DG1|1||R07.4^Pain^I10|||A", "AL1|1|DA|1")
    return _one(
        "message.hl7",
        hl7.oru(hl7.obx("12"), coded, "NTE|1||haemolysed"),
        hl7.oru(hl7.obx("12", status="C")) + hl7.oru(hl7.obx("", status="W"), control="M2"),
        hl7.message(hl7.msh("MDM^T02"), hl7.PID, *text, picture),
        hl7.message(hl7.msh("ADT^A01"), hl7.PID, visit, *ill),
        hl7.message(hl7.msh("OML^O21"), hl7.PID, *order),
        hl7.message(hl7.msh("ADT^A40"), hl7.PID, "MRG|1"),
    )


def _csv() -> tuple[Seed, ...]:
    table = "\n".join((HEADER, *ROWS)) + "\n"
    beside = {"mapping.yaml": MAPPING.encode()}
    mapped = Seed(name="labs.csv", content=table.encode(), beside=beside)
    return (mapped, *_one("results.csv", PLAIN.encode()))


def _tsv() -> tuple[Seed, ...]:
    return _one("results.tsv", PLAIN.replace(",", "\t").encode())


def _mapping() -> tuple[Seed, ...]:
    table = "\n".join((HEADER, *ROWS)) + "\n"
    return (
        Seed(name="mapping.yaml", content=MAPPING.encode(), beside={"labs.csv": table.encode()}),
    )


def _workbook() -> tuple[Seed, ...]:
    made, out = Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet is not None
    for line in PLAIN.splitlines():
        cells = line.split(",")
        sheet.append(
            [float(c) if c.replace(".", "").isdigit() and c != "0012" else c for c in cells]
        )
    made.save(out)
    return _one("results.xlsx", _timeless(out.getvalue()))


def _timeless(content: bytes) -> bytes:
    """Return a ZIP without the moment it was made, so that it is the same each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            inner = _MOMENT.sub(b"2026-11-20T08:00:00Z", old.read(name))
            new.writestr(zipfile.ZipInfo(name), inner, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _apple_export() -> tuple[Seed, ...]:
    xml = export_xml(pressures(week(days=2)))
    strip = ecg_csv(beat_train([0.8] * 4, rate_hz=512.414))
    return (*_one("export.xml", xml), *_one("export.zip", _timeless(export_zip(xml, [strip]))))


def _home_pressures() -> tuple[Seed, ...]:
    rows = [f"2026-11-{day} 07:0{day % 10},14{day % 10},8{day % 10},66" for day in range(10, 18)]
    return _one("home.csv", "\n".join(("Date,Systolic,Diastolic,Pulse", *rows)).encode() + b"\n")


def _picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray((np.arange(1200, dtype=np.uint8) * 7).reshape(30, 40)).save(out, form)
    return out.getvalue()


def _tiff() -> tuple[Seed, ...]:
    return _one("picture.tif", _picture("TIFF"))


def _slide() -> tuple[Seed, ...]:
    out = io.BytesIO()
    text = "Aperio Image Library v11.2.1\n64x64 [0,0 64x64] (16x16)|AppMag = 20|MPP = 0.5"
    with tifffile.TiffWriter(out) as made:
        for size in (64, 32):
            level = np.full((size, size, 3), 180, np.uint8)
            made.write(level, tile=(16, 16), photometric="rgb", description=text, metadata=None)
    return _one("slide.svs", out.getvalue())


def _gzip() -> tuple[Seed, ...]:
    chart, message = _chart()[0].content, _messages()[0].content
    parts = [
        ("chart.json.gz", chart),
        ("message.hl7.gz", message),
        ("ecg.edf.gz", _recording_edf()),
    ]
    return tuple(Seed(name=name, content=gzip.compress(c, mtime=0)) for name, c in parts)


_MADE: Mapping[str, Callable[[], Sequence[Seed]]] = {
    "fhir-json": _chart,
    "fhir-ndjson": _ndjson,
    "hl7v2": _messages,
    "dicom-ecg": lambda: _one("ecg.dcm", _written("dicom")),
    "dicom-image": _film,
    "wfdb-header": _wfdb_header,
    "wfdb-signal": _wfdb_signal,
    "sierra": _sierra,
    "aecg": lambda: _one("ecg.xml", _written("aecg")),
    "muse": _muse,
    "scp": lambda: _one("ecg.scp", scp({number: _signal(500) for number in range(1, 9)})),
    "edf": lambda: _one("ecg.edf", _recording_edf()),
    "table-csv": _csv,
    "table-tsv": _tsv,
    "table-xlsx": _workbook,
    "table-mapping": _mapping,
    "report-text": lambda: _one("report.txt", ENGLISH.encode(), CHINESE.encode()),
    "report-pdf": lambda: _one("report.pdf", pdf(ENGLISH)),
    "case-yaml": lambda: (
        Seed(name="case.yaml", content=STATED.encode(), beside={"note.txt": b"Pain since noon."}),
    ),
    "apple-export": _apple_export,
    "apple-ecg": lambda: _one("ecg.csv", ecg_csv(beat_train([0.8] * 6, rate_hz=512.414))),
    "home-pressure": _home_pressures,
    "png": lambda: _one("picture.png", _picture("PNG")),
    "jpeg": lambda: _one("picture.jpg", _picture("JPEG")),
    "tiff": _tiff,
    "svs": _slide,
    "gzip": _gzip,
}

KINDS = tuple(_MADE)
"""Every kind of file that is tried."""
