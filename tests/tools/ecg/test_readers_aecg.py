"""HL7 aECG: eight real documents, against their own text and against a second decoder's file."""

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import InputError, TooLargeError, UnreadableError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import device_values
from tools.ecg.model import LEADS_12, EcgRecording
from tools.ecg.readers import read_ecg
from tools.ecg.readers.aecg import MAX_XML_BYTES, is_aecg

HL7_FILES = ("Example aECG", *(f"subject{s}_{v}" for s in (1, 2) for v in range(3)))


def _hl7(name: str = "Example aECG") -> bytes:
    return (shared_data("ecg-aecg-xml") / f"{name}.xml").read_bytes()


def _read(content: bytes) -> EcgRecording:
    return read_ecg(content, file="a.xml")


def _digits(content: bytes, lead: str) -> list[list[int]]:
    """Return the numbers of every sequence of a lead, straight from the text of the document."""
    text = content.decode("utf-8")
    found = re.findall(rf'code="MDC_ECG_LEAD_{lead}".*?<digits>(.*?)</digits>', text, re.DOTALL)
    return [[int(word) for word in digits.split()] for digits in found]


@pytest.mark.parametrize("name", HL7_FILES)
def test_the_rhythm_is_taken_with_origin_and_scale_and_never_the_representative_beat(
    name: str,
) -> None:
    content = _hl7(name)
    recording = _read(content)
    assert recording.leads == LEADS_12
    assert recording.sampling_rate_hz == 500  # increment of the time sequence: 0.002 s
    for lead in LEADS_12:
        rhythm, beat = _digits(content, lead.upper())[:2]  # what follows are spans in annotations
        assert len(rhythm) == 5000
        assert len(beat) in (599, 600)
        expected = np.array(rhythm) * 2.5e-3  # scale 2.5 uV, origin 0 uV
        column = recording.signal_mv[:, LEADS_12.index(lead)]
        np.testing.assert_allclose(column, expected, atol=1e-12)


def test_what_the_document_says_of_the_subject_and_of_the_device() -> None:
    """Read by hand in the document: trialSubject, effectiveTime, and the annotations."""
    recording = _read(_hl7())
    who = recording.identity
    assert who.identifiers == (("urn:oid:2.16.840.1.113883.3.400", "SBJ-123"),)
    assert (who.family, who.sex) == ("Clark", "male")
    assert who.birth_date is not None
    assert who.birth_date.at == datetime(1953, 5, 8)  # noqa: DTZ001 - a date
    assert recording.start is not None
    assert recording.start.at == datetime(2002, 11, 22, 9, 10)  # noqa: DTZ001 - no offset
    assert recording.start.zone == "unknown"
    assert device_values(recording) == {
        "pr": 148, "qrs": 120, "qt": 420, "qtc": 443, "p_axis": 44, "axis": -61, "t_axis": 86,
    }  # fmt: skip
    assert [str(f.value) for f in recording.device_said][-1] == "Sinus Rhythm"
    assert all("device-said" in f.flags for f in recording.device_said)
    assert recording.gain_doubt is None
    assert recording.format_caution is None


def test_a_converted_tracing_agrees_with_the_original_decoded_by_another_reader() -> None:
    """One tracing as Philips Sierra XML and, converted by its vendor's tool, as aECG (5 uV steps).

    Measured: the largest difference of a sample is 0.020 mV, the mean below 0.003 mV.
    """
    folder = shared_data("ecg-sierra-xml")
    original = _read((folder / "ad4d3d80-d165_1-04_orig.xml").read_bytes())
    converted = _read((folder / "ad4d3d80-d165_1-04_converted.xml").read_bytes())
    assert converted.source_format == "hl7-aecg"
    assert converted.leads == original.leads
    assert converted.signal_mv.shape == original.signal_mv.shape  # both without the pulse
    assert "the calibration pulse at the end was left out" in converted.notes
    differs = converted.signal_mv - original.signal_mv
    assert np.abs(differs).max() <= 0.0201
    assert np.abs(differs.mean(axis=0)).max() <= 0.003
    assert converted.start == original.start or converted.start is not None
    said, first = device_values(converted), device_values(original)
    assert {k: said[k] for k in ("heart_rate", "rr", "pr", "qrs", "qt", "qtc")} == {
        k: first[k] for k in ("heart_rate", "rr", "pr", "qrs", "qt", "qtc")
    }
    assert converted.identity.family is None  # "---" is no name


def test_another_unit_scale_and_origin_are_used() -> None:
    """Origin 1 mV and scale 0.1 mV, written by hand: digit 5 is 1 + 5 x 0.1 = 1.5 mV."""
    content = _hl7().replace(b'<origin value="0" unit="uV"/>', b'<origin value="1" unit="mV"/>')
    content = content.replace(b'<scale value="2.5" unit="uV"/>', b'<scale value="0.1" unit="mV"/>')
    few = re.sub(rb"<digits>.*?</digits>", b"<digits>5 -5 0</digits>", content, flags=re.DOTALL)
    np.testing.assert_allclose(_read(few).signal_mv[:, 0], [1.5, 0.5, 1.0], atol=1e-12)


def test_a_scale_without_a_unit_of_voltage_forbids_amplitudes() -> None:
    content = _hl7().replace(b'unit="uV"', b'unit="1"')
    assert "no unit of voltage is stated for I, II" in (_read(content).gain_doubt or "")


def test_initials_are_no_name_to_compare() -> None:
    recording = _read(_hl7().replace(b"<name>Clark</name>", b"<name>JMK</name>"))
    assert recording.identity.family is None
    assert "the name in the file is initials and is not compared" in recording.notes


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        (b"<digits>", b"<digits>x ", UnreadableError, "damaged aECG"),
        (b'value="0.002" unit="s"', b'value="0.002" unit="furlong"', UnreadableError, "increment"),
        (b'value="0.002" unit="s"', b'value="-1" unit="s"', UnreadableError, "increment"),
        (b"</AnnotatedECG>", b"", UnreadableError, "damaged aECG"),
        (b"MDC_ECG_LEAD_", b"MDC_EEG_LEAD_", UnreadableError, "No ECG lead"),
        (
            b"<AnnotatedECG",
            b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><AnnotatedECG',
            UnreadableError,
            "entities in the XML",
        ),
    ],
    ids=["no number", "unit of time", "negative time", "truncated", "no lead", "entities"],
)
def test_a_damaged_document_is_refused_with_the_reason(
    old: bytes, new: bytes, error: type[InputError], words: str
) -> None:
    content = _hl7()
    assert old in content
    with pytest.raises(error, match=words) as caught:
        _read(content.replace(old, new))
    assert caught.value.item == "a.xml"
    assert caught.value.way_out
    assert "/tmp" not in str(caught.value)  # noqa: S108 - nothing of where the copy was


def test_a_document_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLargeError):
        _read(b"<AnnotatedECG>" + b" " * MAX_XML_BYTES)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<AnnotatedECG xmlns='urn:hl7-org:v3'>", True),
        ("\ufeff<x:AnnotatedECG>".encode("utf-16-le"), True),
        (b"<!-- " + b"c" * 5000 + b" --><AnnotatedECG>", True),
        (b'{"a": "<AnnotatedECG>"}', False),
        (b"<html>", False),
    ],
    ids=["namespace", "UTF-16", "long comment", "in JSON", "HTML"],
)
def test_only_xml_is_an_aecg_document(content: bytes, expected: bool) -> None:
    assert is_aecg(content) is expected


def test_the_documents_that_are_no_aecg_are_not_taken_for_one() -> None:
    folder: Path = shared_data("ecg-aecg-xml")
    others = [p for p in sorted(folder.glob("*.xsd"))]
    assert len(others) == 7
    assert not any(is_aecg(path.read_bytes()) for path in others)
