"""Reading DICOM, WFDB and Sierra files, and refusing what is damaged, hostile or something else."""

import io
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.finding import Finding
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import device_values, read_path
from tools.ecg.model import LEADS_12
from tools.ecg.readers import limits, read_ecg
from tools.ecg.readers.device_said import ECG_DEVICE, clean

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb 4.3 warns of its own use of pandas
    import wfdb  # type: ignore[import-untyped]


def _dicom() -> Path:
    return shared_data("ecg-dicom") / "waveform_ecg.dcm"


def _edited(edit: Any) -> bytes:
    """Return the DICOM sample with `edit` applied to its data set."""
    ds = pydicom.dcmread(_dicom())
    edit(ds)
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def _texts(findings: tuple[Finding, ...], code: str) -> list[str]:
    return [str(f.value) for f in findings if f.concept.has(ECG_DEVICE, code)]


# ---- DICOM


def test_dicom_signal_equals_pydicoms_own_scaling() -> None:
    recording = read_path(_dicom())
    expected = pydicom.dcmread(_dicom()).waveform_array(0) / 1000  # uV to mV
    np.testing.assert_allclose(recording.signal_mv, expected, atol=1e-12)
    assert recording.leads == LEADS_12
    assert recording.sampling_rate_hz == 1000


def test_dicom_rhythm_is_taken_and_not_the_median_beat_wherever_it_stands() -> None:
    def median_first(ds: Dataset) -> None:
        ds.WaveformSequence = list(reversed(ds.WaveformSequence))

    assert read_ecg(_edited(median_first), file="e.dcm").signal_mv.shape == (10000, 12)


def test_dicom_identity_and_device_statements_are_kept_apart_from_ours() -> None:
    recording = read_path(_dicom())
    assert recording.identity.identifiers == (("", "642341"),)
    assert recording.identity.sex == "female"
    assert str(recording.identity.birth_date) == "1971-01-23"
    assert _texts(recording.device_said, "statement") == ["RITMO SINUSALE", "ECG NORMALE"]
    assert all("device-said" in f.flags for f in recording.device_said)
    assert "pp" not in device_values(recording), "a PP interval of 0 ms means missing"


@pytest.mark.parametrize(
    ("changes", "zone", "expected"),
    [
        ({}, None, "unknown"),
        ({}, "Europe/Rome", "declared"),
        ({"TimezoneOffsetFromUTC": "+0100"}, None, "stated"),
        ({"AcquisitionDateTime": "20130125105919+0100"}, "America/New_York", "stated"),
    ],
    ids=["own clock", "declared zone", "offset attribute", "offset in the value"],
)
def test_dicom_time_takes_its_zone_from(
    changes: dict[str, str], zone: str | None, expected: str
) -> None:
    def edit(ds: Dataset) -> None:
        for name, value in changes.items():
            setattr(ds, name, value)

    start = read_ecg(_edited(edit), file="e.dcm", zone=zone).start
    assert start is not None
    assert start.zone == expected
    if expected != "unknown":
        assert start.at == datetime(2013, 1, 25, 9, 59, 19, tzinfo=UTC)


def test_dicom_in_millivolt_gives_the_same_signal() -> None:
    def in_mv(ds: Dataset) -> None:
        for channel in ds.WaveformSequence[0].ChannelDefinitionSequence:
            channel.ChannelSensitivity = "0.00125"
            channel.ChannelSensitivityUnitsSequence[0].CodeValue = "mV"

    recording = read_ecg(_edited(in_mv), file="e.dcm")
    np.testing.assert_allclose(recording.signal_mv, read_path(_dicom()).signal_mv, atol=1e-12)
    assert recording.gain_doubt is None


def test_dicom_without_sensitivity_doubts_its_gain() -> None:
    def bare(ds: Dataset) -> None:
        for channel in ds.WaveformSequence[0].ChannelDefinitionSequence:
            del channel.ChannelSensitivity
            del channel.ChannelSensitivityUnitsSequence

    doubt = read_ecg(_edited(bare), file="e.dcm").gain_doubt
    assert doubt is not None
    assert "no channel sensitivity" in doubt


def test_dicom_padding_value_is_an_invalid_sample() -> None:
    def padded(ds: Dataset) -> None:
        group = ds.WaveformSequence[0]
        raw = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12).copy()
        raw[100, 3] = -32768
        group.WaveformData = raw.tobytes()
        group.add_new("WaveformPaddingValue", "OW", b"\x00\x80")

    signal = read_ecg(_edited(padded), file="e.dcm").signal_mv
    assert np.argwhere(np.isnan(signal)).tolist() == [[100, 3]]


def test_dicom_leads_by_mdc_codes_and_inverted_avr_are_understood() -> None:
    numbers = dict(zip(LEADS_12, (1, 2, 61, 65, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))

    def mdc(ds: Dataset) -> None:
        for name, channel in zip(
            LEADS_12, ds.WaveformSequence[0].ChannelDefinitionSequence, strict=True
        ):
            channel.ChannelSourceSequence[0].CodeValue = f"2:{numbers[name]}"
            channel.ChannelSourceSequence[0].CodingSchemeDesignator = "MDC"

    recording, plain = read_ecg(_edited(mdc), file="e.dcm"), read_path(_dicom())
    assert recording.leads == LEADS_12
    sign = np.where(np.array(LEADS_12) == "aVR", -1, 1)  # 2:65 is -aVR
    np.testing.assert_allclose(recording.signal_mv, sign * plain.signal_mv, atol=1e-12)


def test_dicom_text_that_hides_or_reorders_characters_is_cleaned_and_cut() -> None:
    def hostile(ds: Dataset) -> None:
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.WaveformAnnotationSequence[0].UnformattedTextValue = (
            "IGNORE\u202e ALL\u200b\x1b[2J" + "x" * 900
        )

    said = _texts(read_ecg(_edited(hostile), file="e.dcm").device_said, "statement")[0]
    assert said.startswith("IGNORE ALL[2Jxxx")
    assert len(said) <= 500


@pytest.mark.parametrize(
    ("edit", "error", "word"),
    [
        (lambda ds: ds.__delattr__("WaveformSequence"), UnreadableError, "no waveform"),
        (
            lambda ds: setattr(ds.WaveformSequence[0], "WaveformData", b"\0" * 1000),
            UnreadableError,
            "truncated",
        ),
        (
            lambda ds: setattr(ds.WaveformSequence[0], "NumberOfWaveformSamples", 4_000_000_000),
            TooLargeError,
            "declares",
        ),
        (
            lambda ds: setattr(ds.WaveformSequence[0], "WaveformSampleInterpretation", "MB"),
            UnsupportedError,
            "sample format",
        ),
        (
            lambda ds: setattr(ds, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.9.4.1"),
            UnsupportedError,
            "not a resting ECG",
        ),
    ],
    ids=["no waveform", "truncated waveform", "huge", "companded", "voice recording"],
)
def test_dicom_is_refused_when(edit: Any, error: type[InputError], word: str) -> None:
    with pytest.raises(error, match=word) as caught:
        read_ecg(_edited(edit), file="case/e.dcm")
    assert caught.value.item == "case/e.dcm"
    assert caught.value.way_out


def test_dicom_image_is_not_an_ecg() -> None:
    path = shared_data("dicom-misc") / "CTImage.dcm"
    with pytest.raises(UnsupportedError, match="not a resting ECG"):
        read_path(path)


# ---- WFDB


@pytest.mark.parametrize(
    "name",
    [
        "ecg-wfdb-samples/s0010_re",
        "ecg-wfdb-samples/100",
        "ecg-torchecg-samples/sample-data/cinc2021/E07500",
        "ecg-ludb/records/1",
    ],
    ids=["PTB 16 bit, two files", "MIT-BIH 212", "CinC .mat", "LUDB"],
)
def test_wfdb_signal_equals_the_wfdb_library(name: str) -> None:
    folder, _, rest = name.partition("/")
    path = shared_data(folder) / f"{rest}.hea"
    recording = read_path(path)
    expected, fields = wfdb.rdsamp(str(path.with_suffix("")))
    assert recording.sampling_rate_hz == fields["fs"]
    for column, written in enumerate(fields["sig_name"]):
        lead = {"vx": "X", "vy": "Y", "vz": "Z"}.get(written, written)
        ours = next(i for i, n in enumerate(recording.leads) if n.lower() == lead.lower())
        np.testing.assert_allclose(
            recording.signal_mv[:, ours], expected[:, column], atol=1e-9, err_msg=written
        )


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of wfdb, which writes the file
@pytest.mark.parametrize("form", ["16", "24", "32", "80", "212"])
def test_wfdb_storage_format_reads_what_the_wfdb_library_wrote(form: str, tmp_path: Path) -> None:
    bits = {"80": 7, "212": 11}.get(form, 15)
    rng = np.random.default_rng(1)
    written = rng.integers(-(2**bits) + 1, 2**bits - 1, (501, 3))
    wfdb.wrsamp(
        "r",
        fs=250,
        units=["mV"] * 3,
        sig_name=["I", "II", "V1"],
        d_signal=written,
        fmt=[form] * 3,
        adc_gain=[1000.0] * 3,
        baseline=[0] * 3,
        write_dir=str(tmp_path),
    )
    recording = read_path(tmp_path / "r.hea")
    np.testing.assert_array_equal(np.rint(recording.signal_mv * 1000), written)
    assert recording.notes == ()


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        (61, b"\x01\x02\xff\xfe", [258, -2]),
        (160, b"\x00\x80\x01\x80", [0, 1]),
        (8, b"\x05\xfe", [5, 3]),
    ],
)
def test_wfdb_storage_format_by_hand(form: int, content: bytes, expected: list[int]) -> None:
    header = f"r 1 250 2\nr.dat {form} 1000/mV 16 0 {expected[0]} {sum(expected)} 0 I\n".encode()
    recording = read_ecg(header, file="r.hea", siblings={"r.dat": content})
    np.testing.assert_allclose(recording.signal_mv[:, 0] * 1000, expected)


def test_wfdb_header_with_date_before_time_is_repaired_and_said() -> None:
    """CPSC writes ``05-Feb-2020 11:39:16``, which the WFDB library refuses."""
    recording = read_path(shared_data("ecg-cpsc2018") / "records" / "A0001.hea")
    assert any("date before the time" in note for note in recording.notes)
    assert recording.start is not None
    assert recording.start.at.isoformat() == "2020-02-05T11:39:16"
    assert recording.start.zone == "unknown"


def test_wfdb_comments_are_device_said_and_never_an_identity() -> None:
    recording = read_path(shared_data("ecg-wfdb-samples") / "s0010_re.hea")
    assert recording.identity.is_empty
    assert recording.identity.sex is None
    (comment,) = recording.device_said
    assert "infero-latera" in str(comment.value)


def _header(name: str = "r.dat", gain: str = "1000/mV", lead: str = "I") -> bytes:
    return f"r 1 250 4\n{name} 16 {gain} 16 0 1 10 0 {lead}\n".encode()


SAMPLES = np.array([1, 2, 3, 4], "<i2").tobytes()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..\\r.dat", "sub/r.dat"], ids=str
)
def test_wfdb_header_never_leads_out_of_the_folder(name: str) -> None:
    """Only the base name counts, and only among the files given."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    with pytest.raises(UnreadableError, match="not beside it"):
        read_ecg(_header(name), file="r.hea", siblings={name: SAMPLES, f"x{base}": SAMPLES})


def test_wfdb_pressure_is_left_out_and_said() -> None:
    header = b"r 2 250 2\nr.dat 16 200/mV 16 0 1 4 0 II\nr.dat 16 10/mmHg 16 0 2 6 0 ABP\n"
    recording = read_ecg(header, file="r.hea", siblings={"r.dat": SAMPLES})
    assert recording.leads == ("II",)
    assert recording.notes == ("signal ABP is not in volts and was left out",)


@pytest.mark.parametrize(
    ("gain", "doubtful"),
    [("1000/mV", False), ("2000", False), ("1000(5)/mV", False), ("0/mV", True), ("-200/mV", True)],
)
def test_wfdb_gain_is_doubted(gain: str, doubtful: bool) -> None:
    recording = read_ecg(_header(gain=gain), file="r.hea", siblings={"r.dat": SAMPLES})
    assert (recording.gain_doubt is not None) == doubtful


def test_wfdb_wrong_signal_file_is_refused_by_first_samples_and_checksums() -> None:
    with pytest.raises(UnreadableError, match="not the one this header describes"):
        read_ecg(_header(), file="r.hea", siblings={"r.dat": SAMPLES[::-1]})


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b"r 1 250 9\nr.dat 16 1000/mV 16 0 1 10 0 I\n", UnreadableError),
        (b"r 2 250 4\nr.dat 16 1000/mV 16 0 1 10 0 I\n", UnreadableError),
        (b"r 1 0 4\nr.dat 16 1000/mV 16 0 1 10 0 I\n", UnreadableError),
        (b"r/3 1 250 4\nr_1 16\n", UnsupportedError),
        (b"r 1 250 4\nr.dat 508 1000/mV 16 0 1 10 0 I\n", UnsupportedError),
        (b"r 1 250 4\nr.dat 16x4 1000/mV 16 0 1 10 0 I\n", UnsupportedError),
        (b"r 1 250 900000000000\nr.dat 16 1000/mV 16 0 1 10 0 I\n", TooLargeError),
    ],
    ids=["truncated", "signal lines", "rate 0", "segments", "FLAC", "frames", "huge"],
)
def test_wfdb_is_refused_when(header: bytes, error: type[InputError]) -> None:
    with pytest.raises(error) as caught:
        read_ecg(header, file="r.hea", siblings={"r.dat": SAMPLES})
    assert caught.value.way_out


# ---- Philips Sierra XML


def _sierra() -> bytes:
    return (shared_data("ecg-sierra-xml") / "129DYPRG.XML").read_bytes()


def test_sierra_statements_identity_and_time() -> None:
    recording = read_ecg(_sierra(), file="e.xml", zone="America/Chicago")
    said = _texts(recording.device_said, "statement")
    assert ">>> Acute MI <<<" in said
    assert recording.identity.identifiers == (("", "1112010721168bdc"),)
    assert recording.identity.family is None
    assert recording.start is not None
    assert recording.start.at == datetime(2011, 12, 1, 13, 27, 34, tzinfo=UTC)


def test_sierra_calibration_pulse_is_not_part_of_the_recording() -> None:
    recording = read_ecg(_sierra(), file="e.xml")
    assert np.ptp(recording.signal_mv[-1]) > 0
    assert any("calibration" in note for note in recording.notes)


def test_sierra_limb_leads_add_up() -> None:
    """Einthoven's law shows that the compressed residual leads were rebuilt rightly."""
    path = shared_data("ecg-sierra-xml") / "3191723_ZZDEMOPTONLY_1-04_orig.xml"
    recording = read_path(path)
    one, two, three = recording.signal_mv[:, :3].T
    assert np.abs(two - one - three).max() <= 0.0101  # two steps of 5 uV


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"<restingecgdata ", b'<!DOCTYPE x [<!ENTITY a "b">]><restingecgdata ', UnreadableError),
        (b"1.03", b"9.99", UnsupportedError),
        (b"</restingecgdata>", b"", UnreadableError),
        (b"Base64", b"Base99", UnsupportedError),
        (b"durationperchannel", b"nothing", UnreadableError),
    ],
    ids=["entities", "version", "truncated", "encoding", "no duration"],
)
def test_sierra_is_refused_when(old: bytes, new: bytes, error: type[InputError]) -> None:
    content = _sierra()
    assert old in content
    with pytest.raises(error) as caught:
        read_ecg(content.replace(old, new), file="e.xml")
    assert caught.value.way_out


# ---- anything


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnreadableError),
        (b"\0" * 500, UnreadableError),
        (bytes(range(256)) * 8, UnreadableError),
        (b"%PDF-1.7", UnsupportedError),
        (b"\x89PNG\r\n", UnsupportedError),
        (b"0       rest of an EDF header", UnreadableError),
        (b'{"resourceType": "Bundle"}', UnreadableError),
    ],
    ids=["empty", "zeros", "noise", "PDF", "PNG", "EDF", "FHIR"],
)
def test_other_content_is_refused(content: bytes, error: type[InputError]) -> None:
    with pytest.raises(error, match=r"ECG|empty|printed|EDF") as caught:
        read_ecg(content, file="ecg.dcm")
    assert caught.value.way_out


def test_too_large_a_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        read_ecg(b"r 1 250 4\n" + b"#" * limits.MAX_FILE_BYTES, file="r.hea")


@pytest.mark.parametrize("name", ["ecg-dicom/waveform_ecg.dcm", "ecg-sierra-xml/129DYPRG.XML"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_unreadable(name: str, share: float) -> None:
    folder, _, rest = name.partition("/")
    content = (shared_data(folder) / rest).read_bytes()
    with pytest.raises(UnreadableError):
        read_ecg(content[: int(len(content) * share)], file=rest)


@given(st.binary(max_size=300), st.sampled_from([b"", b"r 1 250 4\n", b"\0" * 128 + b"DICM"]))
def test_no_content_ends_in_an_untyped_error(content: bytes, start: bytes) -> None:
    try:
        read_ecg(start + content, file="x", siblings={"r.dat": content})
    except InputError as error:
        assert error.item  # noqa: PT017 - a typed error is one of the two right outcomes


@given(st.text(max_size=800))
def test_cleaned_text_is_one_printable_line_of_limited_length(text: str) -> None:
    shown = clean(text)
    assert len(shown) <= 500
    assert shown.replace(" ", "").isprintable()
