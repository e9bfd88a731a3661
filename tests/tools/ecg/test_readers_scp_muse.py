"""SCP-ECG and MUSE XML: written by hand from the layouts, and marked as not verified."""

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import InputError, TooLargeError, UnreadableError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import device_values, read_path
from tests.tools.ecg.waveform_files import muse, scp
from tests.tools.intake.samples import read, report, write
from tools.ecg.model import LEADS_12, EcgRecording
from tools.ecg.quality import recording_problems
from tools.ecg.readers import read_ecg
from tools.ecg.readers.decoded import NOT_VERIFIED

RAMP = np.arange(-500, 500, dtype=np.int16)
EIGHT = {1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6"}
DOCTYPE = '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'


def _scp() -> bytes:
    return scp({number: RAMP + number for number in EIGHT})


def _muse(**changed: str) -> bytes:
    return muse({name: RAMP + n for n, name in EIGHT.items()}, **changed)


def _is_clara(recording: EcgRecording) -> None:
    who = recording.identity
    assert (who.identifiers, who.family, who.given, who.sex) == (
        (("", "0012"),), "Muster", ("Clara",), "female",
    )  # fmt: skip
    assert who.birth_date is not None
    assert who.birth_date.at == datetime(1955, 7, 21)  # noqa: DTZ001 - a date
    assert recording.start is not None
    assert recording.start.at == datetime(2026, 11, 20, 13, 20, 5)  # noqa: DTZ001 - no offset


def test_scp_samples_are_scaled_by_the_amplitude_of_a_step() -> None:
    recording = read_ecg(_scp(), file="a.scp")
    assert recording.source_format == "scp-ecg"
    assert set(EIGHT.values()) <= set(recording.leads)
    assert recording.sampling_rate_hz == 500  # 2000 us
    for number, name in EIGHT.items():
        column = recording.signal_mv[:, recording.leads.index(name)]
        np.testing.assert_allclose(column, (RAMP + number) * 2.5e-3, atol=1e-9)  # 2500 nV
    _is_clara(recording)


@pytest.mark.parametrize("head", ["", DOCTYPE], ids=["bare", "document type"])
def test_muse_samples_are_scaled_by_the_amplitude_of_a_step(head: str) -> None:
    recording = read_ecg(_muse(head=head), file="a.xml")
    assert recording.source_format == "ge-muse-xml"
    for number, name in EIGHT.items():
        column = recording.signal_mv[:, recording.leads.index(name)]
        np.testing.assert_allclose(column, (RAMP + number) * 4.88e-3, atol=1e-9)
    assert recording.sampling_rate_hz == 500
    _is_clara(recording)
    assert device_values(recording) == {
        "heart_rate": 66, "pr": 150, "qrs": 90, "qt": 400, "qtc": 420, "axis": 30,
    }  # fmt: skip
    assert "Normal sinus rhythm" in [str(f.value) for f in recording.device_said]


def test_muse_without_a_unit_forbids_amplitudes() -> None:
    assert "no unit of voltage" in (read_ecg(_muse(unit=""), file="a.xml").gain_doubt or "")


def test_a_step_that_makes_no_number_of_a_sample_is_refused() -> None:
    """1e999 is read as infinite, and nothing of the signal is left but NaN at the stored zeros."""
    content = _muse().replace(b">4.88<", b">1e999<")
    with pytest.raises(UnreadableError, match="an amplitude scale that is no number"):
        read_ecg(content, file="a.xml")


@pytest.mark.parametrize(("name", "content"), [("a.scp", _scp()), ("a.xml", _muse())])
def test_an_unverified_format_says_so_wherever_the_recording_is_shown(
    tmp_path: Path, name: str, content: bytes
) -> None:
    problems = list(recording_problems(read_ecg(content, file=name)))
    assert ("format-not-verified", NOT_VERIFIED) in [(p.code, p.detail) for p in problems]
    write(tmp_path, name, content)
    item = report(read(tmp_path), name)
    assert item.status == "read"
    assert "not verified on a real file" in item.kind


def test_formats_with_real_files_carry_no_such_caution() -> None:
    assert read_path(shared_data("ecg-dicom") / "waveform_ecg.dcm").format_caution is None


def test_a_real_tracing_written_as_scp_and_as_muse_measures_as_before() -> None:
    """The DICOM sample in steps of 1 uV through both layouts: no sample moves by over half a step.

    One level of detail for 4.88 uV a step is coarser: half a step is 2.44 uV.
    """
    original = read_path(shared_data("ecg-dicom") / "waveform_ecg.dcm")
    kept = {number: original.leads.index(name) for number, name in EIGHT.items()}
    steps = {n: np.round(original.signal_mv[:, c] * 1000).astype(np.int16) for n, c in kept.items()}
    back = read_ecg(scp(steps, nanovolts=1000, interval_us=1000), file="a.scp")
    assert back.sampling_rate_hz == original.sampling_rate_hz
    for number, name in EIGHT.items():
        column = back.signal_mv[:, back.leads.index(name)]
        there = original.signal_mv[:, kept[number]]
        assert np.abs(column - there).max() <= 0.0005 + 1e-9
    assert back.leads[0] == LEADS_12[0]


def _scp_with_samples(count: int) -> bytes:
    """Return the record with every lead declared `count` samples long."""
    content = bytearray(_scp())
    place = content.index(struct.pack("<IIB", 1, 1000, 1))
    for lead in range(len(EIGHT)):
        struct.pack_into("<II", content, place + 9 * lead, 1, count)
    return bytes(content)


BOMB = '<!DOCTYPE R [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (_scp()[:100], UnreadableError, "damaged SCP-ECG"),
        (_scp()[:-500], UnreadableError, "damaged SCP-ECG"),
        (_scp_with_samples(2**32 - 2), TooLargeError, "declares"),
        (_muse()[:-200], UnreadableError, "damaged MUSE XML"),
        (_muse(head=BOMB), UnreadableError, "entities"),
        (_muse().replace(b"<SampleBase>500", b"<SampleBase>0"), UnreadableError, "SampleBase"),
        (_muse().replace(b"<SampleExponent>0", b"<SampleExponent>999"), UnreadableError, "damaged"),
        (_muse().replace(b"<LeadID>I<", b"<LeadID><"), UnreadableError, "LeadID"),
    ],
    ids=[
        "SCP head", "SCP tail", "SCP huge", "MUSE tail", "MUSE entities", "MUSE rate",
        "MUSE exponent", "MUSE lead",
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_with_the_reason(
    content: bytes, error: type[InputError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_ecg(content, file="a")
