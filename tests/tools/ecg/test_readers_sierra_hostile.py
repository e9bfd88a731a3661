"""Sierra XML: what is one and what only mentions its name; times that cannot be."""

import codecs

import pytest

from knowledge.errors import InvalidValueError, TooLargeError
from tests.data_folder import shared_data
from tools.ecg.readers import read_ecg
from tools.ecg.readers.sierra import is_sierra

ROOT = "<restingecgdata xmlns='x'>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ROOT.encode(), True),
        (b"\r\n  <?xml version='1.0'?>" + ROOT.encode(), True),
        (codecs.BOM_UTF8 + b"\n" + ROOT.encode(), True),
        (codecs.BOM_UTF16_LE + ROOT.encode("utf-16-le"), True),
        (codecs.BOM_UTF16_BE + ROOT.encode("utf-16-be"), True),
        (ROOT.encode("utf-16-le"), True),
        (b'{"resourceType": "Basic", "x": "' + ROOT.encode() + b'"}', False),
        (b"# " + ROOT.encode(), False),
        (b"r 1 250 4\nr.dat 16\n#" + ROOT.encode(), False),
        (b"<html>", False),
        (b"", False),
    ],
    ids=[
        "bare", "declaration", "UTF-8 mark", "UTF-16 LE", "UTF-16 BE", "UTF-16 without mark",
        "in JSON", "in text", "in a header", "HTML", "empty",
    ],
)  # fmt: skip
def test_only_xml_is_a_sierra_document(content: bytes, expected: bool) -> None:
    assert is_sierra(content) is expected


@pytest.mark.parametrize(
    ("date", "words"),
    [
        (b"0001-01-01", "the start of the recording is not used: no such date: placeholder"),
        (b"2026-03-29", "the start of the recording is not used: does not exist in Europe/Berlin"),
    ],
)
def test_a_start_that_cannot_be_is_left_out_and_the_signal_is_read(date: bytes, words: str) -> None:
    content = (shared_data("ecg-sierra-xml") / "129DYPRG.XML").read_bytes()
    assert content.count(b'date="2011-12-01" time="07:27:34"') >= 1
    changed = content.replace(
        b'date="2011-12-01" time="07:27:34"', b'date="' + date + b'" time="02:30:00"'
    )
    recording = read_ecg(changed, file="e.xml", zone="Europe/Berlin")
    assert recording.start is None
    assert any(note.startswith(words) for note in recording.notes)
    assert recording.signal_mv.shape[1] == 12


def test_a_zone_that_is_none_is_the_callers_mistake_and_not_a_note() -> None:
    content = (shared_data("ecg-sierra-xml") / "129DYPRG.XML").read_bytes()
    with pytest.raises(InvalidValueError, match="not an IANA time zone"):
        read_ecg(content, file="e.xml", zone="Mars/Olympus")


@pytest.mark.parametrize("field", ["numberchannelsallocated", "numberchannelsvalid"])
def test_a_number_of_channels_that_no_ecg_has_takes_no_memory(field: str) -> None:
    """Two thousand million names would be made before one sample is looked at."""
    content = (
        '<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo>'
        "<documenttype>SierraECG</documenttype><documentversion>1.03</documentversion>"
        "</documentinfo><dataacquisition><signalcharacteristics><samplingrate>500</samplingrate>"
        f"<{field}>2147483648</{field}></signalcharacteristics></dataacquisition><waveforms>"
        '<parsedwaveforms dataencoding="Plain" durationperchannel="2">1</parsedwaveforms>'
        "</waveforms></restingecgdata>"
    )
    with pytest.raises(TooLargeError, match=r"declares 2\.1\S* channels"):
        read_ecg(content.encode(), file="e.xml")
