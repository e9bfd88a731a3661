"""WFDB headers with numbers and times that cannot be, and records copied without a file."""

import contextlib
import time
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import InputError, UnreadableError
from tests.data_folder import shared_data
from tools.ecg.model import LEADS_12, EcgRecording
from tools.ecg.readers import read_ecg
from tools.ecg.readers.wfdb_header import looks_like_header, parse_header

SAMPLES = np.array([1, 2, 3, 4], "<i2").tobytes()
LONG = "9" * 5000


def _one(
    record: str = "r 1 250 4", form: str = "16", gain: str = "1000/mV", zero: str = "0"
) -> bytes:
    return f"{record}\nr.dat {form} {gain} 16 {zero} 1 10 0 I\n".encode()


@pytest.mark.parametrize(
    "header",
    [
        _one(form=LONG),
        _one(form=f"16x{LONG}"),
        _one(form=f"16:{LONG}"),
        _one(form=f"16+{LONG}"),
        _one(gain=f"{LONG}/mV"),
        _one(gain=f"1000({LONG})/mV"),
        _one(gain=f"1e{LONG}/mV"),
        _one(gain="1e999/mV"),
        _one(record=f"r 1 {LONG} 4"),
        _one(record=f"r 1 250 {LONG}"),
        _one(record="r 1 1e999 4"),
        _one(record=f"r {LONG} 250 4"),
    ],
    ids=[
        "format", "frame", "skew", "offset", "gain", "baseline", "exponent", "infinite gain",
        "rate", "samples", "infinite rate", "signals",
    ],
)  # fmt: skip
def test_a_number_of_thousands_of_digits_ends_in_a_typed_error(header: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_ecg(header, file="r.hea", siblings={"r.dat": SAMPLES})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("zero", [LONG, "-" + LONG])
def test_an_optional_number_too_long_to_be_one_is_not_taken(zero: str) -> None:
    recording = read_ecg(_one(zero=zero), file="r.hea", siblings={"r.dat": SAMPLES})
    np.testing.assert_allclose(recording.signal_mv[:, 0] * 1000, [1, 2, 3, 4])


@pytest.mark.parametrize(
    "header",
    [
        _one(gain="9" * 900_000 + "x"),
        _one(record="r 1 250 4 " + "10:00:00 " * 100_000),
        _one(record="r 1" + " " * 900_000 + "x"),
    ],
    ids=["gain", "start", "blanks"],
)
def test_a_long_line_costs_no_long_time(header: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(InputError):
        parse_header(header, file="r.hea")
    looks_like_header(header)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("gain", ["1e-300/mV", "1e-9/mV"])
def test_an_amplitude_no_recorder_can_put_out_is_unreadable(gain: str) -> None:
    with pytest.raises(UnreadableError, match="no recorder can put out"):
        read_ecg(_one(gain=gain), file="r.hea", siblings={"r.dat": SAMPLES})


def test_a_span_wider_than_any_ecg_doubts_the_gain() -> None:
    recording = read_ecg(_one(gain="0.05/mV"), file="r.hea", siblings={"r.dat": SAMPLES})
    assert recording.gain_doubt == "wider than any ECG from peak to peak: I 60 mV"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("10:00:00 01/01/0001", "placeholder"),
        ("10:00:00 31/12/9999", "placeholder"),
        ("02:30:00 29/03/2026", "does not exist in Europe/Berlin"),
    ],
)
def test_a_start_that_cannot_be_is_left_out_and_the_signal_is_read(start: str, words: str) -> None:
    header = _one(record=f"r 1 250 4 {start}")
    recording = read_ecg(header, file="r.hea", siblings={"r.dat": SAMPLES}, zone="Europe/Berlin")
    assert recording.start is None
    assert [words in note for note in recording.notes] == [True]


# ---- a signal file that was not copied


def _ptb(*endings: str, **names: str) -> EcgRecording:
    folder: Path = shared_data("ecg-wfdb-samples")
    beside = {f"s0010_re.{e}": (folder / f"s0010_re.{e}").read_bytes() for e in endings}
    return read_ecg((folder / "s0010_re.hea").read_bytes(), file="s0010_re.hea", siblings=beside)


def test_the_12_leads_are_read_where_only_the_frank_leads_are_missing() -> None:
    alone, whole = _ptb("dat"), _ptb("dat", "xyz")
    assert alone.leads == LEADS_12
    assert whole.leads == (*LEADS_12, "X", "Y", "Z")
    np.testing.assert_array_equal(alone.signal_mv, whole.signal_mv[:, :12])
    assert alone.notes == ("leads vx, vy, vz not read: s0010_re.xyz is not beside the header",)
    assert alone.id != whole.id


def test_a_record_without_its_12_leads_is_not_read() -> None:
    with pytest.raises(UnreadableError, match=r"s0010_re\.dat is not beside it"):
        _ptb("xyz")


def test_the_checks_are_kept_for_the_file_that_is_there() -> None:
    folder = shared_data("ecg-wfdb-samples")
    content = (folder / "s0010_re.dat").read_bytes()
    header = (folder / "s0010_re.hea").read_bytes()
    with pytest.raises(UnreadableError, match="not the one this header describes"):
        read_ecg(header, file="r.hea", siblings={"s0010_re.dat": content[::-1]})
    with pytest.raises(UnreadableError, match="truncated"):
        read_ecg(header, file="r.hea", siblings={"s0010_re.dat": content[:-48]})


@pytest.mark.parametrize(
    ("there", "read"),
    [
        (("I", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"), True),
        (("I", "V1", "V2", "V3", "V4", "V5", "V6"), False),
        (("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5"), False),
    ],
    ids=["eight independent", "one limb lead", "without V6"],
)
def test_a_missing_file_is_forgiven_while_eight_independent_leads_are_there(
    there: tuple[str, ...], read: bool
) -> None:
    lines = [f"a.dat 16 1000/mV 16 0 1 2 0 {name}" for name in there]
    lines += [f"b.dat 16 1000/mV 16 0 1 2 0 {name}" for name in LEADS_12 if name not in there]
    header = "\n".join([f"r {len(lines)} 250 2", *lines]).encode()
    siblings = {"a.dat": np.ones(2 * len(there), "<i2").tobytes()}
    if read:
        assert set(read_ecg(header, file="r.hea", siblings=siblings).leads) == set(there)
    else:
        with pytest.raises(UnreadableError, match="not beside it"):
            read_ecg(header, file="r.hea", siblings=siblings)
