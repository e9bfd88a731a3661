"""HL7 v2 files of every form, of one patient and of two, good and bad."""

import time
from pathlib import Path

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.errors import IdentityConflictError
from knowledge.settings import Settings
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru
from tests.tools.intake.hl7v2.test_results import case, numbers, problems, troponins
from tools.intake.folder import read_case
from tools.intake.hl7v2.charset import codec_of
from tools.intake.result import InputFile

ONE, TWO = oru(obx("12")), oru(obr("F2", taken="20261120090000+0000"), obx("60"), control="M2")
NOW = parse_fhir("2026-11-20T12:00:00Z", clock="test")


def fate(folder: Path, content: bytes, name: str = "m0.hl7") -> InputFile:
    (folder / name).write_bytes(content)
    (one,) = read_case([folder], at=None, now=NOW, settings=Settings()).inputs
    return one


@pytest.mark.parametrize(
    "content",
    [
        ONE + TWO,
        b"\xef\xbb\xbf" + ONE + b"\xef\xbb\xbf" + TWO,
        (ONE + TWO).replace(b"\r", b"\n"),
        (ONE + TWO).replace(b"\r", b"\r\n"),
        (ONE + b"\r\n\r\n" + TWO).replace(b"\r", b"\r\n", 3),
        b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r",
        b"FHS|^~\\&|L\rBHS|^~\\&|L\r" + ONE + TWO + b"BTS|2\rFTS|1\r",
        (ONE + TWO).decode().encode("utf-16"),
    ],
    ids=["two", "BOM", "LF", "CRLF", "mixed", "MLLP", "batch", "UTF-16"],
)
def test_a_file_of_two_messages_in_each_form(content: bytes, tmp_path: Path) -> None:
    read = case(tmp_path, content)
    assert numbers(read) == [12, 60]
    assert problems(read) == ""
    assert read.inputs[0].kind == "HL7 v2"


def test_a_batch_that_is_shorter_than_it_says_is_told(tmp_path: Path) -> None:
    read = case(tmp_path, b"BHS|^~\\&|L\r" + ONE + b"BTS|2\r")
    assert "BTS says 2 messages or batches, the file holds 1 messages" in problems(read)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("GB 18030-2000", "gb18030"),
    ],
)
def test_the_characters_are_those_that_msh_18_names(
    charset: str, codec: str, tmp_path: Path
) -> None:
    name = "Müller" if codec.startswith(("latin", "iso")) else "张"
    text = "\r".join((msh(charset=charset), f"PID|1||7^^^LAB||{name}^Li||19550721|F", obr(), obx()))
    read = case(tmp_path, text.encode(codec))
    (identity,) = read.timeline.patient.identities
    assert identity.family == name


@pytest.mark.parametrize(
    ("charset", "codec", "reason"),
    [
        ("", "gb18030", "MSH-18 names no character set"),
        ("UNICODE UTF-8", "gb18030", "bytes that are not of its character set"),
        ("ASCII", "utf-8", "bytes that are not of its character set"),
        ("CNS 11643-1992", "utf-8", "is not taken"),
    ],
)
def test_a_wrong_character_set_is_refused_with_the_reason(
    charset: str, codec: str, reason: str, tmp_path: Path
) -> None:
    text = "\r".join((msh(charset=charset), "PID|1||7^^^LAB||张^Li||19550721|F", obr(), obx()))
    one = fate(tmp_path, text.encode(codec))
    assert one.status in ("failed", "ignored")
    assert reason in (one.reason or "")


def test_every_latin_part_of_8859_has_a_codec_of_its_own() -> None:
    assert [codec_of(f"8859/{n}") for n in (1, 2, 9, 15)] == [
        "iso8859_1",
        "iso8859_2",
        "iso8859_9",
        "iso8859_15",
    ]


def test_one_bad_message_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = message(msh(charset="ASCII", control="B"), "PID|1||7||M\u00fcller").replace(b"\r", b"\r")
    read = case(tmp_path, ONE + bad + TWO)
    assert numbers(read) == [12, 60]
    assert "message 2: bytes that are not of its character set" in problems(read)


def test_two_patients_in_one_file_are_a_conflict(tmp_path: Path) -> None:
    other = TWO.replace(b"0012^^^LAB", b"0013^^^LAB").replace(b"Muster", b"Other")
    with pytest.raises(IdentityConflictError):
        case(tmp_path, ONE + other)


def test_a_number_given_to_two_births_is_a_conflict(tmp_path: Path) -> None:
    with pytest.raises(IdentityConflictError):
        case(tmp_path, ONE, TWO.replace(b"19550721", b"19880101"))


def test_a_message_without_a_patient_is_not_joined_to_one_that_has(tmp_path: Path) -> None:
    nobody = message(msh(control="M2"), obr("F2", taken="20261120090000+0000"), obx("60"))
    read = case(tmp_path, ONE + nobody)
    assert numbers(read) == [12]
    assert "no PID segment" in problems(read)
    assert "the subject cannot be read" in problems(read)
    apart = tmp_path / "apart"
    apart.mkdir()
    read = case(apart, ONE, nobody)
    assert numbers(read) == [12]
    assert "carries no identity that can be compared" in str(read.inputs[1].reason)


def test_a_visit_s_number_is_none_of_the_patient(tmp_path: Path) -> None:
    with_account = ONE.replace(b"^MR|", b"^MR~A1^^^LAB&1.2.3&ISO^AN|")
    other_account = TWO.replace(b"^MR|", b"^MR~A2^^^LAB&1.2.3&ISO^AN|")
    assert numbers(case(tmp_path, with_account, other_account)) == [12, 60]


def test_results_without_obr_are_read_and_told(tmp_path: Path) -> None:
    read = case(tmp_path, message(msh(), PID, obx("12", taken="20261120080000+0000")))
    assert numbers(read) == [12]
    assert "OBX 1: no OBR before it" in problems(read)


def test_a_patient_behind_the_results_is_still_theirs(tmp_path: Path) -> None:
    read = case(tmp_path, message(msh(), obr(), obx("12"), PID))
    assert numbers(read) == [12]
    assert "PID stands after results" in problems(read)


@pytest.mark.parametrize("version", ["2.9", "3.0", ""])
def test_an_unknown_version_is_read_and_told(version: str, tmp_path: Path) -> None:
    read = case(tmp_path, message(msh(version=version), PID, obr(), obx("12")))
    assert numbers(read) == [12]
    assert "MSH-12" in problems(read)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"MSH|^~\\&|A\r", "are not taken"),
        (b"MSH|AB\r" + PID.encode(), "encoding characters"),
        (b"MSH|^^^^|A|B|||||ORU^R01\r", "encoding characters"),
        (message(msh("SIU^S12"), PID), "messages of type SIU are not taken"),
        (message(msh()), "holds nothing of a patient"),
        (ONE.replace(b"\rOBX", b" OBX"), "segments run together"),
        (b"FHS|^~\\&|L\rFTS|0\r", "holds no HL7 v2 message"),
    ],
)
def test_what_cannot_be_read_has_its_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    one = fate(tmp_path, content)
    assert one.status in ("failed", "ignored")
    assert reason in (one.reason or "")


def test_a_message_of_3_mb_is_read_in_seconds(tmp_path: Path) -> None:
    attached = "OBX|2|ED|PDF^Report||^AP^PDF^Base64^" + "QUFB" * 750_000 + "||||||F"
    begin = time.perf_counter()
    read = case(tmp_path, oru(obx("12"), attached))
    assert numbers(read) == [12]
    assert "application/pdf is not read" in problems(read)
    assert time.perf_counter() - begin < 10


def test_a_message_of_too_many_fields_is_refused_in_seconds(tmp_path: Path) -> None:
    begin = time.perf_counter()
    one = fate(tmp_path, oru(obx("1~" * 1_500_000)))
    assert one.status == "failed"
    assert "over 1000000 fields" in (one.reason or "")
    assert time.perf_counter() - begin < 10


def test_a_value_that_goes_on_in_the_next_line_is_not_cut(tmp_path: Path) -> None:
    text = obx("first\nand second", kind="TX", code="1^Report^L", unit="", printed="")
    read = case(tmp_path, oru(text))
    (found,) = [f for f in read.timeline.facts if f.finding.concept.text == "Report"]
    assert str(found.finding.value) == "first\nand second"
    assert "begin with no segment's name" in problems(read)


NOTE = (
    "TXA|1|DS^Discharge summary|TX|20261120070000+0000||||||||DOC1^LIS|||||{state}||AV",
    "OBX|1|TX|1^Note^L||Chest pain since 6.||||||F",
    "OBX|2|TX|1^Note^L||No nausea.||||||F",
)


def note(trigger: str, number: str = "DOC1", parent: str = "", text: str = "") -> bytes:
    txa, *lines = (line.format(state="AU") for line in NOTE)
    fields = txa.split("|")
    fields[12], fields[13] = f"{number}^LIS", f"{parent}^LIS" if parent else ""
    lines = [f"OBX|1|TX|1^Note^L||{text}||||||F"] if text else lines
    at = {"T02": "20261120080000", "T10": "20261120090000", "T11": "20261120093000"}[trigger]
    control = f"{trigger}{number}"
    head = msh(f"MDM^{trigger}", control, at=f"{at}+0000")
    return message(head, "EVN|" + trigger, PID, "|".join(fields), *lines)


def test_a_note_is_one_document(tmp_path: Path) -> None:
    (document,) = case(tmp_path, note("T02")).timeline.documents
    assert document.text == "Chest pain since 6.\nNo nausea."
    assert document.title == "Discharge summary"
    assert document.time is not None
    assert document.time.at.hour == 7


def test_a_note_that_replaces_another_stands_alone(tmp_path: Path) -> None:
    read = case(tmp_path, note("T02"), note("T10", "DOC2", "DOC1", "Rewritten."))
    assert [d.text for d in read.timeline.documents] == ["Rewritten."]


def test_a_note_that_is_cancelled_is_gone(tmp_path: Path) -> None:
    read = case(tmp_path, note("T02"), note("T11"))
    assert read.timeline.documents == ()
    assert any("entered-in-error" in r.reason for r in read.retracted)


def test_an_admission_gives_its_visit_and_its_diagnosis_only_as_suspected(tmp_path: Path) -> None:
    read = case(
        tmp_path,
        message(
            msh("ADT^A01"),
            "EVN|A01",
            PID,
            "PV1|1|E" + "|" * 17 + "V1" + "|" * 25 + "20261120070000+0000",
            "DG1|1||R07.4^Chest pain^I10|||A",
            "AL1|1|DA|1^Penicillin^L",
        ),
    )
    kinds = {f.finding.concept.text: f.finding.state.value for f in read.timeline.facts}
    assert kinds == {"EMER": "present", "Chest pain": "not_assessed"}
    assert dict(read.inputs[0].ignored) == {"AllergyIntolerance": 1}


def test_results_that_name_a_visit_do_not_take_its_times_away(tmp_path: Path) -> None:
    visit = "PV1|1|E" + "|" * 17 + "V1"
    admission = message(msh("ADT^A01"), "EVN|A01", PID, visit + "|" * 25 + "20261120070000+0000")
    named = message(msh(control="M2", at="20261120091000+0000"), PID, visit, obr(), obx("12"))
    read = case(tmp_path, admission, named)
    (found,) = [f for f in read.timeline.facts if f.category.value == "encounter"]
    assert found.finding.time is not None
    assert found.finding.time.at.hour == 7


def test_a_merge_of_two_numbers_changes_nothing_and_is_told(tmp_path: Path) -> None:
    merge = message(msh("ADT^A40"), "EVN|A40", PID, "MRG|0099^^^LAB&1.2.3&ISO^MR")
    read = case(tmp_path, merge)
    assert "nothing was merged" in problems(read)
    (identity,) = read.timeline.patient.identities
    assert identity.identifiers == (("urn:oid:1.2.3", "0012"),)


def test_a_fhir_chart_and_messages_of_one_patient_are_one_case(tmp_path: Path) -> None:
    (tmp_path / "chart.json").write_text(
        '{"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:oid:1.2.3", '
        '"value": "0012"}], "name": [{"family": "Muster", "given": ["Clara"]}]}'
    )
    assert len(troponins(case(tmp_path, ONE, TWO))) == 2


def test_segments_that_nothing_reads_are_counted(tmp_path: Path) -> None:
    read = case(tmp_path, message(msh(), PID, "NK1|1|X", "ZZ1|1", obr(), obx("12")))
    assert dict(read.inputs[0].ignored) == {
        "HL7 v2 segment NK1": 1,
        "HL7 v2 segment ZZ1": 1,
    }
