"""EDF and EDF+: a real file, a file another program wrote, and files written by hand."""

import os
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.waveform_files import edf
from tools.ecg.readers import read_ecg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb 4.3 warns of its own use of pandas
    import wfdb.io.convert.edf as wfdb_edf  # type: ignore[import-untyped]

WAVE = (100 * np.sin(np.arange(1000) / 20)).astype(np.int16)


def test_the_ecg_channel_of_a_real_file_is_scaled_as_its_header_says() -> None:
    """Decoded beside it by the formula of Kemp 1992 from the bytes of the header and records."""
    path = shared_data("ecg-wfdb-samples") / "test_generator_2.edf"
    raw = path.read_bytes()
    count, records = int(raw[252:256]), int(raw[236:244])
    sizes = [int(raw[256 + 216 * count + 8 * i :][:8]) for i in range(count)]
    labels = [raw[256 + 16 * i :][:16].decode().strip() for i in range(count)]
    k = labels.index("ECG")
    numbers = [float(raw[256 + offset * count + 8 * k :][:8]) for offset in (104, 112, 120, 128)]
    low, high, d_low, d_high = numbers
    data = np.frombuffer(raw[256 * (count + 1) :], "<i2").reshape(records, sum(sizes))
    stored = data[:, sum(sizes[:k]) : sum(sizes[: k + 1])].ravel()
    expected = ((stored - d_low) * (high - low) / (d_high - d_low) + low) / 1000  # uV to mV
    recording = read_ecg(raw, file="t.edf")
    assert recording.leads == ("ECG",)
    assert recording.sampling_rate_hz == 200
    np.testing.assert_allclose(recording.signal_mv[:, 0], expected, atol=1e-12)
    assert recording.signal_mv.shape == (120_000, 1)  # 600 s
    assert "squarewave, ramp, pulse, noise" in recording.notes[0]
    assert [str(f.value) for f in recording.device_said] == ["0 s: RECORD START", "600 s: REC STOP"]
    assert recording.identity.is_empty


def test_a_file_that_wfdb_wrote_is_read_as_the_record_it_came_from(tmp_path: Path) -> None:
    source = shared_data("ecg-wfdb-samples") / "s0010_re"
    there = read_path(source.with_suffix(".hea"))
    before = Path.cwd()
    os.chdir(tmp_path)  # the converter writes into the working folder
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wfdb_edf.wfdb_to_edf(str(source), edf_plus=False)
    finally:
        os.chdir(before)
    written = next(tmp_path.glob("*.edf"))
    here = read_ecg(written.read_bytes(), file="s.edf")
    assert here.leads == there.leads
    assert here.sampling_rate_hz == there.sampling_rate_hz
    assert len(here.signal_mv) == 39_000  # 38.4 s in whole records of one second
    whole = 38_000  # wfdb 4.3.1 mixes the channels of a last record that it has to fill up
    step = np.ptp(there.signal_mv, axis=0).max() / 2**15
    np.testing.assert_allclose(here.signal_mv[:whole], there.signal_mv[:whole], atol=2 * step)


def test_the_patient_and_the_start_of_edf_plus() -> None:
    recording = read_ecg(edf([("ECG II", "uV", WAVE)], kind="EDF+C"), file="a.edf")
    assert recording.leads == ("II",)
    np.testing.assert_allclose(recording.signal_mv[:, 0], WAVE * 0.1 / 1000, atol=1e-9)
    who = recording.identity
    assert (who.identifiers, who.family, who.given, who.sex) == (
        (("", "0012"),),
        "Muster Clara",
        (),
        "female",
    )  # fmt: skip - the format does not say which part of a name is which
    assert who.birth_date is not None
    assert who.birth_date.at == datetime(1955, 7, 21)  # noqa: DTZ001 - a date
    assert recording.start is not None
    assert recording.start.at == datetime(2026, 11, 20, 13, 20, 5)  # noqa: DTZ001 - no offset


def test_an_unknown_start_is_told_and_not_invented() -> None:
    content = edf([("ECG", "uV", WAVE)], kind="EDF+C", recording="Startdate X X X X")
    recording = read_ecg(content, file="a.edf")
    assert recording.start is None
    assert "the file says that its start is not known" in recording.notes


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_the_unit_of_a_channel_is_used(unit: str, factor: float) -> None:
    content = edf([("ECG V1", unit, np.full(500, 3, np.int16) if unit == "mV" else WAVE[:500] * 0)])
    recording = read_ecg(content, file="a.edf")
    expected = (0.3 if unit == "mV" else 0.0) * factor  # digital 3 is 0.3 units
    np.testing.assert_allclose(recording.signal_mv[:, 0], expected, atol=1e-9)
    assert recording.gain_doubt is None


def test_a_channel_without_a_unit_forbids_amplitudes() -> None:
    assert "no unit" in (read_ecg(edf([("ECG", "", WAVE)]), file="a.edf").gain_doubt or "")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (edf([("ECG", "uV", WAVE)], kind="EDF+D"), UnsupportedError, "gaps"),
        (edf([("EEG Fpz-Cz", "uV", WAVE)]), UnsupportedError, "EEG Fpz-Cz"),
        (edf([("ECG", "uV", WAVE)])[:300], UnreadableError, "header"),
        (edf([("ECG", "uV", WAVE)])[:600], UnreadableError, "truncated"),
        (
            edf([("ECG", "uV", WAVE)]).replace(
                b"2       1       1   ", b"99999999" + b"1       1   "
            ),
            TooLargeError,
            "declares",
        ),
    ],
    ids=["gaps", "no ECG", "no header", "no record", "too many records"],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    content: bytes, error: type[InputError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_ecg(content, file="a.edf")


def test_a_file_that_ends_early_is_read_as_far_as_it_goes_and_told() -> None:
    recording = read_ecg(edf([("ECG", "uV", WAVE)])[:-100], file="a.edf")
    assert len(recording.signal_mv) == 500
    assert any("truncated" in note for note in recording.notes)
