"""Damaged waveforms, images and wearable files: an answer or a typed error, never a crash.

Each reader is given some hundreds of files made from a good one: cut, with flipped bits, with parts
taken out, doubled or put in from elsewhere. Time and memory of each are bounded.
"""

import io
import resource
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from knowledge.errors import InputError
from tests.data_folder import shared_data
from tests.tools.ecg.waveform_files import edf, muse, scp
from tests.tools.intake.wearable_files import (
    beat_train,
    ecg_csv,
    export_xml,
    export_zip,
    pressures,
    record,
    week,
)
from tools.ecg.model import EcgRecording
from tools.ecg.readers import read_ecg
from tools.imaging.dicom_image import is_image_object, read_dicom_image
from tools.imaging.dicom_object import sop_class
from tools.imaging.model import ImageFile
from tools.imaging.picture import read_picture
from tools.imaging.slide import read_tiff
from tools.intake.sniff import sniff
from tools.intake.wearable.apple_ecg import read_apple_ecg
from tools.intake.wearable.apple_export import read_apple_export
from tools.intake.wearable.model import WearableFile
from tools.intake.wearable.pressure_csv import read_pressure_table

EXAMPLES = 60
SECONDS = 20.0
"""For one file; all are below 1 MiB. A slow machine under load, not a promise of speed."""

MEMORY_KIB = 600 * 1024
"""Growth of the process over all examples of one reader."""

RAMP = np.arange(-250, 250, dtype=np.int16)
Reader = Callable[[bytes], object]


def _ecg(content: bytes) -> object:
    return read_ecg(content, file="f")


def _image(content: bytes) -> object:
    sop_class(content)
    return read_dicom_image(content, file="f", zone=None)


def _picture(format_: str) -> bytes:
    out = io.BytesIO()
    pixels = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) % 251
    Image.fromarray(pixels.astype(np.uint8)).save(out, format_)
    return out.getvalue()


def _tiff() -> bytes:
    return (shared_data("path-openslide-fixtures") / "boxes.tiff").read_bytes()


def _svs() -> bytes:
    return (shared_data("path-openslide-fixtures") / "small.svs").read_bytes()


def _aecg() -> bytes:
    whole = (shared_data("ecg-aecg-xml") / "Example aECG.xml").read_bytes()
    return whole[:60_000] + whole[-60_000:]  # damaged from the start; the whole is fuzzed too


def _export() -> bytes:
    heart = record("HeartRate", 60, "2026-11-18 07:00:00 +0100", "count/min")
    return export_xml(pressures(week()) + heart)


def _data(folder: str, name: str) -> Callable[[], bytes]:
    def read() -> bytes:
        return (shared_data(folder) / name).read_bytes()

    return read


FILES: dict[str, tuple[Callable[[], bytes], Reader]] = {
    "aECG": (_data("ecg-aecg-xml", "subject1_0.xml"), _ecg),
    "aECG in parts": (_aecg, _ecg),
    "EDF": (lambda: edf([("ECG I", "uV", np.tile(RAMP, 4))], kind="EDF+C"), _ecg),
    "SCP-ECG": (lambda: scp({1: RAMP, 2: RAMP, 3: RAMP}), _ecg),
    "MUSE": (lambda: muse({"I": RAMP, "II": RAMP, "V1": RAMP}), _ecg),
    "DICOM CT": (_data("dicom-misc", "ct_image.dcm"), _image),
    "DICOM slide": (_data("dicom-misc", "sm_image.dcm"), _image),
    "DICOM film": (_data("dicom-misc", "chrJapMulti.dcm"), _image),
    "PNG": (lambda: _picture("PNG"), lambda c: read_picture(c, file="f")),
    "JPEG": (lambda: _picture("JPEG"), lambda c: read_picture(c, file="f")),
    "TIFF": (_tiff, lambda c: read_tiff(c, file="f")),
    "SVS": (_svs, lambda c: read_tiff(c, file="f")),
    "health export": (_export, lambda c: read_apple_export(c, file="f", zone=None)),
    "health export, ZIP": (
        lambda: export_zip(_export(), [ecg_csv(beat_train([0.8] * 30, rate_hz=512.0))]),
        lambda c: read_apple_export(c, file="f", zone=None),
    ),
    "single-lead ECG": (
        lambda: ecg_csv(beat_train([0.8] * 5, rate_hz=512.0)),
        lambda c: read_apple_ecg(c, file="f", zone=None),
    ),
    "home pressures": (
        lambda: b"Date,Time,Systolic,Diastolic,Pulse\n" + b"2026-11-18,07:00,135,85,70\n" * 40,
        lambda c: read_pressure_table(c, file="f", zone=None),
    ),
}  # fmt: skip


@st.composite
def damage(draw: st.DrawFn) -> tuple[list[tuple[str, float, float]], bytes]:
    """Return what is done to a file: places as shares of its length, and bytes put in."""
    kinds = st.sampled_from(["cut", "flip", "take out", "double", "put in", "zero"])
    share = st.floats(0, 1)
    steps = draw(st.lists(st.tuples(kinds, share, share), min_size=1, max_size=6))
    return steps, draw(st.binary(max_size=40))


def damaged(content: bytes, steps: list[tuple[str, float, float]], put: bytes) -> bytes:
    """Return a content after the damage."""
    for kind, first, second in steps:
        at = int(first * len(content))
        span = max(int(second * 200), 1)
        match kind:
            case "cut":
                content = content[:at]
            case "flip" if at < len(content):
                flipped = content[at] ^ (1 << int(second * 7.99))
                content = content[:at] + bytes([flipped]) + content[at + 1 :]
            case "take out":
                content = content[:at] + content[at + span :]
            case "double":
                content = content[: at + span] + content[at:]
            case "put in":
                content = content[:at] + put + content[at:]
            case "zero":
                content = content[:at] + b"\x00" * span + content[at + span :]
    return content


@cache
def _good(name: str) -> bytes:
    return FILES[name][0]()


def _says(result: object) -> bool:
    """Return whether an answer says something; a reader that returns nothing would be silence."""
    match result:
        case EcgRecording():
            return result.signal_mv.size > 0 and result.sampling_rate_hz > 0
        case ImageFile():
            return bool(result.facts or result.problems)
        case WearableFile():
            return bool(result.readings or result.strips or result.problems or result.ignored)
        case _:
            return False


def _outcome(reader: Reader, content: bytes) -> str:
    try:
        result = reader(content)
    except InputError as error:
        return "refused" if error.item and error.reason else "refused without a reason"
    return "read" if _says(result) else "silence"


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_gives_an_answer_or_a_typed_error(name: str) -> None:
    good, reader = _good(name), FILES[name][1]
    assert name == "aECG in parts" or _says(reader(good))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damage())
    def check(how: tuple[list[tuple[str, float, float]], bytes]) -> None:
        content = damaged(good, *how)
        sniff(content)
        begun = time.perf_counter()
        outcomes[_outcome(reader, content)] += 1
        assert time.perf_counter() - begun < SECONDS

    check()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEMORY_KIB
    assert outcomes.keys() <= {"read", "refused"}
    assert outcomes["refused"] > 0


def _hostile() -> Iterator[tuple[str, bytes]]:
    yield "deep XML", b"<AnnotatedECG>" + b"<a>" * 200_000
    yield "deep export", b"<HealthData>" + b"<a>" * 200_000
    yield "many elements", b"<AnnotatedECG>" + b"<a/>" * 1_500_000 + b"</AnnotatedECG>"
    yield "many signals", edf([("ECG", "uV", np.tile(RAMP, 2))]).replace(b"1   ECG", b"9999ECG")
    yield "huge PNG", _huge_png()
    yield "TIFF that circles", b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00" + b"\x00" * 40
    yield "nested DICOM", _nested_dicom()


def _huge_png() -> bytes:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    data = zlib.compress(b"\x00" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _nested_dicom() -> bytes:
    """Return a data set whose species code sequence holds itself 20000 times."""
    sequence = b"\x10\x00\x02\x22SQ\x00\x00\xff\xff\xff\xff"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    meta = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    return b"\x00" * 128 + b"DICM" + meta + (sequence + item) * 20_000


@pytest.mark.parametrize(("name", "content"), list(_hostile()), ids=[n for n, _ in _hostile()])
def test_a_file_made_to_exhaust_is_refused_in_bounds(name: str, content: bytes) -> None:
    readers: list[Reader] = [_ecg, _image, lambda c: read_picture(c, file="f")]
    readers += [
        lambda c: read_tiff(c, file="f"),
        lambda c: read_apple_export(c, file="f", zone=None),
    ]
    begun = time.perf_counter()
    is_image_object(sop_class(content))
    for reader in readers:
        with pytest.raises(InputError):
            reader(content)
    assert time.perf_counter() - begun < 3 * SECONDS
