"""DICOM ECGs with values that cannot be: none crashes, none gives a signal that is believed."""

import io
import logging
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from knowledge.errors import InputError, UnreadableError, UnsupportedError
from knowledge.finding import State
from tests.data_folder import shared_data
from tests.tools.ecg.hand_made import age, sex
from tools.ecg.analysis import ecg_analysis
from tools.ecg.readers import read_ecg

SENSITIVITY, CORRECTION, BASELINE = 0x003A0210, 0x003A0212, 0x003A0213
RATE, MOMENT, BORN = 0x003A001A, 0x0008002A, 0x00100030
SYNTAX = b"1.2.840.10008.1.2.1"
TWELVE_LEAD = b"1.2.840.10008.5.1.4.1.1.9.1.1"


def _raw(ds: Dataset, tag: int, vr: str, text: str) -> None:
    """Put bytes into a data set as a file would hold them, past pydicom's own checks."""
    value = text.encode() + b" " * (len(text) % 2)
    ds._dict[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def _edited(edit: Callable[[Any], None]) -> bytes:
    ds = pydicom.dcmread(shared_data("ecg-dicom") / "waveform_ecg.dcm")
    edit(ds)
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def _channels(*values: tuple[int, str]) -> bytes:
    def edit(ds: Dataset) -> None:
        for group in ds.WaveformSequence:
            for channel in group.ChannelDefinitionSequence:
                for tag, text in values:
                    _raw(channel, tag, "DS", text)

    return _edited(edit)


# ---- transfer syntax


def _element(group: int, element: int, vr: bytes, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    head = struct.pack("<HH", group, element) + vr
    if vr == b"OB":
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def _file(syntax: bytes, body: bytes, *, before: int = 0) -> bytes:
    """Return a DICOM file with `before` bytes of other meta elements before its syntax."""
    meta = _element(2, 1, b"OB", b"\0" * before) if before else b""
    meta += _element(2, 0x10, b"UI", syntax)
    length = _element(2, 0, b"UL", struct.pack("<I", len(meta)))
    return b"\0" * 128 + b"DICM" + length + meta + body


@pytest.mark.parametrize("before", [0, 2000, 100_000], ids=str)
def test_a_deflated_data_set_is_refused_before_it_is_inflated(before: int) -> None:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = press.compress(_element(8, 0x16, b"UI", TWELVE_LEAD))
    body += press.compress(struct.pack("<HH2sHI", 0x5400, 0x1010, b"OB", 0, 200 * 2**20))
    body += b"".join(press.compress(b"\0" * 2**20) for _ in range(200)) + press.flush()
    content = _file(b"1.2.840.10008.1.2.1.99", body, before=before)
    tracemalloc.start()
    with pytest.raises(UnsupportedError, match="Deflated Explicit VR Little Endian") as caught:
        read_ecg(content, file="e.dcm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.way_out
    assert peak < 20 * 2**20, "200 MiB would be there once inflated"


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (b"1.2.840.10008.1.2.2", "Explicit VR Big Endian"),
        (b"1.2.840.10008.1.2.4.50", "JPEG Baseline"),
        (b"1.2.3.SECRET", "not one of the standard"),
    ],
)
def test_another_syntax_is_refused_by_name_and_an_unknown_one_is_not_repeated(
    syntax: bytes, words: str
) -> None:
    with pytest.raises(UnsupportedError, match=words) as caught:
        read_ecg(_file(syntax, b""), file="e.dcm")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "meta",
    [
        struct.pack("<HHI", 2, 0x10, 22) + b"1.2.840.10008.1.2.1.99",
        _element(2, 1, b"QQ", b"\0") + _element(2, 0x10, b"UI", SYNTAX),
        _element(2, 0x10, b"QQ", b"1.2.840.10008.1.2.1.99"),
    ],
    ids=["implicit VR", "unknown VR first", "syntax of an unknown VR"],
)
def test_meta_information_that_pydicom_would_read_in_another_way_is_refused(meta: bytes) -> None:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = press.compress(_element(8, 0x16, b"UI", TWELVE_LEAD)) + press.flush()
    with pytest.raises(InputError, match=r"damaged DICOM|Deflated"):
        read_ecg(b"\0" * 128 + b"DICM" + meta + body, file="e.dcm")


# ---- amplitudes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([(SENSITIVITY, "-1")], "sensitivity of -1, which is not positive"),
        ([(SENSITIVITY, "0")], "sensitivity of 0, which is not positive"),
        ([(CORRECTION, "-1")], "not positive"),
        ([(CORRECTION, "0")], "not positive"),
        ([(SENSITIVITY, "125")], "wider than any ECG"),
    ],
    ids=["negative", "zero", "negative correction", "zero correction", "100 times too large"],
)
def test_a_gain_that_cannot_be_right_blocks_every_statement_of_amplitude(
    values: list[tuple[int, str]], words: str
) -> None:
    recording = read_ecg(_channels(*values), file="e.dcm")
    assert recording.gain_doubt is not None
    assert words in recording.gain_doubt
    report = ecg_analysis(recording, age_years=age(60), sex=sex("male"))
    assert report.finding("stemi_criteria").state is State.NOT_ASSESSED
    assert "gain" in str(report.finding("stemi_criteria").not_assessed)


@pytest.mark.parametrize(
    "values",
    [
        [(SENSITIVITY, "1e300")],
        [(SENSITIVITY, "1e300"), (CORRECTION, "1e300")],
        [(SENSITIVITY, "nan")],
        [(SENSITIVITY, "inf")],
        [(BASELINE, "1e306")],
        [(BASELINE, "nan")],
    ],
    ids=["huge", "huge twice", "nan", "inf", "huge baseline", "nan baseline"],
)
def test_an_amplitude_no_recorder_can_put_out_is_unreadable(values: list[tuple[int, str]]) -> None:
    with pytest.raises(UnreadableError, match=r"no recorder can put out|no number"):
        read_ecg(_channels(*values), file="e.dcm")


@pytest.mark.parametrize("rate", ["1e300", "nan", "inf", "-500", "0", "0.0001"])
def test_a_rate_no_recorder_has_is_unreadable(rate: str) -> None:
    content = _edited(lambda ds: _raw(ds.WaveformSequence[0], RATE, "DS", rate))
    with pytest.raises(UnreadableError, match="sampling rate"):
        read_ecg(content, file="e.dcm")


def test_an_unknown_lead_name_is_one_short_printable_line() -> None:
    def label(ds: Dataset) -> None:
        for channel in ds.WaveformSequence[0].ChannelDefinitionSequence[:1]:
            channel.ChannelSourceSequence = []
            _raw(channel, 0x003A0203, "SH", "\x1b[31mX\u202e" + "y" * 90)

    name = next(n for n in read_ecg(_edited(label), file="e.dcm").leads if "X" in n)
    assert name.isprintable()
    assert len(name) <= 40


# ---- times


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        ("99991231235959", None, "placeholder"),
        ("00010101000000", "Europe/Berlin", "placeholder"),
        ("99991231235959-1200", None, "placeholder"),
        ("20260329023000", "Europe/Berlin", "does not exist in Europe/Berlin"),
    ],
)
def test_a_start_that_cannot_be_is_left_out_and_the_signal_is_read(
    moment: str, zone: str | None, words: str
) -> None:
    def edit(ds: Dataset) -> None:
        _raw(ds, MOMENT, "DT", moment)
        for name in ("ContentDate", "ContentTime"):
            ds.__delattr__(name)

    recording = read_ecg(_edited(edit), file="e.dcm", zone=zone)
    assert recording.start is None
    assert recording.signal_mv.shape == (10000, 12)
    assert any(
        "the start of the recording is not used" in n and words in n for n in recording.notes
    )


def test_a_start_in_the_hour_that_comes_twice_stays_on_its_own_clock() -> None:
    content = _edited(lambda ds: _raw(ds, MOMENT, "DT", "20261025023000"))
    start = read_ecg(content, file="e.dcm", zone="Europe/Berlin").start
    assert start is not None
    assert (start.zone, start.at.hour, start.at.minute) == ("unknown", 2, 30)


def test_a_placeholder_date_of_birth_is_left_out_and_told_without_its_value() -> None:
    recording = read_ecg(_edited(lambda ds: _raw(ds, BORN, "DA", "00010101")), file="e.dcm")
    assert recording.identity.birth_date is None
    assert "the date of birth is not used: no such date: placeholder" in recording.notes


# ---- log


def test_no_value_of_a_file_reaches_a_log_or_a_stream(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def secret(ds: Dataset) -> None:
        _raw(ds, 0x00080005, "CS", "SECRETCS")
        _raw(ds, 0x00100030, "DA", "SECRET19550721")
        _raw(ds, 0x00100020, "LO", "SECRET" * 20)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydicom, which writes the file
        content = _edited(secret)
    logging.getLogger("pydicom").setLevel(logging.DEBUG)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        read_ecg(content, file="e.dcm")
    assert not [r for r in caplog.records if r.name.startswith("pydicom")]
    streams = capfd.readouterr()
    assert "SECRET" not in streams.out + streams.err + caplog.text


def test_padding_is_still_an_invalid_sample_and_not_an_amplitude() -> None:
    def padded(ds: Dataset) -> None:
        group = ds.WaveformSequence[0]
        raw = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12).copy()
        raw[:, 3] = -32768
        group.WaveformData = raw.tobytes()
        group.add_new("WaveformPaddingValue", "OW", b"\x00\x80")

    recording = read_ecg(_edited(padded), file="e.dcm")
    assert np.isnan(recording.signal_mv[:, 3]).all()
    assert recording.gain_doubt is None
